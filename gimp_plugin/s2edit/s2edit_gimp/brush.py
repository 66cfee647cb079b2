"""Choosing GIMP's paintbrush for the painter: plug-ins have no procedure for it, but GIMP's actions are on D-Bus."""

from __future__ import annotations

from gi.repository import Gio, GLib

NAME, PATH = "org.gimp.GIMP.UI", "/org/gimp/GIMP"
TIMEOUT_MS = 2_000


def choose_paintbrush() -> None:
    """Make the paintbrush the active tool; where there is no D-Bus, the painter does it."""
    arguments = GLib.Variant("(sava{sv})", ("tools-paintbrush", [], {}))
    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        flags = Gio.DBusCallFlags.NO_AUTO_START
        bus.call_sync(NAME, PATH, "org.gtk.Actions", "Activate", arguments, None, flags, TIMEOUT_MS, None)
    except GLib.Error:
        return
