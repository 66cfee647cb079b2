#!/usr/bin/env python3
"""S²Edit for GIMP 3: the file that GIMP starts. The plug-in is `s2edit_gimp`; `s2edit_wire` is vendored beside it."""

import sys

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gtk", "3.0")

from s2edit_gimp.plugin import main  # type: ignore[import-not-found]  # noqa: E402 - GIMP's versions come first

main(sys.argv)
