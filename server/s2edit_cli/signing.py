"""Content Credentials: a signed C2PA manifest in every picture that is written, once there is something to sign with.

Who wants it installs `s2edit[sign]` and puts two PEM files into `signing/` in the state folder: `chain.pem`, the
signer's certificate first, and `key.pem`, its private key. The manifest (C2PA specification 2.2) says that the source
was opened and edited with a model's help, and holds the source as its ingredient, with whatever manifest that has.
Nothing is asked of the network: no time stamp, no OCSP, no remote manifest.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_wire.errors import WireError
from s2edit_wire.paths import state_folder

from .provenance import SOURCE_TYPE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
"""C2PA's algorithms by the name of the key's curve (specification, section "Digital Signatures")."""
SETTINGS = {
    # A thumbnail of the source would show in the result what the edit took away.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Identity:
    """Whose name the pictures are signed with: C2PA's algorithm, certificate chain and private key as PEM."""

    algorithm: str
    chain: bytes
    key: bytes


def signing_folder() -> Path:
    """Where chain and key are looked for."""
    return state_folder() / "signing"


def identity(folder: Path | None = None) -> Identity | None:
    """The chain and key that the user put there; None when there are none, and pictures stay unsigned.

    Raises:
        WireError: bad_setting, when they are there but can't be used: a result that its owner believes signed and
            is not would be worse than none.
    """
    folder = folder or signing_folder()
    chain_file, key_file = folder / "chain.pem", folder / "key.pem"
    if not chain_file.exists() and not key_file.exists():
        return None
    try:
        importlib.import_module("c2pa")
    except ImportError as error:
        raise _unusable("C2PA's library is missing", "Run: pip install c2pa-python") from error
    if os.name == "posix" and key_file.exists() and key_file.stat().st_mode & 0o077:
        raise _unusable("others may read the private key", f"Run: chmod 600 '{key_file}'")
    try:
        return _checked(chain_file.read_bytes(), key_file.read_bytes())
    except OSError as error:
        raise _unusable(f"“{Path(error.filename).name}” can't be read ({error.strerror})") from error


def sign(file: Path, kind: str, source: Path, source_kind: str, title: str, by: Identity) -> None:
    """Put a manifest into a written picture.

    Args:
        file: the picture; all or nothing happens to it. kind: `png`, `jpeg`, `webp` or `tiff`.
        source, source_kind: the picture that was edited.
        title: the picture's name for readers.
    Raises:
        WireError: bad_setting. OSError.
    """
    c2pa: Any = importlib.import_module("c2pa")
    agent = {"name": "S²Edit", "version": version("s2edit")}
    action = {"action": "c2pa.edited", "digitalSourceType": SOURCE_TYPE, "softwareAgent": agent}
    signed = file.with_name(f"{file.name}.signed")
    try:
        info = c2pa.C2paSignerInfo(by.algorithm, by.chain, by.key, None)
        with (
            c2pa.Context.from_dict(SETTINGS) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder({"claim_generator_info": [agent], "title": title}, context=context) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            with source.open("rb") as opened:
                ingredient = {"title": source.name, "relationship": "parentOf"}
                builder.add_ingredient(ingredient, f"image/{source_kind}", opened)
            builder.add_action(action)
            with file.open("rb") as unsigned, signed.open("w+b") as target:
                builder.sign(signer, f"image/{kind}", unsigned, target)
        signed.replace(file)
    except c2pa.C2paError as error:
        raise _unusable(f"C2PA's library says: {error}") from error
    finally:
        signed.unlink(missing_ok=True)


def _checked(chain: bytes, key: bytes) -> Identity:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise _unusable("“chain.pem” holds no certificate") from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except TypeError as error:
        raise _unusable("“key.pem” is locked with a password", "Put an unlocked copy there.") from error
    except ValueError as error:
        raise _unusable("“key.pem” holds no private key") from error
    if private.public_key() != certificate.public_key():
        raise _unusable("key and certificate don't belong together", "The signer's certificate has to come first.")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise _unusable(f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}", "Renew it.")
    # OpenSSL's older forms of a key are unknown to C2PA's library.
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Identity(_algorithm(private), chain, private.private_bytes(*form))


def _algorithm(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2_048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise _unusable("the key is of a kind that C2PA doesn't know", "Use one on the curve P-256.")


def _unusable(reason: str, hint: str = "") -> WireError:
    last = f"To go without a signature, take the files out of {signing_folder()}."
    return WireError("bad_setting", f"The picture can't be signed: {reason}.", f"{hint} {last}".strip())
