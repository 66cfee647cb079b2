"""Small pieces of GTK that the windows share: labelled rows, numbers, folded parts, plain messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gi.repository import Gtk, Pango

SPACING = 6
BORDER = 12
LONGEST_NAME = 30
"""Characters of a name that a choice shows."""


def grid() -> Gtk.Grid:
    """An empty grid with GIMP's distances."""
    made = Gtk.Grid()
    made.set_row_spacing(SPACING)
    made.set_column_spacing(SPACING)
    return made


def add_row(made: Gtk.Grid, row: int, label: str, widget: Gtk.Widget, tip: str = "") -> Gtk.Label:
    """A mnemonic label and its widget as the grid's row."""
    named = Gtk.Label.new_with_mnemonic(label)
    named.set_xalign(1.0)
    focus = widget.get_children()[0] if isinstance(widget, Gtk.Box) else widget
    while isinstance(focus, (Gtk.Overlay, Gtk.ScrolledWindow)):
        focus = focus.get_child()
    if isinstance(focus, Gtk.ComboBox) and focus.get_has_entry():
        focus = focus.get_child()
    named.set_mnemonic_widget(focus)
    widget.set_hexpand(True)
    if tip:
        widget.set_tooltip_text(tip)
    made.attach(named, 0, row, 1, 1)
    made.attach(widget, 1, row, 1, 1)
    return named


def beside(*widgets: Gtk.Widget) -> Gtk.Box:
    """Widgets in a line; the first takes the room."""
    box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=SPACING)
    for index, widget in enumerate(widgets):
        box.pack_start(widget, index == 0, index == 0, 0)
    return box


def note(dim: bool = False) -> Gtk.Label:
    """A label for sentences, wrapped."""
    label = Gtk.Label()
    label.set_xalign(0.0)
    label.set_line_wrap(True)
    label.set_max_width_chars(48)
    if dim:
        label.get_style_context().add_class("dim-label")
    return label


def room_for(label: Gtk.Label, lines: int) -> Gtk.ScrolledWindow:
    """A place of always the same height for what a label says: more is scrolled to, and moves nothing."""
    label.set_yalign(0.0)
    made = Gtk.ScrolledWindow()
    made.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
    made.set_overlay_scrolling(
        False
    )  # a bar that fades gets events when its dialog is gone, and hides that there is more
    _width, height = label.create_pango_layout("S").get_pixel_size()
    made.set_min_content_height(lines * height)
    made.set_max_content_height(lines * height)
    made.add(label)
    return made


def chooser(titles: Mapping[str, str], changed: Callable[[], None], *, any_name: bool = False) -> Gtk.ComboBoxText:
    """A choice of ids by their titles; `any_name`: these come from people, and are shortened where they are long."""
    combo = Gtk.ComboBoxText()
    if any_name:
        shown = combo.get_cells()[0]
        shown.set_property("ellipsize", Pango.EllipsizeMode.END)
        shown.set_property("max-width-chars", LONGEST_NAME)
    fill(combo, titles)
    combo.connect("changed", lambda _combo: changed())
    _leave_wheel(combo)
    return combo


def fill(combo: Gtk.ComboBoxText, titles: Mapping[str, str]) -> None:
    """Replace what can be chosen, keeping the choice where it is still there."""
    kept = combo.get_active_id()
    combo.remove_all()
    for name, title in titles.items():
        combo.append(name, title)
    if kept is None or not combo.set_active_id(kept):
        combo.set_active(0)


def offer(combo: Gtk.ComboBoxText, words: Sequence[str]) -> None:
    """Replace what can be chosen beside a field; what is being typed there, and the cursor in it, stay."""
    combo.remove_all()
    for word in words:
        combo.append_text(word)


def number(low: float, high: float, step: float, digits: int, changed: Callable[[], None]) -> Gtk.SpinButton:
    """A number to type or to turn."""
    spin = Gtk.SpinButton.new_with_range(low, high, step)
    spin.set_digits(digits)
    spin.set_activates_default(True)
    spin.connect("value-changed", lambda _spin: changed())
    _leave_wheel(spin)
    return spin


def _leave_wheel(widget: Gtk.Widget) -> None:
    """The wheel moves the form, not what happens to come under it: only a number that is being edited."""

    def scrolled(_widget: Gtk.Widget, _event: object) -> bool:
        if not widget.is_focus():
            widget.stop_emission_by_name("scroll-event")
        return False

    widget.connect("scroll-event", scrolled)


def expander(title: str, content: Gtk.Widget, first: Gtk.Widget) -> Gtk.Expander:
    """Content that is folded away at first; who unfolds it finds the cursor in `first`.

    The content is without mnemonics, since GTK obeys those of folded parts, too.
    """
    made = Gtk.Expander()
    # An expander made where everything goes from right to left keeps its title at the left edge until it turns itself.
    made.set_direction(Gtk.TextDirection.LTR)
    made.set_direction(Gtk.TextDirection.NONE)
    made.set_label_widget(Gtk.Label.new_with_mnemonic(title))
    content.set_margin_start(BORDER)
    content.set_margin_top(SPACING)
    made.add(content)
    made.connect_after("activate", lambda _made: made.get_expanded() and first.grab_focus())
    return made


def ask(
    parent: Gtk.Window | None,
    title: str,
    question: str,
    details: str,
    yes: str,
    no: str = "",
    entry: Gtk.Entry | None = None,
) -> bool:
    """A question to be answered before anything goes on; False for no, and for a closed window.

    Args:
        no: what the other button says, which Enter presses, too: for what nothing brings back. "" is GTK's Cancel, and
            Enter says yes.
        entry: a field below the question.
    """
    dialog = Gtk.MessageDialog(
        title=title,
        transient_for=parent,
        modal=True,
        message_type=Gtk.MessageType.QUESTION,
        buttons=Gtk.ButtonsType.NONE if no else Gtk.ButtonsType.CANCEL,
        text=question,
        secondary_text=details,
    )
    if no:
        dialog.add_button(no, Gtk.ResponseType.CANCEL)
    dialog.add_button(yes, Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.CANCEL if no else Gtk.ResponseType.OK)
    if entry is not None:
        dialog.get_message_area().add(entry)
        entry.show()
    answer = dialog.run()
    dialog.destroy()
    return bool(answer == Gtk.ResponseType.OK)


def ask_text(parent: Gtk.Window | None, title: str, label: str, yes: str, longest: int) -> str | None:
    """A line of text of at most so many characters to be typed; None when that is given up."""
    typed = Gtk.EntryBuffer()
    entry = Gtk.Entry(buffer=typed, activates_default=True, max_length=longest)
    return str(typed.get_text()) if ask(parent, title, label, "", yes, entry=entry) else None
