"""Whose name is signed with: the user's own certificate and key, or a credential made here; and what can't sign."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from s2edit_cli import targets, writing
from s2edit_cli.marking import marking
from s2edit_marks import credential
from s2edit_marks import manifests as c2pa_manifests
from s2edit_wire.errors import WireError

from .signers import Key, certificate, drawing, manifests, pem, put, set_up


@pytest.fixture
def home(home: Path) -> Path:
    """The test's state folder with a chain and a key in it."""
    set_up(home)
    return home


def test_a_credential_of_ones_own_making_signs_where_the_user_has_none(home: Path, tmp_path: Path) -> None:
    for file in (home / "signing").iterdir():
        file.unlink()
    source, out = drawing(tmp_path / "in.png"), tmp_path / "out.png"
    assert writing.save(source.image, out, marking(source, out)).c2pa == "self-made"
    made = home / "signing" / credential.SELF_MADE
    assert sorted(file.name for file in made.iterdir()) == ["chain.pem", "key.pem"]
    if os.name == "posix":
        assert (made / "key.pem").stat().st_mode & 0o777 == 0o600 and made.stat().st_mode & 0o777 == 0o700
    told = c2pa_manifests.read(out, "image/png")
    assert told is not None and told.self_made and told.failures == ("signingCredential.untrusted",)
    assert (told.state, told.signer, told.chain) == ("Valid", credential.NAME, 1)
    again = credential.identity()
    assert again is not None and again.chain == (made / "chain.pem").read_bytes(), "made once"
    names = [name.rfc4514_string() for made in x509.load_pem_x509_certificates(again.chain) for name in (made.subject,)]
    plain = f"O={credential.ISSUER.replace(',', chr(92) + ',')}"
    wanted = [f"CN={credential.NAME},{plain}", f"CN={credential.NAME}\\, authority,{plain}"]
    assert names == wanted, "it says nothing of who or where"


def test_a_credential_of_ones_own_making_is_renewed_when_it_ends(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (home / "signing").iterdir():
        file.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(credential, "DAYS", 0)
        credential._make(home / "signing" / credential.SELF_MADE)
    ended = (home / "signing" / credential.SELF_MADE / "chain.pem").read_bytes()
    assert x509.load_pem_x509_certificates(ended)[0].not_valid_after_utc < datetime.now(UTC) + timedelta(seconds=1)
    monkeypatch.setattr(credential, "_now", lambda: datetime.now(UTC) + timedelta(minutes=1))
    renewed = credential.identity()
    assert renewed is not None and renewed.self_made and renewed.chain != ended
    # A key that others may read, or files that make no sense, are told and left alone.
    (home / "signing" / credential.SELF_MADE / "chain.pem").write_bytes(b"text")
    with pytest.raises(WireError, match="holds no certificate") as caught:
        credential.identity()
    assert credential.SELF_MADE in caught.value.hint


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ed25519.Ed25519PrivateKey.generate, "ed25519"),
        (lambda: rsa.generate_private_key(65_537, 2_048), "ps256"),
    ],
)
def test_other_kinds_of_key(make: Callable[[], Key], algorithm: str, home: Path, tmp_path: Path) -> None:
    root, key = ec.generate_private_key(ec.SECP256R1()), make()
    top = certificate("root", root, "root", root, top=True)
    (home / "root.pem").write_bytes(top)
    put(home, certificate("painter", key, "root", root) + top, pem(key))
    signer = credential.identity()
    assert signer is not None and signer.algorithm == algorithm
    source, out = drawing(tmp_path / "in.png"), tmp_path / "out.png"
    writing.save(source.image, out, marking(source, out))
    assert manifests(out, home)[2] == "Trusted"


def test_what_cannot_sign_is_told_before_the_work(home: Path, tmp_path: Path) -> None:
    folder, out = home / "signing", tmp_path / "out.png"
    chain, key = (folder / "chain.pem").read_bytes(), (folder / "key.pem").read_bytes()
    other, small = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP192R1())
    ended = certificate("old", other, "old", other, days=-1)
    wrong = {
        "password": (chain, pem(other, b"secret")),
        "no private key": (chain, b"text"),
        "no certificate": (b"text", key),
        "belong together": (chain, pem(other)),
        "ended on": (ended, pem(other)),
        "of a kind": (certificate("small", small, "small", small), pem(small)),
    }
    for words, (certificates, private) in wrong.items():
        put(home, certificates, private)
        with pytest.raises(WireError, match=words) as caught:
            targets.check_output(out, [], (".png",))
        assert caught.value.code == "bad_setting" and str(folder) in caught.value.hint
    put(home, chain, key)
    if os.name == "posix":
        (folder / "key.pem").chmod(0o644)
        with pytest.raises(WireError, match="others may read"):
            targets.check_output(out, [], (".png",))
    (folder / "key.pem").unlink()
    with pytest.raises(WireError, match=r"key\.pem” can't be read"):
        targets.check_output(out, [], (".png",))


def test_a_failure_while_signing_leaves_nothing(home: Path, tmp_path: Path) -> None:
    source, out = drawing(tmp_path / "in.png"), tmp_path / "out.png"
    key = ec.generate_private_key(ec.SECP256R1())
    # C2PA allows no chain of a lone root: its library finds that only when it signs.
    put(home, certificate("root", key, "root", key, top=True), pem(key))
    with pytest.raises(WireError, match="C2PA's library says") as caught:
        writing.save(source.image, out, marking(source, out))
    assert caught.value.code == "bad_setting"
    assert not out.exists() and sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "state"]
