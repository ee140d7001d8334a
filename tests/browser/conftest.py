"""The one browser that all tests of pages share: Playwright starts once in a process."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from small import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
    "--allow-file-access-from-files=false",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("GAZETTE_BROWSER")
    if not program:
        found = subprocess.run([REPOSITORY / "tools" / "browser.sh"], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        program = found.stdout.strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
