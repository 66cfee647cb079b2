"""How the two sides prove that they know a key without sending it: HMAC-SHA256 (RFC 2104).

The daemon's own user has this boot's key; every painter beside them has a name and a lasting key of their own.

The client proves it in the ZMTP handshake (PLAIN, RFC 24); the daemon proves it in its answer to `hello`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

USERNAME = "s2edit"
"""The daemon's own user, as PLAIN's user name: they may do everything."""


def new_nonce() -> str:
    """64 random hexadecimal digits for one `hello`."""
    return secrets.token_hex(32)


def new_client_id() -> str:
    """32 random hexadecimal digits that name a client for as long as it runs."""
    return secrets.token_hex(16)


def plain_credentials(key: str, user: str = USERNAME) -> tuple[str, str]:
    """(user name, password) for PLAIN: the password is HMAC-SHA256(key, "s2edit client"), 64 hexadecimal digits.

    Args:
        key: the connection file's key, 64 hexadecimal digits. ValueError when it is not hexadecimal.
        user: whose key that is.
    """
    return user, _hmac(key, "s2edit client")


def daemon_proof(key: str, nonce: str) -> str:
    """HMAC-SHA256(key, "s2edit daemon" + nonce), 64 hexadecimal digits, for the answer to `hello`."""
    return _hmac(key, "s2edit daemon" + nonce)


def proof_is_right(key: str, nonce: str, proof: object) -> bool:
    """Whether `proof` is the daemon's proof for `nonce`; takes the same time however much of it is right."""
    return isinstance(proof, str) and hmac.compare_digest(daemon_proof(key, nonce).encode(), proof.encode("utf-8"))


def _hmac(key: str, text: str) -> str:
    return hmac.new(bytes.fromhex(key), text.encode("utf-8"), hashlib.sha256).hexdigest()
