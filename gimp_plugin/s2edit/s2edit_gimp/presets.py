"""The menu of presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gi.repository import Gdk, Gtk
from s2edit_editor.preset_menu import PresetMenu
from s2edit_editor.presets import LONGEST_NAME
from s2edit_editor.rows import Question
from s2edit_editor.text import _

from .widgets import ask, ask_text


def offer_presets(button: Gtk.Button, does: PresetMenu) -> None:
    """Open the menu below its button; it is made anew each time, as the other editor may have saved one."""
    window = button.get_toplevel()

    def asked(question: Question, then: Callable[[], None]) -> None:
        if ask(window, _("Presets"), *question):
            then()

    def save() -> None:
        name = ask_text(window, _("Presets"), _("Name of the preset"), _("Save"), LONGEST_NAME)
        if name is not None:
            does.save(name, asked)

    names = does.names()
    menu = _menu(names, does.choose)
    menu.append(Gtk.SeparatorMenuItem())
    saving, deleting = Gtk.MenuItem(label=_("Save as preset…")), Gtk.MenuItem(label=_("Delete preset"))
    saving.connect("activate", lambda _item: save())
    deleting.set_submenu(_menu(names, lambda name: does.delete(name, asked)))
    deleting.set_sensitive(bool(names))
    for item in (saving, deleting):
        menu.append(item)
    menu.show_all()
    menu.attach_to_widget(button)
    menu.connect("selection-done", lambda menu: menu.destroy())
    menu.popup_at_widget(button, Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST, None)


def _menu(names: Sequence[str], act: Callable[[str], None]) -> Gtk.Menu:
    """An entry for each name, as it is."""
    menu = Gtk.Menu()
    for name in names:
        item = Gtk.MenuItem(label=name)
        item.connect("activate", lambda _item, name=name: act(name))
        menu.append(item)
    return menu
