"""S²Edit inside Krita: text-guided edits that arrive as a new layer, from a daemon on this machine.

Imports the standard library, Krita, Qt (through `qt`) and the wire's copy beside it (through `wire`), nothing else.
"""

from importlib.util import find_spec

VERSION = "0.1.0"

if find_spec("krita") is not None:
    from .extension import register

    register()
