"""The text on the clipboard, "" when there is none."""

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")

from common import report  # noqa: E402 - versions first
from gi.repository import Gdk, Gtk  # noqa: E402


def body() -> dict[str, str]:
    Gtk.init_check(None)
    return {"text": Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text() or ""}


report(body)
