"""Every kind of damage is found and named, nothing else is, and the verifier that runs alone agrees."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gazette.editions import Store, Week, read_public_keys, read_signer, verifier, verify_editions
from gazette.errors import EditionError, WrongUseError
from program import writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazette.editions import Checked, Manifest, Signer

W45, W46, W47 = map(Week.parse, ("2026-W45", "2026-W46", "2026-W47"))
WEEKS = (W45, W46, W47)
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
FILES = {
    "site/index.html": "<p>page</p>",
    "site/search.json": "[]",
    "site/models/m.html": "<p>model</p>",
    "notebooks/m.ipynb": "{}",
    "records/m.json": '{"numbers": []}',
    "snapshot/m/days.parquet": "PAR1 rows PAR1",
    "snapshot/m/days.sql": "SELECT 1",
    "params/site.yml": "title: T",
    "edition.json": "{}",
}


def seal(store: Store, week: Week, text: str = "", *, signer: Signer | None = None) -> Manifest:
    staging = store.staging(week)
    for name, content in FILES.items():
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text(content + str(week) + text)
    manifest = store.seal(staging, week, versions={"python": "3"}, facts={"headline": "h"}, signer=signer)
    writable(store.path(week))  # tests spoil it
    return manifest


def chain(root: Path, *weeks: Week, signer: Signer | None = None, text: str = "") -> Store:
    store = Store(root)
    for week in weeks:
        seal(store, week, text, signer=signer)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return chain(tmp_path / "editions", *WEEKS)


def alone(folder: Path, *more: str, code: int | None = None) -> dict[str, object]:
    """What the verifier says, in an interpreter that cannot see the library or anything that is installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", verifier.__file__, str(folder), "--json", *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, 1}, done.stderr
    assert code is None or done.returncode == code
    found: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == bool(found["problems"])
    return found


def damage(store: Store, keys: frozenset[bytes] = frozenset()) -> list[tuple[str, str, str]]:
    """What `verify_editions` finds; the verifier that runs alone must find the very same."""
    found = verify_editions(store, keys=keys)
    given_keys = [part for key in sorted(keys) for part in ("--key", key.hex())]
    assert alone(store.root, *given_keys)["problems"] == [p._asdict() for p in found.problems]
    return [(p.edition, p.file, p.what) for p in found.problems]


