"""Every number that bounds what a peer may send. Sizes in bytes, times in seconds; PROTOCOL.md prints this table."""

MAGIC = b"S2E\x01"
"""First frame of every message: the product's mark and the framing version."""

MAX_HEADER = 64 * 1024
MAX_FRAMES = 8
MAX_FRAME = 512 * 1024 * 1024
"""One pixel frame: 8192 x 8192 RGBA at 16 bits."""
MAX_MESSAGE = 768 * 1024 * 1024
MAX_SIDE = 32_768
"""Pixels along one side of a picture."""
MAX_DEPTH = 8
MAX_ITEMS = 1_024
"""Entries of one map or list inside a header."""
MAX_TEXT = 16_384
"""Bytes of one text in a header, before its field's own limit."""
MAX_PROMPT = 1_000
"""Characters; the tokenizer's own limit comes much earlier, this one only stops abuse."""
MAX_OBJECTS = 4
MAX_EDIT = 24 * 1024
"""Bytes of an edit as msgpack: so a job with its error, or with its result's record, still fits a header."""
MAX_UPLOADS_PER_CLIENT = 2
MAX_QUEUED_PER_CLIENT = 32
MAX_PAINTERS = 64
HANDSHAKE_TIMEOUT = 2.0
HEARTBEAT_INTERVAL = 5.0
HEARTBEAT_TIMEOUT = 15.0
MAX_SAFE_INTEGER = 2**53 - 1
MAX_CONNECTION_FILE = 16 * 1024
MAX_RECIPE = 16 * 1024
"""Bytes of the record that a result layer carries."""
MAX_COMMAND = 4 * 1024
"""One ZMTP command frame: the handshake's and PING and PONG."""
