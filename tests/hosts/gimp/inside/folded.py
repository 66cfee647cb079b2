"""Where the folded parts of the dialog have their titles when everything goes from left to right, and the other way."""

import json
import sys

import gi

gi.require_version("Gtk", "3.0")

from gi.repository import GLib, Gtk  # noqa: E402 - versions first

sys.path.insert(0, sys.argv[1])
from s2edit_gimp.widgets import expander  # type: ignore[import-not-found]  # noqa: E402 - where it is comes with the call


def title_at(direction: Gtk.TextDirection) -> dict[str, int]:
    """The title's left and right end in the window, and the window's width."""
    Gtk.Widget.set_default_direction(direction)
    window, inner = Gtk.Window(default_width=400), Gtk.Entry()
    made = expander("_Advanced", inner, inner)
    window.add(made)
    window.show_all()
    while Gtk.events_pending():
        Gtk.main_iteration()
    label = made.get_label_widget()
    left, _y = label.translate_coordinates(window, 0, 0)
    found = {"left": left, "right": left + label.get_allocated_width(), "width": window.get_allocated_width()}
    window.destroy()
    return found


Gtk.init([])
GLib.set_prgname("folded")
print(json.dumps({"ltr": title_at(Gtk.TextDirection.LTR), "rtl": title_at(Gtk.TextDirection.RTL)}))