def flip(path: Path, at: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.write_bytes(data)


def test_sound_editions_have_no_problem(store: Store) -> None:
    assert damage(store) == []
    found = verify_editions(store)
    assert found.editions == tuple(map(str, WEEKS))
    assert found.files == 3 * len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_located_with_both_digests(store: Store, name: str) -> None:
    path = store.path(W46) / name
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    flip(path)
    assert damage(store) == [("2026-W46", name, "changed")]
    (problem,) = verify_editions(store).problems
    assert (problem.recorded, problem.found) == (before, hashlib.sha256(path.read_bytes()).hexdigest())
    assert before in str(problem)
    assert problem.found in str(problem)


def test_a_changed_byte_anywhere_in_a_manifest_is_that_manifest_s_alone(store: Store) -> None:
    path = store.path(W46) / "manifest.json"
    whole = path.read_bytes()
    for at in range(len(whole)):
        flip(path, at)
        found = verify_editions(store).problems
        assert [(p.edition, p.file) for p in found] == [("2026-W46", "manifest.json")], (at, found)
        path.write_bytes(whole)
    assert damage(store) == []


def test_white_space_of_a_manifest_counts(store: Store) -> None:
    path = store.path(W46) / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert damage(store) == [("2026-W46", "manifest.json", "its digest does not fit its content")]


@pytest.mark.parametrize("kept", [0, 1, 60, 400, -1])
def test_a_truncated_manifest_is_named(store: Store, kept: int) -> None:
    path = store.path(W46) / "manifest.json"
    path.write_bytes(path.read_bytes()[:kept])
    ((edition, file, _),) = damage(store)
    assert (edition, file) == ("2026-W46", "manifest.json")


@pytest.mark.parametrize(
    "text", ["null", "[]", "1", '{"digest": 3}', "[" * 100_000, "\x00", '{"a": NaN}', "<script>", "{}" * 9]
)
def test_malformed_json_is_a_problem_and_no_crash(store: Store, text: str) -> None:
    (store.path(W46) / "manifest.json").write_text(text)
    ((edition, file, _),) = damage(store)
    assert (edition, file) == ("2026-W46", "manifest.json")


def forge(store: Store, week: Week, **changes: object) -> None:
    """A manifest with a digest that fits it, whatever it says."""
    path = store.path(week) / "manifest.json"
    content = {**json.loads(path.read_text()), **changes}
    content.pop("digest")
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(f'{{\n "digest": "{digest}",\n' + text.removeprefix("{\n"))


@pytest.mark.parametrize(
    "changes",
    [{"schema": "other"}, {"files": []}, {"files": {"a": 1}}, {"previous": "x"}, {"edition": None}, {"signer": 4}],
)
def test_a_manifest_with_a_fitting_digest_and_other_types_is_malformed(
    store: Store, changes: dict[str, object]
) -> None:
    forge(store, W46, **changes)
    ((edition, file, what),) = damage(store)
    assert (edition, file) == ("2026-W46", "manifest.json")
    assert what.startswith("malformed")


@pytest.mark.parametrize("name", FILES)
def test_a_dropped_file_is_named(store: Store, name: str) -> None:
    (store.path(W46) / name).unlink()
    assert damage(store) == [("2026-W46", name, "missing")]


@pytest.mark.parametrize("name", ["extra", "site/data/x.csv", "snapshot/m/.hidden", "params/manifest.json", "a\nb"])
def test_an_added_file_is_named(store: Store, name: str) -> None:
    path = store.path(W46) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert damage(store) == [("2026-W46", name, "not in the manifest")]


def test_a_dropped_manifest_is_named(store: Store) -> None:
    (store.path(W46) / "manifest.json").unlink()
    assert damage(store) == [("2026-W46", "manifest.json", "missing")]


def test_two_swapped_editions_are_both_named(store: Store) -> None:
    store.path(W45).rename(store.root / "x")
    store.path(W46).rename(store.path(W45))
    (store.root / "x").rename(store.path(W46))
    assert damage(store) == [
        ("2026-W45", "manifest.json", "this is the manifest of 2026-W46"),
        ("2026-W46", "manifest.json", "this is the manifest of 2026-W45"),
    ]


def sealed_again(store: Store, week: Week) -> None:
    """Another edition in its place, sound in itself."""
    other = chain(store.root.parent / "other", *[w for w in WEEKS if w < week])
    seal(other, week, "rewritten")
    shutil.rmtree(writable(store.path(week)))
    shutil.copytree(other.path(week), store.path(week))


@pytest.mark.parametrize("week", [W45, W46])
def test_an_edition_that_was_sealed_again_is_named_by_the_one_after_it(store: Store, week: Week) -> None:
    recorded = store.manifest(week).digest
    sealed_again(store, week)
    ((edition, file, what),) = damage(store)
    assert (edition, file) == (str(week), "manifest.json")
    assert f"replaced by another edition: {week.next()} names another" in what
    (problem,) = verify_editions(store).problems
    assert (problem.recorded, problem.found) == (recorded, store.manifest(week).digest)


def test_the_newest_edition_sealed_again_is_known_from_what_was_published(store: Store) -> None:
    for week in WEEKS:
        store.mark_published(week)
    sealed_again(store, W47)
    ((edition, _, what),) = damage(store)
    assert edition == "2026-W47"
    assert "when it was published it had another manifest" in what


def test_a_replaced_edition_is_said_once_though_two_know_of_it(store: Store) -> None:
    for week in WEEKS:
        store.mark_published(week)
    sealed_again(store, W46)
    assert [p[0] for p in damage(store)] == ["2026-W46"]


@pytest.mark.parametrize("week", [W45, W46])
def test_a_missing_edition_breaks_the_chain(store: Store, week: Week) -> None:
    shutil.rmtree(writable(store.path(week)))
    ((edition, _, what),) = damage(store)
    assert edition == str(week)
    assert f"is missing; {week.next()} names" in what


def test_the_newest_edition_missing_is_known_from_what_was_published(store: Store) -> None:
    store.mark_published(W47)
    shutil.rmtree(writable(store.path(W47)))
    ((edition, _, what),) = damage(store)
    assert edition == "2026-W47"
    assert "is missing; when it was published" in what


def test_an_edition_put_between_two_others_is_named(tmp_path: Path) -> None:
    store = chain(tmp_path / "editions", W45, W47)
    other = chain(tmp_path / "other", W45, W46)
    shutil.copytree(other.path(W46), store.path(W46))
    ((edition, _, what),) = damage(store)
    assert edition == "2026-W46"
    assert "not part of the chain: 2026-W47 names 2026-W45" in what


def test_a_chain_broken_by_hand_is_named(store: Store) -> None:
    forge(store, W47, previous={"edition": "2026-W46", "digest": "0" * 64})
    ((edition, _, what),) = damage(store)
    assert edition == "2026-W46"
    assert "2026-W47 names another manifest" in what


def test_a_marker_that_holds_no_digest_is_named(store: Store) -> None:
    store.mark_published(W46)
    (store.root / ".published" / "2026-W46").write_text("")
    assert damage(store) == [("2026-W46", ".published/2026-W46", "malformed or unreadable: it holds no digest")]


def test_links_are_named_and_never_followed(store: Store, tmp_path: Path) -> None:
    path = store.path(W46) / "records" / "m.json"
    path.rename(tmp_path / "m.json")
    path.symlink_to(tmp_path / "m.json")
    (store.path(W45) / "loop").symlink_to(store.path(W45))
    assert damage(store) == [
        ("2026-W45", "loop", "a symbolic link; sealed editions hold none"),
        ("2026-W46", "records/m.json", "a symbolic link; sealed editions hold none"),
    ]


def test_a_link_in_place_of_a_manifest_or_of_an_edition_is_named(store: Store, tmp_path: Path) -> None:
    (store.path(W45) / "manifest.json").rename(tmp_path / "m")
    (store.path(W45) / "manifest.json").symlink_to(tmp_path / "m")
    store.path(W46).rename(tmp_path / "e")
    store.path(W46).symlink_to(tmp_path / "e")
    assert [(e, f) for e, f, _ in damage(store)] == [("2026-W45", "manifest.json"), ("2026-W46", "")]


def test_a_pipe_is_named_and_not_waited_for(store: Store) -> None:
    os.mkfifo(store.path(W46) / "site" / "pipe")
    assert damage(store) == [("2026-W46", "site/pipe", "not a regular file")]


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user to whom the rights of files apply."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_cannot_be_read_is_named_and_the_rest_is_checked() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        store = chain(Path(place) / "editions", *WEEKS)
        (store.path(W45) / "records" / "m.json").chmod(0)
        (store.path(W46) / "snapshot").chmod(0)
        (store.path(W47) / "manifest.json").chmod(0)
        with without_rights():
            found = verify_editions(store).problems
        for path in (store.path(W46) / "snapshot", store.path(W45) / "records" / "m.json"):
            path.chmod(stat.S_IRWXU)
    assert [(p.edition, p.file, p.what) for p in found] == [
        ("2026-W45", "records/m.json", "cannot be read: Permission denied"),
        ("2026-W46", "snapshot/", "the folder cannot be read: Permission denied"),
        ("2026-W47", "manifest.json", "cannot be read: Permission denied"),
    ]


def test_one_edition_alone_is_checked_with_the_whole_chain(store: Store) -> None:
    flip(store.path(W45) / "edition.json")
    assert verify_editions(store, [W47]).problems == ()
    sealed_again(store, W46)
    assert [p.edition for p in verify_editions(store, [W47]).problems] == ["2026-W46"]


def test_a_missing_edition_and_an_empty_store_say_what_there_is(store: Store, tmp_path: Path) -> None:
    with pytest.raises(EditionError, match=r"no edition 2026-W48(?s:.*)2026-W45, 2026-W46, 2026-W47"):
        verify_editions(store, [W47.next()])
    with pytest.raises(EditionError, match="no edition to verify"):
        verify_editions(Store(tmp_path / "none"))


class TestPublished:
    @pytest.fixture
    def site(self, store: Store, tmp_path: Path) -> Path:
        for week in WEEKS:
            place = tmp_path / "site" / "editions" / str(week)
            shutil.copytree(store.path(week) / "site", place)
            shutil.copyfile(store.path(week) / "manifest.json", place / "manifest.json")
            store.mark_published(week)
        return tmp_path / "site" / "editions"

    def test_a_whole_copy_has_no_problem(self, store: Store, site: Path) -> None:
        found = verify_editions(store, published=site)
        assert found.problems == ()
        assert found.files == 3 * len(FILES) + 3 * 3
        for folder in (site, site.parent, site / "2026-W46"):
            assert alone(folder)["problems"] == []

    @pytest.mark.parametrize("name", ["index.html", "search.json", "models/m.html", "manifest.json"])
    def test_one_changed_byte_is_located(self, store: Store, site: Path, name: str) -> None:
        flip(site / "2026-W46" / name)
        (problem,) = verify_editions(store, published=site).problems
        assert (problem.edition, problem.file, problem.copy) == ("2026-W46", name, "published")
        ((one),) = alone(site)["problems"]  # type: ignore[misc]
        assert (one["edition"], one["file"]) == ("2026-W46", name)

    def test_dropped_added_replaced_and_missing_copies(self, store: Store, site: Path) -> None:
        (site / "2026-W45" / "index.html").unlink()
        (site / "2026-W45" / "extra.html").write_text("")
        shutil.rmtree(site / "2026-W46")
        other = seal(Store(store.root.parent / "other"), W47, "rewritten")
        shutil.copyfile(store.root.parent / "other" / "2026-W47" / "manifest.json", site / "2026-W47" / "manifest.json")
        found = verify_editions(store, published=site).problems
        assert [(p.edition, p.file, p.what) for p in found if p.edition != "2026-W47"] == [
            ("2026-W45", "extra.html", "not in the manifest"),
            ("2026-W45", "index.html", "missing"),
            ("2026-W46", "", "missing; the edition was published"),
        ]
        assert ("manifest.json", "not the manifest of the sealed edition", other.digest) in [
            (p.file, p.what, p.found) for p in found if p.edition == "2026-W47"
        ]

    def test_no_site_is_said(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(EditionError, match="no published site"):
            verify_editions(store, published=tmp_path / "nothing")


class TestSignatures:
    """Seeds and keys of RFC 8032, section 7.1."""

    @pytest.fixture
    def signer(self) -> Signer:
        return read_signer(SEED)

    @pytest.fixture
    def keys(self, signer: Signer) -> frozenset[bytes]:
        return frozenset({bytes.fromhex(signer.public)})

    @pytest.fixture
    def signed(self, tmp_path: Path, signer: Signer) -> Store:
        return chain(tmp_path / "editions", *WEEKS, signer=signer)

    def test_signed_editions_are_sound_with_and_without_a_trusted_key(
        self, signed: Store, signer: Signer, keys: frozenset[bytes]
    ) -> None:
        assert signer.public == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        assert damage(signed) == damage(signed, keys) == []
        assert dict(verify_editions(signed).signers) == dict.fromkeys(map(str, WEEKS), signer.public)
        assert signed.check(W46) == []

    def test_the_signature_is_outside_the_digest_and_always_the_same(self, signed: Store, tmp_path: Path) -> None:
        again = chain(tmp_path / "again", *WEEKS, signer=read_signer(SEED))
        for name in ("manifest.json", "manifest.sig"):
            assert (again.path(W47) / name).read_bytes() == (signed.path(W47) / name).read_bytes()
        assert "manifest.sig" not in signed.manifest(W47).files

    def test_a_changed_byte_of_a_signature_is_named(self, signed: Store) -> None:
        path = signed.path(W46) / "manifest.sig"
        whole = path.read_bytes()
        for at in range(0, len(whole), 7):
            flip(path, at)
            assert [p.file for p in verify_editions(signed).problems] == ["manifest.sig"], at
            path.write_bytes(whole)
        flip(path)
        ((edition, file, what),) = damage(signed)
        assert (edition, file) == ("2026-W46", "manifest.sig")
        assert "does not fit the manifest" in what

    @pytest.mark.parametrize("content", [b"", b"x" * 63, b"x" * 65, b"\xff" * 64])
    def test_a_signature_of_another_form_is_named(self, signed: Store, content: bytes) -> None:
        (signed.path(W46) / "manifest.sig").write_bytes(content)
        assert [(e, f) for e, f, _ in damage(signed)] == [("2026-W46", "manifest.sig")]

    def test_a_dropped_signature_is_named(self, signed: Store) -> None:
        (signed.path(W46) / "manifest.sig").unlink()
        ((_, file, what),) = damage(signed)
        assert file == "manifest.sig"
        assert what.startswith("missing; the manifest was signed")

    def test_an_added_signature_is_named(self, store: Store) -> None:
        (store.path(W46) / "manifest.sig").write_bytes(b"x" * 64)
        assert [(e, f) for e, f, _ in damage(store)] == [("2026-W46", "manifest.sig")]

    def test_the_newest_edition_sealed_again_without_a_signature_is_named(
        self, signed: Store, keys: frozenset[bytes]
    ) -> None:
        sealed_again(signed, W47)
        # what it names before it is an unsigned chain of another store
        assert [(e, f) for e, f, _ in damage(signed, keys) if e == "2026-W47"] == [("2026-W47", "manifest.sig")]

    def test_one_signed_by_another_key_is_named(self, tmp_path: Path, signer: Signer, keys: frozenset[bytes]) -> None:
        store = chain(tmp_path / "editions", W45, W46, signer=signer)
        seal(store, W47, signer=read_signer("1" * 64))
        assert damage(store) == []
        ((edition, file, what),) = damage(store, keys)
        assert (edition, file, what) == ("2026-W47", "manifest.sig", "made with a key that is not trusted")

    def test_unsigned_editions_are_vouched_for_by_a_later_signed_one_only(
        self, tmp_path: Path, signer: Signer, keys: frozenset[bytes]
    ) -> None:
        store = chain(tmp_path / "editions", W45)
        seal(store, W46, signer=signer)
        assert damage(store, keys) == []
        seal(store, W47)
        assert [(e, f) for e, f, _ in damage(store, keys)] == [("2026-W47", "manifest.sig")]

    def test_keys_that_openssl_makes(self, tmp_path: Path) -> None:
        if not shutil.which("openssl"):
            pytest.skip("not run: openssl is not on PATH")
        private, public = tmp_path / "gazette.key", tmp_path / "gazette.pub"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
        store = chain(tmp_path / "editions", *WEEKS, signer=read_signer(str(private)))
        assert damage(store, read_public_keys([str(public)])) == []
        assert alone(store.path(W46), "--key", str(public))["problems"] == []
        manifest = store.path(W46) / "manifest.json"
        said = subprocess.run(
            [
                "openssl",
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                public,
                "-rawin",
                "-in",
                manifest,
                "-sigfile",
                manifest.with_suffix(".sig"),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "Verified Successfully" in said

    @pytest.mark.parametrize(
        "text", ["", "no such file", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
    )
    def test_a_signing_key_that_cannot_be_used_says_how_to_make_one(self, text: str) -> None:
        with pytest.raises(WrongUseError, match="openssl genpkey"):
            read_signer(text)

    @pytest.mark.parametrize(
        "text", ["nowhere", "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----", "-----BEGIN X"]
    )
    def test_a_public_key_that_cannot_be_used_is_refused(self, text: str) -> None:
        with pytest.raises(WrongUseError, match="public key"):
            read_public_keys([text])

    @pytest.mark.parametrize(
        ("public", "message", "signature"),
        [
            (
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ],
        ids=["empty", "one byte", "two bytes"],
    )
    def test_vectors_of_rfc_8032(self, public: str, message: str, signature: str) -> None:
        key, text, sign = map(bytes.fromhex, (public, message, signature))
        assert verifier.signed_by(key, text, sign)
        assert not verifier.signed_by(key, text + b"x", sign)
        assert not verifier.signed_by(key, text, sign[:-1] + bytes([sign[-1] ^ 1]))
        order = 2**252 + 27742317777372353535851937790883648493
        other = (int.from_bytes(sign[32:], "little") + order).to_bytes(32, "little")
        assert not verifier.signed_by(key, text, sign[:32] + other), "a signature is not malleable"

    @settings(max_examples=40, deadline=None)
    @given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511))
    def test_it_agrees_with_cryptography(self, seed: bytes, message: bytes, bit: int) -> None:
        key = Ed25519PrivateKey.from_private_bytes(seed)
        public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))
        assert verifier.signed_by(public, message, bytes(signature))
        signature[bit // 8] ^= 1 << bit % 8
        assert not verifier.signed_by(public, message, bytes(signature))


class TestAlone:
    def test_it_imports_the_standard_library_only_and_is_python_3_8(self) -> None:
        tree = ast.parse(Path(verifier.__file__).read_text(), feature_version=(3, 8))
        names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert {n.split(".")[0] for n in names} <= set(sys.stdlib_module_names)
        newer = {"removeprefix", "removesuffix", "file_digest", "pairwise", "is_relative_to", "readlink", "hardlink_to"}
        assert newer.isdisjoint(n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute))

    def test_a_part_of_an_edition_is_checked_as_far_as_it_goes(self, store: Store, tmp_path: Path) -> None:
        pack = tmp_path / "pack"
        (pack / "records").mkdir(parents=True)
        for name in ("manifest.json", "records/m.json"):
            shutil.copyfile(store.path(W46) / name, pack / name)
        assert alone(pack, code=1)["problems"]
        found = alone(pack, "--partial", code=0)
        assert (found["editions"], found["files"], found["absent"]) == (["2026-W46"], 1, len(FILES) - 1)
        flip(pack / "records" / "m.json")
        ((one),) = alone(pack, "--partial", code=1)["problems"]  # type: ignore[misc]
        assert (one["edition"], one["file"]) == ("2026-W46", "records/m.json")

    def test_it_says_in_words_what_is_wrong(self, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
        flip(store.path(W46) / "edition.json")
        assert verifier.main([str(store.root)]) == 1
        text = capsys.readouterr().out
        assert "2026-W46: edition.json: changed\n    recorded: " in text
        assert "3 editions, 27 files compared, 1 problem" in text

    @pytest.mark.parametrize("make", [lambda _: None, Path.mkdir, Path.touch], ids=["missing", "empty", "a file"])
    def test_a_folder_that_holds_no_edition_is_wrong_use(
        self, tmp_path: Path, make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        make(tmp_path / "x")
        assert verifier.main([str(tmp_path / "x")]) == 2
        assert capsys.readouterr().err.startswith("verify: ")


def test_what_is_found_is_whole(store: Store) -> None:
    """Several kinds of damage at once are each named."""
    flip(store.path(W45) / "edition.json")
    (store.path(W46) / "site" / "index.html").unlink()
    (store.path(W47) / "stray").write_text("")
    found: Checked = verify_editions(store)
    assert len(found.problems) == len(damage(store)) == 3
