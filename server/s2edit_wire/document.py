"""PROTOCOL.md: its prose, and the tables that are printed from the very records that messages are checked with.

`python -m s2edit_wire.document` writes it, `--check` only says whether it is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import PROTOCOL_VERSION, connection, frames, launcher, limits, line_rate, recipe, records, schema
from .errors import CODES
from .kinds import Field, Record

PATH = Path(__file__).resolve().parents[1] / "PROTOCOL.md"
CONVERSATION = Path(__file__).with_name("conversation.txt")
"""What a client and a daemon said to each other: `python -m tests.protocol.conversation` writes it, from real ones."""

_LIMITS = (
    ("MAX_HEADER", "bytes of a header"),
    ("MAX_FRAMES", "pixel frames of one message"),
    ("MAX_FRAME", "bytes of one pixel frame"),
    ("MAX_MESSAGE", "bytes of all pixel frames of one message"),
    ("MAX_SIDE", "pixels along one side of a picture"),
    ("MAX_DEPTH", "lists and maps within one another in a header"),
    ("MAX_ITEMS", "entries of one list or map in a header"),
    ("MAX_TEXT", "bytes of one text or binary in a header"),
    ("MAX_PROMPT", "characters of a prompt"),
    ("MAX_OBJECTS", "objects of one edit"),
    ("MAX_EDIT", "bytes of the `edit` of one job as msgpack; over it, `too_large`"),
    ("MAX_SAFE_INTEGER", "size of a whole number, either way"),
    ("MAX_COMMAND", "bytes of one ZMTP command"),
    ("MAX_UPLOADS_PER_CLIENT", "submissions of one client under way; then `busy`"),
    ("MAX_QUEUED_PER_CLIENT", "waiting jobs of one client; then `busy`"),
    ("MAX_PAINTERS", "painters with a key of their own"),
    ("HANDSHAKE_TIMEOUT", "seconds for the ZMTP handshake"),
    ("HEARTBEAT_INTERVAL", "seconds of silence after which a client sends PING"),
    ("HEARTBEAT_TIMEOUT", "seconds without an answer to it after which it hangs up"),
    ("MAX_CONNECTION_FILE", "bytes of the connection file and the launcher file"),
    ("MAX_RECIPE", "bytes of a recipe"),
)

_INTRODUCTION = f"""# The protocol between S²Edit's daemon and its clients

Version {PROTOCOL_VERSION}. This file is written by `python -m s2edit_wire.document`; the tables come from the records
that every message is checked with, and CI fails when the two differ.

## Finding the daemon

The state folder is `$S2EDIT_HOME`, else `~/.local/state/s2edit` (Linux; inside a Snap below `$SNAP_REAL_HOME`),
`~/Library/Application Support/s2edit` (macOS) or `%LOCALAPPDATA%\\s2edit` (Windows). XDG variables are not asked:
Flatpak points them into the sandbox. A running daemon keeps `run/daemon.json` in it: JSON, mode 0600, in a folder of
mode 0700, replaced in one step, removed when the daemon ends in order. A client uses it only if it is a plain file
of its own user that nobody else can open; a link is refused.
"""

_TRANSPORT = """
If the file names a process that is gone, or nobody listens, the daemon has crashed. A client may then start another:
the command stands in `launcher.json` in the state folder, written by the installer. A second daemon refuses to start
while the first holds the lock `run/daemon.lock`.

## Transport

