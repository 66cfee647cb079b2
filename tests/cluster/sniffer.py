"""Listens to all that passes this machine's loopback, as somebody at the cable would (root only)."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType

EVERY_PROTOCOL = 3
"""ETH_P_ALL of packet(7)."""
OUTGOING = 4
"""PACKET_OUTGOING: on loopback each packet is seen twice."""


class Sniffer:
    """Takes packets from `with` to its end."""

    def __enter__(self) -> Sniffer:
        self._packets: list[bytes] = []
        self._end = threading.Event()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.1)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()

    def bytes_between(self, left_out: set[int]) -> bytes:
        """What all TCP connections of the loopback's studio addresses carried, but for these ports'."""
        found = []
        for packet in self._packets:
            address = packet[14:]
            if len(address) < 40 or address[0] >> 4 != 4 or address[9] != socket.IPPROTO_TCP:
                continue
            if not {address[12:16], address[16:20]} & {b"\x7f\0\0\2", b"\x7f\0\0\3"}:
                continue
            segment = address[(address[0] & 15) * 4 :]
            if not left_out & set(struct.unpack("!HH", segment[:4])):
                found.append(segment[(segment[12] >> 4) * 4 :])
        return b"".join(found)

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                packet, where = self._socket.recvfrom(1 << 17)
            except TimeoutError:
                continue
            if where[2] != OUTGOING:
                self._packets.append(packet)
