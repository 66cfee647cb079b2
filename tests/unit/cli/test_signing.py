"""Signed manifests, made with a chain of our own and read back by C2PA's reader."""

import dataclasses
import importlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image
from s2edit_cli import composite, openraster, pictures, targets, writing
from s2edit_cli.marking import marking
from s2edit_marks import credential, terms
from s2edit_marks import manifests as c2pa_manifests
from s2edit_wire.errors import WireError

c2pa: Any = importlib.import_module("c2pa")
KINDS = {"png": "png", "jpg": "jpeg", "webp": "webp", "tif": "tiff"}
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PEM = serialization.Encoding.PEM


def certificate(subject: str, key: Key, issuer: str, issuer_key: Key, *, days: int = 30, top: bool = False) -> bytes:
    """A certificate that C2PA accepts for signing (or, with `top`, as the chain's root), as PEM."""
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=top, crl_sign=top, decipher_only=False, **unused)
    now = datetime.now(UTC)
    draft = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=top, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not top:
        draft = draft.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    algorithm = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return draft.sign(issuer_key, algorithm).public_bytes(PEM)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "S2Edit's tests"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


def pem(key: Key, password: bytes = b"") -> bytes:
    """The key as OpenSSL's older tools write it."""
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    ed = isinstance(key, ed25519.Ed25519PrivateKey)
    form = serialization.PrivateFormat.PKCS8 if password or ed else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(PEM, form, lock)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with a chain and a key in it."""
    folder = tmp_path / "state"
    monkeypatch.setenv("S2EDIT_HOME", str(folder))
    (folder / "signing").mkdir(parents=True)
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top = certificate("root", root, "root", root, top=True)
    (folder / "root.pem").write_bytes(top)
    put(folder, certificate("painter", key, "root", root) + top, pem(key))
    return folder


def put(home: Path, chain: bytes, key: bytes) -> None:
    """Set these up for signing."""
    (home / "signing" / "chain.pem").write_bytes(chain)
    (home / "signing" / "key.pem").write_bytes(key)
    (home / "signing" / "key.pem").chmod(0o600)


def drawing(path: Path, seed: int = 0) -> pictures.Picture:
    """A picture file of noise, opened."""
    samples = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    image: Any = pyvips.Image.new_from_array(samples)
    image.copy(interpretation="srgb").write_to_file(str(path))
    return pictures.open_picture(path)


def manifests(path: Path, home: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """(all manifests, the active one, the validation state) as C2PA's reader tells them, our root being trusted."""
    settings = {"trust": {"user_anchors": (home / "root.pem").read_text()}, **c2pa_manifests.SETTINGS}
    with c2pa.Context.from_dict(settings) as context, path.open("rb") as file:
        with c2pa.Reader(f"image/{KINDS[path.suffix[1:]]}", file, context=context) as reader:
            told = json.loads(reader.json())
    return told["manifests"], told["manifests"][told["active_manifest"]], told["validation_state"]


@pytest.mark.parametrize("ending", KINDS)
def test_a_signed_picture_names_its_source_and_the_models_hand(ending: str, home: Path, tmp_path: Path) -> None:
    source, out = drawing(tmp_path / f"in.{ending}"), tmp_path / f"out.{ending}"
    before = source.path.read_bytes()
    writing.save(source.image.invert(), out, marking(source, out))
    _, manifest, state = manifests(out, home)
    assert state == "Trusted"
    assert manifest["signature_info"]["common_name"] == "painter" and manifest["title"] == out.name
    (ingredient,) = manifest["ingredients"]
    assert (ingredient["title"], ingredient["relationship"]) == (source.path.name, "parentOf")
    assert "thumbnail" not in ingredient and "thumbnail" not in manifest
    (actions,) = (entry["data"]["actions"] for entry in manifest["assertions"] if "actions" in entry["label"])
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == terms.SOURCE_TYPE
    written = pictures.open_picture(out).image
    assert terms.SOURCE_TYPE.encode() in bytes(written.get("xmp-data"))
    if ending != "jpg":
        assert np.array_equal(written.numpy(), source.image.invert().numpy())
    assert source.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.path.name, out.name, "state"]


