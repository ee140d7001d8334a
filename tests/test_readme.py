"""Every command of the README is run, in order, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
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
@pytest.mark.long
def test_the_readme_works_from_top_to_bottom(tmp_path: Path, built: Path) -> None:
    place = tmp_path / "gazette"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, place / name)
    (place / ".venv").symlink_to(REPOSITORY / ".venv")
    cache = Path(".gazette", "cache", "runs")  # what ran once for the same inputs need not run again, as for any user
    shutil.copytree(built / cache, place / cache)
    assert len(blocks()) >= 7
    for block in blocks():
        whole = block.rstrip().splitlines()
        serve = whole.pop() if " serve" in whole[-1] else None
        run("\n".join(whole), place)
        if serve:
            asks(serve, place)
    asks("make serve PORT=0", place)
    page = tmp_path / "acme" / "_site" / "editions" / "2026-W47" / "experiments" / "green-button.html"
    assert "Benefit shown" in page.read_text()


def run(script: str, place: Path) -> None:
    done = subprocess.run(["sh", "-ec", script], cwd=place, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    if script == "make report":
        assert "Published: open " in done.stdout
        assert all((place / "editions" / f"2026-W{n}").is_dir() for n in (45, 46, 47))


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


def test_a_rebuild_with_nothing_changed_builds_nothing(built: Path) -> None:
    from program import gazette  # noqa: PLC0415

    start = time.monotonic()
    says = gazette("build", "2026-W45..2026-W47", "--engine", "embedded", project=built).stdout
    assert says.count("sealed already, nothing changed") == 3
    assert "Nothing changed: open" in says
    assert time.monotonic() - start < 60, "a guard against running it all again; the time itself is measured by hand"
