"""The dialog's form: what the painter types and chooses, without knowing daemon or image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gi.repository import Gtk
from s2edit_editor import masks, models
from s2edit_editor.choices import Choices
from s2edit_editor.dials import Dials
from s2edit_editor.form import Shown
from s2edit_editor.host import AUTOMATIC, CHANNEL, EARLIER
from s2edit_editor.text import _
from s2edit_editor.wish import (
    DEFAULT_PROFILE,
    MOST_VARIATIONS,
    SEEDS,
    Wish,
    fresh_seed,
    guidance_values,
    one_sentence,
    several,
    target_of,
)
from s2edit_editor.words import knob_hint, knob_title, profiles, unseen
from s2edit_wire.knobs import GUIDANCE, knobs

from .dials import DialRow
from .prompt import Prompt
from .widgets import SPACING, add_row, beside, chooser, expander, fill, grid, note, number, offer


class Form:
    """All fields.

    Args:
        changed: called whenever one of them changed. model_chosen: called with the id of a model that was chosen.

    Attributes:
        widget: what to put into a window.
        propose, paint, automatic, presets: buttons that the dialog connects.
        show_own: takes what the model works with (`s2edit_editor.dials.Dials.know`).
    """

    def __init__(self, changed: Callable[[], None], model_chosen: Callable[[str], None]) -> None:
        self._changed, self._model_chosen = changed, model_chosen
        self._quiet = self._instructs = False
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self.propose = Gtk.Button.new_with_mnemonic(_("_Propose"))
        self.propose.set_tooltip_text(_("Let the model describe the picture"))
        self.paint = Gtk.Button.new_with_mnemonic(_("Pai_nt Mask"))
        self.paint.set_tooltip_text(_("Make a layer on which to paint over the object, and come back later"))
        self.automatic = Gtk.Button.new_with_mnemonic(_("S_how Automatic"))
        self.automatic.set_tooltip_text(_("Put the mask that the model finds on a layer, to be corrected"))
        self.presets = Gtk.Button(label=_("Presets"))
        self.presets.set_tooltip_text(_("Your own settings by name, the same in GIMP and Krita"))
        self._source, self._target = Prompt(self._notify), Prompt(self._notify)
        self._words: list[Gtk.ComboBoxText] = []
        self._remembered: Sequence[str] = ()
        self._dials = Dials()
        self.show_own = self._dials.know
        self._earlier = ""
        self._word_box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._mask = chooser(masks.titles(), self._notify)
        self._channel = chooser({}, self._notify, any_name=True)
        self._channel.set_no_show_all(True)
        self._model = chooser({}, self._choose_model, any_name=True)
        self._profile = chooser(profiles(), self._notify)
        self._seed = number(0, SEEDS - 1, 1, 0, self._notify)
        self.set_objects([""], [])
        self.widget.pack_start(self._main_grid(), False, False, 0)
        self.widget.pack_start(self._advanced(), False, False, 0)
        self.widget.pack_start(self._variations(), False, False, 0)

    def _main_grid(self) -> Gtk.Grid:
        made = grid()
        described = beside(self._source.widget, self.propose)
        shows = add_row(made, 0, _("Picture _shows:"), described, _("What the picture shows now"))
        self._wished = add_row(
            made,
            1,
            _("Shou_ld show:"),
            self._target.widget,
            _("The same sentence with what you want changed, or just: add sunglasses"),
        )
        named = add_row(
            made, 2, _("O_bject:"), self._word_box, _("The word in the first sentence that names the object")
        )
        self._of_descriptions = (shows, described, named, self._word_box, self.automatic)
        row = beside(self._mask, self._channel, self.paint, self.automatic)
        add_row(made, 3, _("_Mask:"), row, _("Where the object is"))
        add_row(made, 4, _("M_odel:"), self._model)
        add_row(made, 5, _("Pro_file:"), beside(self._profile, self.presets), _("How much work is done"))
        dice = Gtk.Button.new_with_mnemonic(_("Ne_w Seed"))
        dice.connect("clicked", lambda _button: self._seed.set_value(fresh_seed()))
        add_row(made, 6, _("See_d:"), beside(self._seed, dice), _("Same seed, same result"))
        return made

    def _advanced(self) -> Gtk.Expander:
        made = grid()
        self._numbers = {name: DialRow(dial, self._notify) for name, dial in self._dials.all.items()}
        for row, (name, dial) in enumerate(self._numbers.items()):
            title = _("{title}:").format(title=knob_title(knobs()[name]))
            add_row(made, row, title, dial.widget, knob_hint(knobs()[name]))
        self._unseen = note(dim=True)
        made.attach(self._unseen, 0, len(self._numbers), 2, 1)
        return expander(_("_Advanced"), made, self._numbers[GUIDANCE].widget.get_children()[0])

    def _variations(self) -> Gtk.Expander:
        made = grid()
        self._targets = Prompt(self._notify)
        add_row(made, 0, _("Further wishes:"), self._targets.widget, _("One sentence a line"))
        self._seeds = number(1, MOST_VARIATIONS, 1, 0, self._notify)
        add_row(made, 1, _("Number of seeds:"), self._seeds)
        self._guidances = self._entry()
        add_row(made, 2, _("Guidance values:"), self._guidances, _("Numbers, separated by blanks, such as: 3.5 5 7.5"))
        return expander(_("_Variations"), made, self._targets.view)

    def read(self) -> Choices:
        """What is chosen now; settings without a dial are those that were shown last."""
        mask = self._mask.get_active_id() or AUTOMATIC
        mark = {CHANNEL: self._channel.get_active_id() or "", EARLIER: self._earlier}.get(mask, "")
        choices = Choices(mask=mask, mark=mark)
        # What is hidden is not read: an instruction is not carried out on a description.
        source = "" if self._instructs else one_sentence(self._source.text)
        choices.wish = Wish(
            source=source,
            target=target_of(source, self._target.text),
            words=tuple(word for word in (combo.get_child().get_text().strip() for combo in self._words) if word),
            model=self._model.get_active_id() or "",
            profile=self._profile.get_active_id() or DEFAULT_PROFILE,
            seed=round(self._seed.get_value()),
            settings=self._dials.settings(),
        )
        return choices

    @property
    def typed(self) -> str:
        """The wish as it was typed, perhaps an instruction."""
        return one_sentence(self._target.text)

    @property
    def word(self) -> str:
        """What the main object's field holds."""
        return str(self._words[0].get_child().get_text())

    def variations(self, first: Wish) -> list[Wish]:
        """All edits that are asked for: every wish with every seed and guidance value; the plain one comes first."""
        lines = several(self._targets.text)
        guidances = guidance_values(self._guidances.get_text())
        return first.variations([first.target, *lines], round(self._seeds.get_value()), guidances)

    def show(self, choices: Choices) -> None:
        """Fill the form."""
        self._quiet, wish = True, choices.wish
        self._source.text = wish.source
        self._target.text = wish.target
        self._remembered = wish.words  # the masks that want more fields than there are now may still come
        for combo, word in zip(self._words, [*wish.words, "", "", "", ""], strict=False):
            combo.get_child().set_text(word)
        self._mask.set_active_id(choices.mask)
        self._seed.set_value(wish.seed)
        self._earlier = choices.mark if choices.mask == EARLIER else ""
        self.fill_settings(wish)
        self._quiet = False
        self._notify()

    def fill_settings(self, wish: Wish) -> None:
        """Show its profile and numbers."""
        self._silently(lambda: self._profile.set_active_id(wish.profile))
        self._dials.fill(wish)
        self._unseen.set_text(unseen(wish))

    def commit(self) -> None:
        """Take numbers that are typed but not yet entered: a button's key leaves the cursor where it is."""
        for dial in self._numbers.values():
            dial.commit()
        for spin in (self._seed, self._seeds):
            spin.update()

    def describe(self, source: str, target: str) -> None:
        """Put both sentences in."""
        self._source.text = source
        self._target.text = target

    def propose_word(self, word: str) -> None:
        """Name the main object, unless the cursor is there."""
        field = self._words[0].get_child()
        if not field.is_focus():
            field.set_text(word)

    def set_masks(self, sources: Sequence[str], channels: Sequence[str]) -> None:
        """Offer these mask sources."""
        titles = masks.titles()
        self._silently(lambda: fill(self._mask, {source: titles[source] for source in sources}))
        self._silently(lambda: fill(self._channel, {name: name for name in channels}))

    def set_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        """Show the models and the chosen one; a list that somebody has open is not made anew for nothing."""
        if listed:
            self._silently(lambda: fill(self._model, line.titles))
        self._silently(lambda: self._model.set_active_id(line.chosen))
        example = models.example(line.known, line.chosen)
        (self._target if line.instructs else self._source).show_example(example)
        if self._instructs != line.instructs:
            self._instructs = line.instructs
            instruction = _("{title}:").format(title=_("What should change"))
            self._wished.set_text_with_mnemonic(instruction if line.instructs else _("Shou_ld show:"))
            if self._source.view.is_focus():
                self.focus()
            for widget in self._of_descriptions:
                widget.set_visible(not line.instructs)

    def set_objects(self, titles: Sequence[str], words: Sequence[str]) -> None:
        """One field for each object; `titles` name their masks, `words` what those were painted for."""
        while len(self._words) < max(1, len(titles)):
            combo = Gtk.ComboBoxText.new_with_entry()
            combo.get_child().set_activates_default(True)
            combo.get_child().set_text(next(iter(self._remembered[len(self._words) :]), ""))
            combo.connect("changed", lambda _combo: self._notify())
            self._word_box.pack_start(combo, False, False, 0)
            self._words.append(combo)
            combo.show_all()
        while len(self._words) > max(1, len(titles)):
            self._words.pop().destroy()
        for combo, title, word in zip(self._words, titles, [*words, "", "", "", ""], strict=False):
            combo.get_child().set_placeholder_text(title)
            if word and not combo.get_child().get_text():
                combo.get_child().set_text(word)

    def set_candidates(self, words: Sequence[str]) -> None:
        """Offer these words as names of the object."""
        for combo in self._words:
            if [row[0] for row in combo.get_model()] != list(words):
                self._silently(lambda combo=combo: offer(combo, words))  # type: ignore[misc]

    def mark(self, shown: Shown) -> None:
        """Mark the fields that something is wrong with, or doubted, with the sentence as tooltip; buttons may rest."""
        for kind, button in (("caption", self.propose), ("mask", self.automatic)):
            button.set_sensitive(kind not in shown.asking)
        named = [combo.get_child() for combo in self._words]
        meant = next((entry for entry in named if entry.get_text().strip() == shown.word), named[0])
        for entry in named:
            icon, message = _mark_of(shown, "object" if entry is meant else "")
            entry.set_icon_from_icon_name(Gtk.EntryIconPosition.SECONDARY, icon)
            if message:
                entry.set_icon_tooltip_text(Gtk.EntryIconPosition.SECONDARY, message)
        self._source.mark(*_mark_of(shown, "source"))
        self._target.mark(*_mark_of(shown, "target"))

    def focus(self) -> None:
        """Put the cursor where there is something to type."""
        (self._target if self._source.text or self._instructs else self._source).view.grab_focus()

    def _entry(self) -> Gtk.Entry:
        entry = Gtk.Entry()
        entry.set_activates_default(True)
        entry.set_width_chars(40)
        entry.connect("changed", lambda _entry: self._notify())
        return entry

    def _silently(self, change: Callable[[], object]) -> None:
        quiet, self._quiet = self._quiet, True
        change()
        self._quiet = quiet

    def _choose_model(self) -> None:
        if not self._quiet:
            self._model_chosen(self._model.get_active_id() or "")
            self._changed()

    def _notify(self) -> None:
        if not self._quiet:
            self._channel.set_visible(self._mask.get_active_id() == CHANNEL)
            self._changed()


def _mark_of(shown: Shown, field: str) -> tuple[str | None, str]:
    """A field's icon, None for none, and its sentence."""
    message = shown.marks.get(field, "")
    icon = "dialog-information" if field in shown.doubted else "dialog-warning" if message else None
    return icon, message
