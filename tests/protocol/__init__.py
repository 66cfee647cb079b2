"""The wire against the real thing: libzmq, msgpack, hostile files and peers.

`router.py` is a small daemon's double on pyzmq's ROUTER, `loop.py` an event loop for sessions.
"""
