"""What pictures are signed with: the user's own certificate and key, or a credential made on this computer.

In `signing/` of the state folder a user may put `chain.pem` (the signer's certificate first), `key.pem`, and
`time-stamp-server.txt`, one line with the address of a time stamp authority (RFC 3161). Without them,
`signing/self-made/` holds a credential that says in its name what it is worth: nobody vouches for it. It shows that a
manifest is whole and that pictures come from one computer, not from whose. Its authority's key is thrown away at once.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from s2edit_wire.errors import WireError
from s2edit_wire.paths import state_folder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
"""C2PA's algorithms by the name of the key's curve (specification, section "Digital Signatures")."""
SELF_MADE = "self-made"
ISSUER = "S²Edit, self-made: vouched for by nobody"
NAME = "S²Edit on one computer"
DAYS = 3_650
"""How long a self-made credential lasts. Without a time stamp, a signature is good no longer than its certificate."""


@dataclass(frozen=True)
class Identity:
    """Whose name pictures are signed with.

    Args:
        algorithm: C2PA's name of it. chain, key: PEM.
        self_made: whether it was made here, so that nobody vouches for it.
        time_stamp: address of the time stamp authority, or "".
    """

    algorithm: str
    chain: bytes
    key: bytes
    self_made: bool = False
    time_stamp: str = ""


def signing_folder() -> Path:
    """Where chain and key are looked for."""
    return state_folder() / "signing"


def can_sign() -> bool:
    """Whether C2PA's library is installed (extra `s2edit[sign]`)."""
    return all(importlib.util.find_spec(name) is not None for name in ("c2pa", "cryptography"))


def identity(folder: Path | None = None) -> Identity | None:
    """The user's own credential, else the self-made one, which is made when it is missing or has ended.

    None when there is neither a certificate of the user's nor C2PA's library: pictures stay unsigned then.

    Raises:
        WireError: bad_setting, when there are files that can't be used: a result that its owner believes signed and
            is not would be worse than none. OSError, when a credential can't be made.
    """
    folder = folder or signing_folder()
    own = any((folder / name).exists() for name in ("chain.pem", "key.pem"))
    if not can_sign():
        if own:
            raise unusable("C2PA's library is missing", 'Run: pip install "s2edit[sign]"', folder)
        return None
    if own:
        return _read(folder, folder, self_made=False)
    made = folder / SELF_MADE
    if not made.exists():
        _make(made)
    found = _read(made, folder, self_made=True)
    if _ended(found.chain):
        shutil.rmtree(made)
        _make(made)
        found = _read(made, folder, self_made=True)
    return found


def unusable(reason: str, hint: str = "", folder: Path | None = None) -> WireError:
    """The error that says that a picture can't be signed, and how to go on."""
    last = f"To go without these files, take them out of {folder or signing_folder()}."
    return WireError("bad_setting", f"The picture can't be signed: {reason}.", f"{hint} {last}".strip())


def _read(files: Path, folder: Path, *, self_made: bool) -> Identity:
    chain_file, key_file, server = files / "chain.pem", files / "key.pem", folder / "time-stamp-server.txt"
    if os.name == "posix" and key_file.exists() and key_file.stat().st_mode & 0o077:
        raise unusable("others may read the private key", f"Run: chmod 600 '{key_file}'", files)
    try:
        address = server.read_text(encoding="utf-8").strip() if server.exists() else ""
        chain, key = chain_file.read_bytes(), key_file.read_bytes()
    except (OSError, UnicodeError) as error:
        name = Path(getattr(error, "filename", None) or server).name
        raise unusable(f"“{name}” can't be read ({getattr(error, 'strerror', 'no text')})", folder=files) from error
    if address and not address.startswith(("https://", "http://")):
        raise unusable(f"“{server.name}” holds no address", "Write one line, such as https://…", folder)
    algorithm, plain = _checked(chain, key, files, may_have_ended=self_made)
    return Identity(algorithm, chain, plain, self_made, address)


def _checked(chain: bytes, key: bytes, files: Path, *, may_have_ended: bool) -> tuple[str, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise unusable("“chain.pem” holds no certificate", folder=files) from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except TypeError as error:
        raise unusable("“key.pem” is locked with a password", "Put an unlocked copy there.", files) from error
    except ValueError as error:
        raise unusable("“key.pem” holds no private key", folder=files) from error
    if private.public_key() != certificate.public_key():
        raise unusable(
            "key and certificate don't belong together", "The signer's certificate has to come first.", files
        )
    if _ended(chain) and not may_have_ended:
        raise unusable(f"the certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}", "Renew it.", files)
    # OpenSSL's older forms of a key are unknown to C2PA's library.
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return _algorithm(private, files), private.private_bytes(*form)


def _ended(chain: bytes) -> bool:
    from cryptography import x509

    return x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc < _now()


def _algorithm(key: PrivateKeyTypes, files: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2_048:
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise unusable("the key is of a kind that C2PA doesn't know", "Use one on the curve P-256.", files)


def _make(folder: Path) -> None:
    """Make key and chain; all or nothing, and whoever is first wins."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    top = _certificate(f"{NAME}, authority", authority, f"{NAME}, authority", authority, top=True)
    signer = _certificate(NAME, key, f"{NAME}, authority", authority, top=False)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # made with mode 0700
    try:
        descriptor = os.open(draft / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(*form))
        (draft / "chain.pem").write_bytes(signer + top)
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _certificate(
    name: str, key: EllipticCurvePrivateKey, issuer: str, issuer_key: EllipticCurvePrivateKey, *, top: bool
) -> bytes:
    """A certificate by C2PA's profile (specification, "X.509 Certificates"): a signer's, or the authority's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID

    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    usage = x509.KeyUsage(
        digital_signature=not top, key_cert_sign=top, crl_sign=top, decipher_only=False, **dict.fromkeys(unused, False)
    )
    now = _now()
    public, authority = key.public_key(), issuer_key.public_key()
    draft = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=top, path_length=0 if top else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    )
    if not top:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        draft = draft.add_extension(purpose, critical=False)
    return draft.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _now() -> datetime:
    return datetime.now(UTC)


def _name(common: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ISSUER), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )
