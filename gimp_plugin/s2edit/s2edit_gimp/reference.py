"""The part of the form for taking something over from another picture: a layer of this image, or a file."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp, Gio, GLib, Gtk

from .layers import all_layers
from .mask_sources import is_mask_layer
from .pixels import Picture, read_preview
from .snapshot import CannotEdit
from .text import _
from .widgets import add_row, chooser, expander, fill, grid

LONGEST = 1024
"""Pixels per side of what is sent of a reference: models see no more."""
NONE, FILE = "", "file"


class ReferenceForm:
    """Nothing is chosen at first: then an edit is a plain one.

    Args:
        image: whose layers are offered; layer: the edited one, which is not.
        changed: called whenever something changed.

    Attributes:
        widget: what to put below the form.
    """

    def __init__(self, image: Gimp.Image, layer: Gimp.Drawable, changed: Callable[[], None]) -> None:
        self._image, self._layer, self._changed = image, layer, changed
        self._choice = chooser({}, self._notify)
        self._prompt = Gtk.Entry()
        self._prompt.connect("changed", lambda _entry: changed())
        self._file = Gtk.FileChooserButton(title=_("Reference Picture"), action=Gtk.FileChooserAction.OPEN)
        self._file.connect("file-set", lambda _button: changed())
        self._file.set_no_show_all(True)
        made = grid()
        add_row(made, 0, _("Reference:"), self._choice, _("The picture to take something from"))
        made.attach(self._file, 1, 1, 1, 1)
        shows = _("What the reference shows; the word to take over has to be in “Should show”, too")
        add_row(made, 2, _("Reference shows:"), self._prompt, shows)
        self.widget = expander(_("_Take over from another picture"), made)
        self.refresh()

    def refresh(self) -> None:
        """Offer the layers that are there now."""
        titles = {NONE: _("None")}
        for layer in all_layers(self._image.get_layers()):
            if layer != self._layer and not is_mask_layer(layer):
                titles[str(layer.get_tattoo())] = layer.get_name()
        fill(self._choice, {**titles, FILE: _("A file…")})

    @property
    def prompt(self) -> str:
        """What the reference shows."""
        return str(self._prompt.get_text().strip())

    @property
    def chosen(self) -> bool:
        """Whether there is a reference."""
        choice = self._choice.get_active_id() or NONE
        return bool(choice) and (choice != FILE or self._file.get_filename() is not None)

    def picture(self) -> Picture | None:
        """The reference's pixels, shrunk to what models see; None without one. Raises CannotEdit for bad files."""
        if not self.chosen:
            return None
        choice = self._choice.get_active_id()
        if choice == FILE:
            return read_file(self._file.get_filename())
        return read_layer(self._image.get_layer_by_tattoo(int(choice)))

    def _notify(self) -> None:
        self._file.set_visible(self._choice.get_active_id() == FILE)
        self._changed()


def read_layer(layer: Gimp.Drawable) -> Picture:
    """A layer as a reference."""
    return read_preview(layer, (0, 0, layer.get_width(), layer.get_height()), LONGEST)


def read_file(path: str) -> Picture:
    """A picture file as a reference, loaded by GIMP; raises CannotEdit when GIMP can't."""
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    except GLib.Error as error:
        raise CannotEdit(_("The reference can't be opened: {error}").format(error=error.message)) from error
    try:
        return read_layer(Gimp.Layer.new_from_visible(image, image, "reference"))
    finally:
        image.delete()
