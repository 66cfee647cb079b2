"""What the tests of signing share: certificates, a state folder to sign from, pictures, and C2PA's reader."""

import importlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from s2edit_cli import pictures
from s2edit_marks import manifests as c2pa_manifests

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


def set_up(folder: Path) -> None:
    """Put a chain and a key into a state folder, with the chain's root beside them."""
    (folder / "signing").mkdir(parents=True)
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top = certificate("root", root, "root", root, top=True)
    (folder / "root.pem").write_bytes(top)
    put(folder, certificate("painter", key, "root", root) + top, pem(key))


def put(home: Path, chain: bytes, key: bytes) -> None:
    """Set these up for signing."""
    (home / "signing" / "chain.pem").write_bytes(chain)
    (home / "signing" / "key.pem").write_bytes(key)
    (home / "signing" / "key.pem").chmod(0o600)


def drawing(path: Path, seed: int = 0) -> pictures.PictureFile:
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
