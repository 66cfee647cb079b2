"""The part of the form for taking something over from another picture: a layer of this image, or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gi.repository import Gio, GLib, Gtk
from s2edit_editor.choices import Choices
from s2edit_editor.host import Host
from s2edit_editor.taking import layers_to_take_from
from s2edit_editor.text import _

from .widgets import add_row, chooser, expander, fill, grid

NONE, FILE = "", "file"


class ReferenceForm:
    """Nothing is chosen at first: then an edit is a plain one.

    Args:
        host: whose layers are offered; layer: the edited one, which is not.
        changed: called whenever something changed.

    Attributes:
        widget: what to put below the form.
    """

    def __init__(self, host: Host, layer: str, changed: Callable[[], None]) -> None:
        self._host, self._layer, self._changed = host, layer, changed
        self._filling = False
        self._choice = chooser({}, self._notify, any_name=True)
        self._prompt = Gtk.Entry()
        self._prompt.set_activates_default(True)
        self._prompt.connect("changed", lambda _entry: changed())
        self._file = Gtk.FileChooserButton(title=_("Reference Picture"), action=Gtk.FileChooserAction.OPEN)
        self._file.connect("file-set", lambda button: self._pick(button.get_file()))
        self._picked: Gio.File | None = None
        for title, kind in ((_("Pictures"), "image/*"), (_("All files"), "*/*")):
            offered = Gtk.FileFilter()
            offered.set_name(title)
            offered.add_mime_type(kind)
            self._file.add_filter(offered)
        self._file.set_no_show_all(True)
        made = grid()
        add_row(made, 0, _("Reference:"), self._choice, _("The picture to take something from"))
        made.attach(self._file, 1, 1, 1, 1)
        shows = _("What the reference shows; the word to take over has to be in “Should show”, too")
        self._described = (add_row(made, 2, _("Reference shows:"), self._prompt, shows), self._prompt)
        self.widget = expander(_("_Take over from another picture"), made, self._choice)
        self.refresh()

    def refresh(self) -> None:
        """Offer the layers that are there now."""
        titles = {NONE: _("None")}
        titles |= {one.mark: one.name for one in layers_to_take_from(self._host, self._layer)}
        self._filling = True  # for a moment nothing is chosen, which would take the cursor from the prompt
        fill(self._choice, {**titles, FILE: _("A file")})
        self._filling = False
        self._notify()

    def ask_what_it_shows(self, *, asked: bool) -> None:
        """Whether the reference is described; an instruction speaks of it as it is."""
        for widget in self._described:
            widget.set_visible(asked)

    def read(self, choices: Choices) -> None:
        """Put what is chosen here into the choices of an edit; a reference makes a composition of it."""
        choice = self._choice.get_active_id() or NONE
        picked = "" if self._picked is None else str(self._picked.get_uri())
        choices.reference = picked if choice == FILE else choice
        shows = self._prompt.get_text().strip() if choice != NONE else ""
        kind = "compose" if choice != NONE else "edit"
        choices.wish = replace(choices.wish, kind=kind, reference_prompt=shows)

    def show(self, choices: Choices) -> None:
        """Fill in what the choices say about a reference; folded away when that is nothing."""
        self._prompt.set_text(choices.wish.reference_prompt)
        if choices.reference.isdecimal():
            self._choice.set_active_id(choices.reference)
        elif choices.composes:  # where the reference is gone, its field asks for it
            self._picked = Gio.File.new_for_uri(choices.reference) if choices.reference else None
            if self._picked is not None:
                self._file.set_file(self._picked)
            self._choice.set_active_id(FILE)
        self.widget.set_expanded(choices.composes)

    def _pick(self, file: Gio.File | None) -> None:
        self._picked = file
        # GTK leaves the cursor nowhere once the file dialog is closed.
        GLib.idle_add(self._prompt.grab_focus)
        self._changed()

    def _notify(self) -> None:
        if self._filling:
            return
        self._file.set_visible(self._choice.get_active_id() == FILE)
        self._prompt.set_sensitive((self._choice.get_active_id() or NONE) != NONE)
        self._changed()