ZMTP 3.1 ([RFC 37](https://rfc.zeromq.org/spec/37/)): the daemon is a ROUTER, a client a DEALER, on a Unix socket or
on 127.0.0.1; there is no other listening address. A client sends PING when it hears nothing.

To use a daemon on another machine: `s2edit daemon computer user@host`. A process in the daemon's place then asks for
the connection data there (`ssh user@host s2edit daemon connection`), forwards the socket (`ssh -N -L`), and writes
`run/daemon.json` here with the near end as `endpoint`. While there is no line, `run/line.json` says why instead.
After the connection data, the command there reads what comes on standard input, up to its end, and says on a line of
its own how fast that came: an object with `line_rate`, bytes a second. The process here sends {probe:,} bytes of no
pattern; below {slow:,} bytes a second it asks for OpenSSH's compression. Between two of which one knows nothing of
this, the line is as the user's own SSH configuration says.

The mechanism is PLAIN ([RFC 24](https://rfc.zeromq.org/spec/24/)), user name `s2edit`, password
HMAC-SHA256(key, `s2edit client`), with the key's 32 bytes and the result as lower-case hexadecimal digits. NULL is
refused. Whoever can't read the connection file gets no message through.

Painters who share a daemon have a name, which is then PLAIN's user name, and a lasting key of their own. A job belongs
to the user whose connection handed it in. To a painter every other job is `unknown_job`, and neither lists, events nor
counts know of it; sequence numbers are each user's own. The daemon's own user sees and may do everything.

## Messages

A message has 2 to {parts} parts: `53 32 45 01` ("S2E" and the framing version), a header, and pixel frames. Requests
are `{{op, id, …}}`, with an `id` of the client's choice; the answer is `{{op: "reply", id, …}}` or
`{{op: "error", id, code, message, hint}}`. Answers may come in another order than requests. An error about something
in which no id could be read carries the id 2^53 - 1.

The header is msgpack, of these kinds only: true, false, whole numbers, 64-bit floats (finite), UTF-8 text, binaries,
lists, and maps whose names are text, each once. No nil, no extension types. Optional fields are left out, never
null. Unknown fields are errors.

The first request is `hello`. Its answer carries HMAC-SHA256(key, `s2edit daemon` + nonce); a client sends neither
picture nor prompt before it has checked that. Everything else before `hello` is answered with `not_greeted`.

Pixels travel in frames of their own, uncompressed: row by row without gaps, little-endian, channels interleaved,
colour straight (not premultiplied). The header's `frames` describes each; sizes are compared before memory is taken.
Nothing in S²Edit decodes an image file that came over the wire.

Jobs have ids that the client makes (32 random hexadecimal digits). Sending the same id with the same content again
is harmless and is answered with the job as it is, so a client that got no answer sends it again. With other content
it is `job_conflict`.

After `subscribe`, the daemon sends an `event` for each change. Each change has a sequence number; after a reconnect a
client subscribes with the last one it knows and is told the jobs that changed since. When `boot` has changed, it
starts from 0. A client that is too slow misses events: it sees a gap in their numbers, and subscribes again.
"""

_EXAMPLE = """
## One whole conversation

A client (→) and the daemon (←), from the greeting to the result; `python -m tests.protocol.conversation` holds it
anew with a real daemon, and a test compares. Headers are written as JSON; `…` stands for ids, times and digests, and
in a job for what has not changed since it was last told.
"""


def render() -> str:
    """The whole of PROTOCOL.md."""
    limit_rows = [(f"`{name}`", f"{getattr(limits, name):,}", what) for name, what in _LIMITS]
    sections = [
        _INTRODUCTION,
        _fields(connection.FILE.fields),
        _TRANSPORT.format(parts=limits.MAX_FRAMES + 2, probe=line_rate.PROBE, slow=round(line_rate.SLOW)),
        "## Limits\n",
        _table(("name", "value", "what"), limit_rows),
        _EXAMPLE,
        f"```text\n{CONVERSATION.read_text(encoding='utf-8')}```\n",
        "## Requests\n",
        *(_message(message) for message in schema.MESSAGES.values()),
        "## Events\n",
        _fields(schema.EVENT.fields),
        "\n## Errors\n",
        _fields(schema.ERROR.fields),
        "",
        _table(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in CODES.items()]),
        "\n## Records\n",
        *(_record(record) for record in _records()),
        "## Files\n",
        "`launcher.json` (never writable by others):\n",
        _fields(launcher.FILE.fields),
        f"\nThe recipe that a result layer carries, as JSON, in a parasite or annotation named `{recipe.NAME}`:\n",
        _fields(recipe.FORMAT.fields),
    ]
    return "\n".join(sections) + "\n"


def _records() -> list[Record]:
    found = [value for value in vars(records).values() if isinstance(value, Record)]
    return [frames.FRAME, *found]


def _record(record: Record) -> str:
    return f"### `{record.name}`\n\n{_fields(record.fields)}\n"


def _message(message: schema.Message) -> str:
    doc = message.doc + (" For the daemon's own user only." if message.admin else "")
    lines = [f"### `{message.op}`\n", f"{doc}\n"]
    for title, fields, roles in (
        ("Request", message.request, message.request_frames),
        ("Answer", message.reply, message.reply_frames),
    ):
        if fields:
            lines += [f"{title}:\n", _fields(fields), ""]
        if roles:
            lines += ["Frames: " + ", ".join(f"`{role}`" for role in roles) + ".\n"]
    return "\n".join(lines)


def _fields(fields: Sequence[Field]) -> str:
    rows = [
        (f"`{field.name}`" + ("" if field.required else " (optional)"), field.kind.describe(), field.doc)
        for field in fields
    ]
    return _table(("field", "value", "meaning"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write PROTOCOL.md, or with `--check` only compare; returns the exit status."""
    text = render()
    if "--check" not in arguments:
        PATH.write_text(text, encoding="utf-8")
        return 0
    if PATH.exists() and PATH.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("server/PROTOCOL.md is out of date. Write it anew: python -m s2edit_wire.document\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