@pytest.mark.parametrize("ending", KINDS)
def test_an_inputs_manifest_lives_through_three_edits(ending: str, home: Path, tmp_path: Path) -> None:
    titles = [f"{name}.{ending}" for name in ("camera", "first", "second", "third")]
    camera, *edits = (tmp_path / title for title in titles)
    drawing(camera)
    photographed(camera, KINDS[ending])
    before = camera
    for count, out in enumerate(edits, 2):
        opened = pictures.open_picture(before)
        writing.save(opened.image, out, marking(opened, out))
        chain, manifest, state = manifests(out, home)
        assert state == "Trusted" and len(chain) == count
        found = [manifest["title"]]
        while parents := [part for part in manifest.get("ingredients", ()) if part["relationship"] == "parentOf"]:
            (parent,) = parents
            # The first reader, at signing, knew of no anchor; of nothing else it complains.
            failures = parent.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
            assert {failure["code"] for failure in failures} <= {"signingCredential.untrusted"}
            if "active_manifest" not in parent:
                break
            manifest = chain[parent["active_manifest"]]
            found.append(manifest["title"])
        assert found == titles[count - 1 :: -1]
        assert manifest["claim_generator_info"][0]["name"] == "A camera"
        before = out


def photographed(file: Path, kind: str) -> None:
    """Give the file a manifest as a camera would."""
    by = credential.identity()
    assert by is not None
    info = c2pa.C2paSignerInfo(by.algorithm, by.chain, by.key, None)
    claim: dict[str, Any] = {"claim_generator_info": [{"name": "A camera"}], "title": file.name}
    captured = {"action": "c2pa.created", "digitalSourceType": terms.NEWSCODES + "digitalCapture"}
    claim["assertions"] = [{"label": "c2pa.actions.v2", "data": {"actions": [captured]}}]
    signed = io.BytesIO()
    with (
        c2pa.Context.from_dict(c2pa_manifests.SETTINGS) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(claim, context=context) as builder,
        file.open("rb") as unsigned,
    ):
        builder.sign(signer, f"image/{kind}", unsigned, signed)
    file.write_bytes(signed.getvalue())


def test_a_changed_pixel_breaks_the_signature(home: Path, tmp_path: Path) -> None:
    source, out = drawing(tmp_path / "in.tif"), tmp_path / "out.tif"
    writing.save(source.image, out, marking(source, out))
    data = bytearray(out.read_bytes())
    data[200] ^= 1  # within the strip of pixels that follows the header
    out.write_bytes(data)
    assert manifests(out, home)[2] == "Invalid"


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


