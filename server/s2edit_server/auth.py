"""Who may connect: a ZAP handler (RFC 27) for the PLAIN mechanism, asked by libzmq before a peer's first message.

The password is an HMAC of a key that only its user can read (`painters`); whose it is, libzmq tells of each message.
NULL is refused: on tcp a web page's POST would otherwise become a message.
"""

from __future__ import annotations

import threading

import zmq

from .painters import Admits

ENDPOINT = "inproc://zeromq.zap.01"


class Authenticator:
    """Answers libzmq's questions about peers, from a thread of its own: a flood of strangers must not slow the loop.

    Args:
        context: the context whose sockets are guarded; ending it ends the thread.
        admits: says which credentials are right.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], admits: Admits) -> None:
        self._admits = admits
        self._socket = context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind(ENDPOINT)
        self._thread = threading.Thread(target=self._answer, name="zap", daemon=True)

    def start(self) -> None:
        """Begin to answer; before this, no peer gets in."""
        self._thread.start()

    def _answer(self) -> None:
        try:
            while True:
                request = self._socket.recv_multipart()
                good = self._is_right(request)
                status = (b"200", b"OK", request[6]) if good else (b"400", b"wrong credentials", b"")
                self._socket.send_multipart([b"1.0", request[1] if len(request) > 1 else b"", *status, b""])
        except zmq.ContextTerminated:
            self._socket.close()

    def _is_right(self, request: list[bytes]) -> bool:
        if len(request) != 8 or request[0] != b"1.0" or request[5] != b"PLAIN":
            return False
        return self._admits(request[6], request[7])
