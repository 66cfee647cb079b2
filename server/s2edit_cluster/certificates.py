"""Who belongs to the studio: an authority made for it alone, and a certificate for each computer's address.

Ray takes both sides' certificates for every connection (mutual TLS) and compares the address with the one named there.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 3_650
"""How long certificates last; a studio that outlives them is set up again."""
SLACK = timedelta(days=1)
"""By how much the clocks of two computers may differ."""


def authority() -> tuple[str, str]:
    """(certificate, key) of a new authority, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("S²Edit studio")
    limits = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _begun(name, name, key).add_extension(limits, critical=True).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key)


def issue(authority_certificate: str, authority_key: str, address: str) -> tuple[str, str]:
    """(certificate, key) for the computer with this IP address, PEM; raises ValueError."""
    issuer = x509.load_pem_x509_certificate(authority_certificate.encode())
    signer = serialization.load_pem_private_key(authority_key.encode(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError("the studio's key is of another kind")  # noqa: TRY004 - what is wrong is a file's content
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = _begun(_name(address), issuer.subject, key)
    certificate = builder.add_extension(named, critical=False).add_extension(both, critical=False)
    signed = certificate.sign(signer, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), _pem(key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - SLACK).not_valid_after(now + timedelta(days=DAYS))


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