@pytest.mark.parametrize("ending", KINDS)
def test_what_came_with_the_source_is_kept_beside_an_unsigned_result(ending: str, home: Path, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.{ending}" for name in ("first", "second", "third"))
    source = drawing(tmp_path / f"in.{ending}")
    writing.save(source.image, first, marking(source, first))
    edited = pictures.open_picture(first)
    told = writing.save(edited.image, second, marking(edited, second, without=frozenset({"c2pa"})))
    assert b"c2pa" not in second.read_bytes().replace(b"c2pa.org", b"")
    assert told.c2pa == "switched off" and told.sidecar == str(tmp_path / "second.source.c2pa")
    assert "second.source.c2pa" in told.sentences[-1] and "Nobody can check" in told.sentences[0]
    with c2pa.Reader("application/c2pa", io.BytesIO(Path(told.sidecar).read_bytes())) as reader:
        kept = json.loads(reader.json())
    assert kept["manifests"][kept["active_manifest"]]["title"] == first.name
    # An unsigned source has nothing to keep; what lies there already is not overwritten.
    (tmp_path / "third.source.c2pa").write_bytes(b"a painter's own")
    told = writing.save(edited.image, third, marking(edited, third, without=frozenset({"c2pa"})))
    assert told.sidecar == str(tmp_path / "third-2.source.c2pa")
    assert (tmp_path / "third.source.c2pa").read_bytes() == b"a painter's own"
    told = writing.save(source.image, third, marking(source, third, without=frozenset({"c2pa"})))
    assert told.sidecar is None


@pytest.mark.parametrize("ending", KINDS)
@pytest.mark.parametrize("harm", ["cut", "flipped", "zeroed"])
def test_a_source_with_a_damaged_manifest_is_edited_all_the_same(
    harm: str, ending: str, home: Path, tmp_path: Path
) -> None:
    for file in (home / "signing").iterdir():
        file.unlink()
    source, signed, out = drawing(tmp_path / f"in.{ending}"), tmp_path / f"s.{ending}", tmp_path / f"out.{ending}"
    writing.save(source.image, signed, marking(source, signed))
    data = signed.read_bytes()
    at = data.index(b"c2pa.signature") + 40
    hurt = {"cut": data[: at + 100], "flipped": data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]}
    signed.write_bytes(hurt.get(harm, data[:at] + bytes(200) + data[at + 200 :]))
    opened = dataclasses.replace(source, path=signed)
    told = writing.save(source.image, out, marking(opened, out))
    # Where C2PA's library gives up, the picture is written, it is said why it is not signed, and what came is kept.
    assert out.exists() and (told.c2pa == "self-made" or told.c2pa in told.sentences)
    kept = Path(told.sidecar).read_bytes() if told.sidecar else b""
    assert told.c2pa == "self-made" or harm == "cut" or b"c2pa.signature" in kept


def test_what_is_told_of_the_edit(home: Path, tmp_path: Path) -> None:
    source, other, out = drawing(tmp_path / "in.png"), drawing(tmp_path / "hat.png", 1), tmp_path / "out.png"
    job = {"edit": {"model": "portraits", "target": "a secret hat"}}
    record = {"model_hash": "ab" * 32, "watermark": {"carried": True}}
    for tell in (False, True):
        writing.save(source.image, out, marking(source, out, job, record, tell_prompt=tell, others=(other,)))
        _, manifest, _ = manifests(out, home)
        (actions,) = (entry["data"]["actions"] for entry in manifest["assertions"] if "actions" in entry["label"])
        assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited", "c2pa.watermarked.unbound"]
        told = {"s2edit.model": "portraits", "s2edit.model_sha256": "ab" * 32}
        assert actions[1]["parameters"] == ({**told, "s2edit.prompt": "a secret hat"} if tell else told)
        assert (b"a secret hat" in out.read_bytes()) == tell
        relations = {(entry["title"], entry["relationship"]) for entry in manifest["ingredients"]}
        assert relations == {("in.png", "parentOf"), ("hat.png", "componentOf")}


def test_a_pngs_mark_stands_where_other_programs_look_for_it(tmp_path: Path) -> None:
    source, out, layers = drawing(tmp_path / "in.png"), tmp_path / "out.png", tmp_path / "out.ora"
    writing.save(source.image, out, marking(source, out))
    samples = np.zeros((48, 64, 1), np.uint8)
    layer = composite.native_layer(source, np.zeros((48, 64, 3), np.uint8), samples, (0, 0, 64, 48))
    openraster.save_layers(layers, source, source.image, layer, "nothing", marking(source, layers))
    with zipfile.ZipFile(layers) as archive:
        merged = io.BytesIO(archive.read("mergedimage.png"))
    for file in (out, merged):
        with Image.open(file) as picture:
            picture.load()
            # An uncompressed iTXt chunk's text, whose byte order mark is one character.
            packet = picture.info["XML:com.adobe.xmp"]
            assert packet.startswith("<?xpacket begin='\ufeff'".replace("'", '"'))
            assert terms.SOURCE_TYPE in packet
            assert np.array_equal(np.asarray(picture), source.image.numpy())


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
