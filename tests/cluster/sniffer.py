"""Listens to all that passes between a test's two computers, as somebody at the cable would (root only)."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType

from tests.cluster.network import Network

EVERY_PROTOCOL = 3
"""ETH_P_ALL of packet(7)."""
OUTGOING = 4
"""PACKET_OUTGOING: on loopback each packet is seen twice."""


class Sniffer:
    """Takes packets from `with` to its end."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __enter__(self) -> Sniffer:
        self._packets: list[bytes] = []
        self._end = threading.Event()
        with self._network.at_the_cable():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self._socket.bind((self._network.interface, 0))
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
        """What all TCP connections of the two computers carried, but for these ports'."""
        theirs = {socket.inet_aton(address) for address in self._network.addresses}
        found = []
        for packet in self._packets:
            address = packet[14:]
            if len(address) < 40 or address[0] >> 4 != 4 or address[9] != socket.IPPROTO_TCP:
                continue
            if not {address[12:16], address[16:20]} & theirs:
                continue
            length = struct.unpack("!H", address[2:4])[0]  # what follows pads a short frame
            segment = address[(address[0] & 15) * 4 : length or None]
            if not left_out & set(struct.unpack("!HH", segment[:4])):
                found.append(segment[(segment[12] >> 4) * 4 :])
        return b"".join(found)

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                packet, where = self._socket.recvfrom(1 << 17)
            except TimeoutError:
                continue
            if not self._network.hears_twice or where[2] != OUTGOING:
                self._packets.append(packet)
