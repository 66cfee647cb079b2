"""S²Edit inside Krita: text-guided edits that arrive as a new layer, from a daemon on this machine.

Imports the standard library, Krita, Qt (through `qt`) and the installer's copies of `s2edit_wire` and `s2edit_editor`
in `vendored`, nothing else.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

VERSION = "0.1.0"

# First, since another S²Edit that is installed for this Python may be of another version.
sys.path.insert(0, str(Path(__file__).parent / "vendored"))

if find_spec("krita") is not None:
    from .extension import register

    register()
