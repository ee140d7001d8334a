"""Every command of the README is run, in order, in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from gazette.cli._main import _parser
from small import REPOSITORY

TEXT = (REPOSITORY / "README.md").read_text()
LEFT_OUT = {"make test": "it is what runs this test"}


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.integration
def test_the_readme_works_from_top_to_bottom(built: Path) -> None:
    """In the copy of the checkout where ``make report`` has run; it runs once more, with nothing to do."""
    assert len(blocks()) >= 7
    for block in blocks():
        whole = block.rstrip().splitlines()
        serve = whole.pop() if " serve" in whole[-1] else None
        run("\n".join(whole), built)
        if serve:
            asks(serve, built)
    asks("make serve PORT=0", built)
    page = built.parent / "acme" / "_site" / "editions" / "2026-W47" / "experiments" / "green-button.html"
    assert "Benefit shown" in page.read_text()
    record = json.loads((built.parent / "acme" / "editions" / "2026-W47" / "records" / "late-parcel.json").read_text())
    (auc,) = (n for n in record["numbers"] if n["id"] == "late-parcel.auc")
    assert 0.6 < auc["value"] < 0.9, "a model in MLflow by a dozen lines is published"


def run(script: str, place: Path) -> None:
    done = subprocess.run(["sh", "-ec", script], cwd=place, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    if script == "make report":
        assert done.stdout.count("sealed already, nothing changed") == 3
        assert "Nothing changed: open" in done.stdout


def asks(command: str, place: Path) -> None:
    """Start a server on a free port, read its first page, stop it with all that it started."""
    text = command if "PORT" in command else f"{command} --port 0"
    alone = {
        k: v for k, v in os.environ.items() if not k.startswith("MAKE")
    }  # not a part of the make that runs the tests
    process = subprocess.Popen(
        ["sh", "-c", f"exec {text}"], cwd=place, stdout=subprocess.PIPE, text=True, start_new_session=True, env=alone
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert address
        with urllib.request.urlopen(address[0], timeout=10) as answer:  # noqa: S310  loopback
            assert b"Latest edition" in answer.read()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def test_the_command_table_is_the_program_s() -> None:
    listed = re.findall(r"^\| `gazette ([\w-]+)[^`]*` \| (.+) \|$", TEXT, re.MULTILINE)
    (action,) = [a for a in _parser()._actions if a.dest == "command"]
    assert [name for name, _ in listed] == list(action.choices or ())


def test_every_make_target_and_file_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"`make ([a-z]+)", TEXT):
        assert target in targets, target
    for link in re.findall(r"\]\(((?!https?:)[^)#]+)\)", TEXT):
        assert (REPOSITORY / link).exists(), link
