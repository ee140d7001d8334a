"""The table of rooms in docs/architecture.md is what the imports really are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
LIBRARY = REPOSITORY / "lib" / "gazette"
ROW = re.compile(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", re.MULTILINE)


def table() -> dict[str, set[str]]:
    allowed: dict[str, set[str]] = {}
    for room, text in ROW.findall((REPOSITORY / "docs" / "architecture.md").read_text()):
        above = set(allowed)
        allowed[room] = (
            above if "all above" in text else set() if text.strip() == "–" else {n.strip() for n in text.split(",")}
        )
        assert allowed[room] <= above, f"{room} may import {allowed[room] - above}, which stands below it in the table"
    return allowed


ROOMS = table()


def imported(path: Path) -> set[str]:
    """Rooms that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"gazette.{a.name}" for a in node.names] if node.module == "gazette" else [node.module]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("gazette.")}
    return found


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(p) for p in LIBRARY.rglob("*.py")} - {"__init__", "__main__"}
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_imports_run_downwards_only(path: Path) -> None:
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return
    wrong = imported(path) - ROOMS[room] - {room}
    assert not wrong, f"{room} may not import {wrong}"


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_modules_are_short_and_private_ones_stay_private(path: Path) -> None:
    text = path.read_text()
    alone = path.name == "verifier.py"  # one file on purpose: evidence packs carry it, and it runs without the library
    assert text.count("\n") < (530 if alone else 450), "split the module"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gazette."):
            parts = node.module.split(".")
            private = [p for p in parts if p.startswith("_")]
            assert not private or parts[1] == room_of(path), f"{node.module} belongs to another room"


@pytest.mark.parametrize("room", ["record", "params", "stats", "monitoring", "translation", "conclusions"])
def test_pure_rooms_read_no_clock_no_environment_and_no_network(room: str) -> None:
    """params reads the files that it is given; the others do no I/O at all."""
    banned = {"now", "today", "utcnow", "environ", "getenv", "urlopen"} | (
        set() if room == "params" else {"open", "read_text", "read_bytes", "write_text"}
    )
    paths = [*(LIBRARY / room).rglob("*.py")]
    assert paths
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            assert name not in banned, f"{path.name}:{getattr(node, 'lineno', 0)} uses {name}"


def test_sealed_files_are_opened_in_one_place() -> None:
    """Whoever wants a file of a sealed edition asks ``Store.open``, which holds it to its digest; folders stay in ``editions``."""
    found = []
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())) if room_of(path) != "editions" else ():
            asked = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "path"
            below = (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Div)
                and isinstance(node.left, ast.Attribute)
                and node.left.attr == "root"
                and ast.unparse(node.left.value).endswith("store")
            )
            inside = isinstance(node, ast.Attribute) and node.attr == "_folder" and "seal" in ast.unparse(node.value)
            if asked or below or inside:
                found.append(f"{path.relative_to(LIBRARY)}:{node.lineno}: {ast.unparse(node)}")
    assert not found, "take Store.open(week): it checks what it gives out"
