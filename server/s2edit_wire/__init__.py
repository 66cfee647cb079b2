"""The wire between editors, tray, command line and daemon, in nothing but the standard library.

The GIMP and Krita plug-ins vendor exactly this folder; daemon, tray and command line import it too.
Schema and limits (`schema`, `kinds`, `frames`, `limits`), codec (`pack`), ZMTP 3 (`zmtp`), the client (`client`), and
the daemon's sentences in other languages (`told`, `locale/`).
"""

PROTOCOL_VERSION = 1
"""Version of the messages in `schema`; `hello` settles the highest one that both sides know."""
