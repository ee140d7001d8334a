"""Check sealed editions with Python's standard library alone (3.8 or later): no Gazette, no network, nothing is changed.

    python verify.py FOLDER [--key KEY] [--partial] [--json]

FOLDER is one edition, the published copy of one, or a folder that holds many. Every file is compared with the digest that the
edition's manifest recorded, every manifest with the one before it that it names, every signature (Ed25519) with the manifest. KEY is
a public key that you trust: a file (PEM, as openssl writes it) or its 64 hexadecimal digits. ``--partial`` is for copies that hold
only some of the files. Exit code: 0 when all is as it was sealed, 1 when something is not, 2 on wrong use.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = [
    "MANIFEST",
    "SCHEMA",
    "SIGNATURE",
    "Checked",
    "Problem",
    "Seal",
    "chain_problems",
    "check_folder",
    "check_many",
    "digest_of",
    "digests_below",
    "edition_folders",
    "main",
    "public_key_of",
    "read_seal",
    "signed_by",
]

SCHEMA = "gazette.manifest/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MARKERS = ".published"
WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")
DIGEST = re.compile(r"[0-9a-f]{64}")
HEAD = re.compile(rb'\{\n "digest": "([0-9a-f]{64})",\n')  # keys are sorted, so the digest stands first
PEM = re.compile(r"-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
PREFIX = bytes.fromhex("302a300506032b6570032100")  # of an Ed25519 key in DER, RFC 8410


class Problem(NamedTuple):
    """Something that is not as it was sealed.

    Attributes: the edition; the file in it; what is wrong; the recorded digest and the one found, empty where there is none;
    which copy of the edition, ``sealed`` or ``published``.
    """

    edition: str
    file: str
    what: str
    recorded: str = ""
    found: str = ""
    copy: str = "sealed"

    def __str__(self) -> str:
        where = self.edition + (" (published copy)" if self.copy == "published" else "")
        digests = "".join(
            "\n    {:10}{}".format(name + ":", value)
            for name, value in (("recorded", self.recorded), ("found", self.found))
            if value
        )
        return f"{where}: {self.file}: {self.what}{digests}"


class Seal(NamedTuple):
    """What a sound manifest says; ``signer`` is the public key that it was signed with, None where it was not signed."""

    edition: str
    digest: str
    previous: tuple[str, str] | None
    files: Mapping[str, str]
    signer: str | None
    content: Mapping[str, Any]
    raw: bytes


class Checked(NamedTuple):
    """What a check found: editions looked at, files compared, files not in a partial copy, problems, signers by edition."""

    editions: tuple[str, ...]
    files: int
    absent: int
    problems: tuple[Problem, ...]
    signers: Mapping[str, str]


# -- Ed25519, as RFC 8032 (section 5.1) has it ----------------------------------------------------------------------------

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493  # order of the base point
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1
BITS = 256


def _point(text: bytes) -> tuple[int, int, int, int] | None:
    """Decode a point (5.1.3) to extended coordinates."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _add(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature of 64 bytes fits a message under a public key of 32 bytes (RFC 8032, 5.1.7)."""
    if len(public) != len(PREFIX) + 20 or len(signature) != 2 * len(public):
        return False
    key, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or BASE is None or s >= Q:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = _times(s, BASE), _add(r, _times(k, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def public_key_of(text: str) -> bytes:
    """The 32 bytes of a public key given as PEM or as 64 hexadecimal digits; ValueError where it is neither."""
    match = PEM.search(text)
    if match:
        try:
            der = base64.b64decode("".join(match[1].split()), validate=True)
        except binascii.Error as error:
            raise ValueError("its PEM is damaged") from error
        if not der.startswith(PREFIX) or len(der) != len(PREFIX) + 32:
            raise ValueError("it is a public key of another kind than Ed25519")
        return der[len(PREFIX) :]
    if DIGEST.fullmatch(text.strip().lower()):
        return bytes.fromhex(text.strip())
    raise ValueError("it is neither PEM nor 64 hexadecimal digits")


# -- files ----------------------------------------------------------------------------------------------------------------


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    total = hashlib.sha256()
    with path.open("rb") as stream:
        for part in iter(lambda: stream.read(1 << 20), b""):
            total.update(part)
    return total.hexdigest()


def digests_below(folder: Path, skip: Collection[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """Digest of every file below a folder, and what is wrong with those that have none (links, pipes, no right to read).

    Nothing but regular files is opened and no link is followed. A folder that cannot be read is named with a slash at its end.
    """
    found: dict[str, str] = {}
    faults: dict[str, str] = {}
    left = [""]
    while left:
        inside = left.pop()
        try:
            entries = sorted(os.scandir(folder / inside), key=lambda e: e.name)
        except OSError as error:
            faults[inside + "/"] = f"the folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            name = f"{inside}/{entry.name}" if inside else entry.name
            if name in skip:
                continue
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    left.append(name)
                elif stat.S_ISLNK(mode):
                    faults[name] = "a symbolic link; sealed editions hold none"
                elif not stat.S_ISREG(mode):
                    faults[name] = "not a regular file"
                else:
                    found[name] = digest_of(folder / name)
            except OSError as error:
                faults[name] = f"cannot be read: {error.strerror}"
    return found, faults


def read_seal(folder: Path, edition: str, copy: str = "sealed") -> Seal | Problem:
    """The manifest in a folder, or why it cannot be trusted."""
    path = folder / MANIFEST
    try:
        if path.is_symlink():
            return Problem(edition, MANIFEST, "a symbolic link; sealed editions hold none", copy=copy)
        raw = path.read_bytes()
    except FileNotFoundError:
        return Problem(edition, MANIFEST, "missing", copy=copy)
    except OSError as error:
        return Problem(edition, MANIFEST, f"cannot be read: {error.strerror}", copy=copy)
    head = HEAD.match(raw)
    recorded = head[1].decode() if head else ""
    found = hashlib.sha256(b"{\n" + raw[head.end() :]).hexdigest() if head else hashlib.sha256(raw).hexdigest()
    try:
        content = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        return Problem(edition, MANIFEST, f"truncated or not JSON: {error}", recorded, found, copy)
    if recorded != found:
        return Problem(edition, MANIFEST, "its digest does not fit its content", recorded, found, copy)
    try:
        before, signer = content["previous"], content.get("signer")
        seal = Seal(
            content["edition"],
            recorded,
            (before["edition"], before["digest"]) if before else None,
            content["files"],
            signer,
            content,
            raw,
        )
        texts = [seal.edition, *(seal.previous or ()), *([] if signer is None else [signer])]
        sound = content["schema"] == SCHEMA and all(isinstance(t, str) for t in texts) and isinstance(seal.files, dict)
        sound = sound and all(isinstance(d, str) and DIGEST.fullmatch(d) for d in seal.files.values())
    except (KeyError, TypeError, AttributeError) as error:
        return Problem(edition, MANIFEST, f"malformed: {error!r}", recorded, found, copy)
    return (
        seal if sound else Problem(edition, MANIFEST, "malformed: not a manifest of this kind", recorded, found, copy)
    )


def _is_published(folder: Path, seal: Seal) -> bool:
    """Whether a folder is a published copy, which holds the pages alone, without the folder around them."""
    inside = any(n.startswith("site/") for n in seal.files)
    return inside and not (folder / "site").is_dir() and (folder / "index.html").exists()


def check_files(folder: Path, edition: str, seal: Seal, *, copy: str, partial: bool = False) -> Checked:
    """Compare the files of one copy of an edition with its manifest."""
    recorded = dict(seal.files)
    if copy == "published":
        recorded = {n[len("site/") :]: d for n, d in recorded.items() if n.startswith("site/")}
    found, faults = digests_below(folder, skip=(MANIFEST, SIGNATURE))
    dark = tuple(n for n in faults if n.endswith("/"))
    problems, absent = [], 0
    for name in sorted({*recorded, *found, *faults}):
        before, now = recorded.get(name, ""), found.get(name, "")
        if name in faults:
            what = faults[name]
        elif before == now or (not now and any(name.startswith(d) or d == "/" for d in dark)):
            continue
        elif not now and partial:
            absent += 1
            continue
        else:
            what = "changed" if before and now else "missing" if before else "not in the manifest"
        problems.append(Problem(edition, name, what, before, now, copy))
    return Checked((edition,), len(recorded) - absent, absent, tuple(problems), {})


def check_signature(
    folder: Path,
    edition: str,
    seal: Seal,
    *,
    keys: Collection[bytes] = (),
    fits: Callable[[bytes, bytes, bytes], bool] = signed_by,
    copy: str = "sealed",
) -> Problem | None:
    """What is wrong with an edition's signature; one that has none, and says so, is not wrong."""
    path = folder / SIGNATURE
    there = path.exists() or path.is_symlink()
    if seal.signer is None:
        return Problem(edition, SIGNATURE, "not in the manifest, which was not signed", copy=copy) if there else None
    if not there:
        return Problem(edition, SIGNATURE, f"missing; the manifest was signed with key {seal.signer}", copy=copy)
    try:
        signature, key = path.read_bytes(), public_key_of(seal.signer)
    except OSError as error:
        return Problem(edition, SIGNATURE, f"cannot be read: {error.strerror}", copy=copy)
    except ValueError as error:
        return Problem(edition, MANIFEST, f"the key that it names is none: {error}", copy=copy)
    if not fits(key, seal.raw, signature):
        return Problem(edition, SIGNATURE, f"does not fit the manifest under key {seal.signer}", copy=copy)
    if keys and key not in keys:
        trusted = ", ".join(sorted(k.hex() for k in keys))
        return Problem(edition, SIGNATURE, "made with a key that is not trusted", trusted, seal.signer, copy)
    return None


# -- the chain ------------------------------------------------------------------------------------------------------------


def edition_folders(root: Path) -> list[str]:
    """Names of the editions below a folder, oldest first; whatever is named like a week counts, whole or not."""
    return sorted(e.name for e in os.scandir(root) if WEEK.fullmatch(e.name) and (e.is_dir() or e.is_symlink()))


def chain_problems(
    seals: Mapping[str, Seal | None], said: Mapping[tuple[str, str], Collection[str]] = MappingProxyType({})
) -> list[Problem]:
    """Where the chain of manifests is broken, said once, of the edition at fault.

    Args:
        seals: Edition to manifest, None where it is known to be wrong: what is said of it is said already.
        said: Edition and digest to what else says that this is its manifest, such as "when it was published it had".
    """
    weeks = sorted(seals)
    wrong: dict[tuple[str, str], list[str]] = {}  # edition and digest to those that name it
    for week in weeks:
        seal = seals[week]
        if seal is not None and seal.previous is not None:
            wrong.setdefault(seal.previous, []).append(f"{week} names")
    for key, others in said.items():
        wrong.setdefault(key, []).extend(others)
    problems = []
    for (week, digest), who in sorted(wrong.items()):
        if week not in seals:
            problems.append(Problem(week, MANIFEST, f"the edition is missing; {' and '.join(who)} this one", digest))
            continue
        seal = seals[week]
        if seal is not None and seal.digest != digest:
            what = f"replaced by another edition: {' and '.join(who)} another manifest"
            problems.append(Problem(week, MANIFEST, what, digest, seal.digest))
    for week, after in zip(weeks, weeks[1:]):
        seal, later = seals[week], seals[after]
        if seal is None or later is None or (later.previous or ("", ""))[0] == week:
            continue
        if later.previous is not None and later.previous[0] > week and later.previous[0] not in seals:
            continue  # the one between them is missing, and is named above
        names = later.previous[0] if later.previous else "no edition"
        problems.append(
            Problem(week, MANIFEST, f"not part of the chain: {after} names {names} before it", "", seal.digest)
        )
    return problems


def _markers(root: Path) -> tuple[dict[str, str], list[Problem]]:
    """What the store remembers of publishing."""
    found, problems = {}, []
    folder = root / MARKERS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not WEEK.fullmatch(path.name):
            continue
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            text = ""
        if DIGEST.fullmatch(text):
            found[path.name] = text
        else:
            problems.append(Problem(path.name, f"{MARKERS}/{path.name}", "malformed or unreadable: it holds no digest"))
    return found, problems


def check_many(
    root: Path,
    *,
    only: Collection[str] = (),
    keys: Collection[bytes] = (),
    fits: Callable[[bytes, bytes, bytes], bool] = signed_by,
    copy: str = "",
    partial: bool = False,
    named: Mapping[tuple[str, str], Collection[str]] = MappingProxyType({}),
    say: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Check a folder of editions.

    Args:
        root: The folder.
        only: Editions whose files are compared; by default all. The chain of manifests is always read whole.
        keys: Public keys that are trusted, 32 bytes each. With any, the newest edition must be signed; an older one that is not
            is vouched for by the next signed one, whose manifest leads back to it.
        fits: What checks a signature.
        copy: ``sealed`` or ``published``; empty: each folder is looked at.
        partial: Whether files may be absent.
        named: Edition and digest to what names this manifest beside the chain.
        say: Told of each edition before it is checked.
    """
    marked, problems = _markers(root)
    weeks = edition_folders(root)
    seals: dict[str, Seal | None] = {}
    signers: dict[str, str] = {}
    files, absent = 0, 0
    for week in weeks:
        folder = root / week
        if folder.is_symlink():
            seals[week] = None
            problems.append(Problem(week, "", "the edition is a symbolic link; sealed editions are folders"))
            continue
        seal = read_seal(folder, week, copy or "sealed")
        if isinstance(seal, Problem):
            seals[week] = None
            problems.append(seal)
            continue
        kind = copy or ("published" if _is_published(folder, seal) else "sealed")
        fault = check_signature(folder, week, seal, keys=keys, fits=fits, copy=kind)
        if seal.edition != week:
            fault = Problem(week, MANIFEST, f"this is the manifest of {seal.edition}", "", seal.digest, kind)
        if fault is not None:
            problems.append(fault)
        elif seal.signer:
            signers[week] = seal.signer
        placed = fault is None or fault.file == SIGNATURE
        seals[week] = seal._replace(raw=b"", content={}) if placed else None
        if not only or week in only:
            say(week)
            part = check_files(folder, week, seal, copy=kind, partial=partial)
            files, absent = files + part.files, absent + part.absent
            problems += part.problems
    said = {key: [f"{other} names" for other in others] for key, others in named.items()}
    for key in marked.items():
        said.setdefault(key, []).insert(0, "when it was published it had")
    problems += chain_problems(seals, said)
    if keys:
        newest = max(signers, default="")
        problems += [
            Problem(week, SIGNATURE, "not signed, and no later edition that is signed vouches for it")
            for week, seal in seals.items()
            if seal is not None and seal.signer is None and week > newest
        ]
    return Checked(tuple(only or weeks), files, absent, tuple(sorted(problems)), signers)


def check_folder(folder: Path, *, keys: Collection[bytes] = (), partial: bool = False) -> Checked:
    """Check one edition, in whatever folder it lies; the chain cannot be seen from it."""
    edition = folder.resolve().name
    seal = read_seal(folder, edition)
    if isinstance(seal, Problem):
        return Checked((edition,), 0, 0, (seal,), {})
    if WEEK.fullmatch(edition) and seal.edition != edition:
        what = f"this is the manifest of {seal.edition}"
        return Checked((edition,), 0, 0, (Problem(edition, MANIFEST, what, "", seal.digest),), {})
    copy = "published" if _is_published(folder, seal) else "sealed"
    found = check_files(folder, seal.edition, seal, copy=copy, partial=partial)
    fault = check_signature(folder, seal.edition, seal, keys=keys, copy=copy)
    if fault is None and keys and seal.signer is None:
        fault = Problem(seal.edition, SIGNATURE, "not signed", copy=copy)
    problems = (*found.problems, *([fault] if fault else []))
    signers = {seal.edition: seal.signer} if seal.signer and not fault else {}
    return found._replace(problems=problems, signers=signers)


def _keys(given: Iterable[str]) -> list[bytes]:
    keys = []
    for text in given:
        path = Path(text)
        is_hex = DIGEST.fullmatch(text.strip().lower())
        keys.append(public_key_of(text if is_hex else path.read_text(encoding="utf-8")))
    return keys


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="an edition, or a folder of editions")
    parser.add_argument("--key", action="append", default=[], help="a public key that you trust: a file, or 64 digits")
    parser.add_argument("--partial", action="store_true", help="files may be absent; those that are there are checked")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    try:
        keys = _keys(options.key)
        if (folder / MANIFEST).exists() or (folder.is_dir() and WEEK.fullmatch(folder.resolve().name)):
            checked = check_folder(folder, keys=keys, partial=options.partial)
        else:
            inside = folder if edition_folders(folder) else folder / "editions"
            if not edition_folders(inside):
                raise ValueError("it holds no edition")
            checked = check_many(inside, keys=keys, partial=options.partial)
    except (OSError, ValueError) as error:
        print(f"verify: {folder}: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({**checked._asdict(), "problems": [p._asdict() for p in checked.problems]}))
    else:
        lines = [str(p) for p in checked.problems]
        lines.append(
            f"{len(checked.editions)} editions, {checked.files} files compared, {len(lines)} problem{'s' * (len(lines) != 1)}"
        )
        if checked.absent:
            lines.append(f"{checked.absent} files of the editions are not in this copy")
        print("\n".join(lines).encode(errors="backslashreplace").decode())
    return 1 if checked.problems else 0


if __name__ == "__main__":
    sys.exit(main())
