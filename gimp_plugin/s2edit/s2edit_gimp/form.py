"""The dialog's form: what the painter types and chooses, without knowing daemon or image."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence

from gi.repository import Gtk

from .arguments import mask_titles, numbers, profile_titles
from .choices import GUIDANCE, SETTINGS, Choices
from .dials import Dial
from .mask_sources import CHANNEL
from .text import _
from .widgets import SPACING, add_row, beside, chooser, expander, fill, grid, number, offer

MAX_SEED = 2**32 - 1


class Form:
    """All fields.

    Args:
        changed: called whenever one of them changed.

    Attributes:
        widget: what to put into a window.
        propose, paint, automatic: buttons that the dialog connects.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._quiet = False
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self.propose = Gtk.Button.new_with_mnemonic(_("_Propose"))
        self.propose.set_tooltip_text(_("Let the model describe the picture"))
        self.paint = Gtk.Button.new_with_mnemonic(_("Pai_nt Mask"))
        self.paint.set_tooltip_text(_("Make a layer on which to paint over the object, and come back later"))
        self.automatic = Gtk.Button.new_with_mnemonic(_("S_how Automatic"))
        self.automatic.set_tooltip_text(_("Put the mask that the model finds on a layer, to be corrected"))
        self._source, self._target = self._entry(), self._entry()
        self._words: list[Gtk.ComboBoxText] = []
        self._remembered: list[str] = []
        self._word_box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self._mask = chooser(mask_titles(), self._notify)
        self._channel = chooser({}, self._notify, any_name=True)
        self._channel.set_no_show_all(True)
        self._model = chooser({}, self._notify, any_name=True)
        self._profile = chooser(profile_titles(), self._notify)
        self._guidance = Dial(1.0, 20.0, 0.5, 1, self._notify)
        self._seed = number(0, MAX_SEED, 1, 0, self._notify)
        self.set_objects([""], [])
        self.widget.pack_start(self._main_grid(), False, False, 0)
        self.widget.pack_start(self._advanced(), False, False, 0)
        self.widget.pack_start(self._variations(), False, False, 0)

    def _main_grid(self) -> Gtk.Grid:
        made = grid()
        add_row(made, 0, _("Picture _shows:"), beside(self._source, self.propose), _("What the picture shows now"))
        add_row(made, 1, _("Shou_ld show:"), self._target, _("The same sentence, with what you want changed"))
        add_row(made, 2, _("O_bject:"), self._word_box, _("The word in the first sentence that names the object"))
        masks = beside(self._mask, self._channel, self.paint, self.automatic)
        add_row(made, 3, _("_Mask:"), masks, _("Where the object is"))
        add_row(made, 4, _("M_odel:"), self._model)
        add_row(made, 5, _("Pro_file:"), self._profile, _("How much work is done"))
        dice = Gtk.Button.new_with_mnemonic(_("Ne_w Seed"))
        dice.connect("clicked", lambda _button: self._seed.set_value(secrets.randbelow(MAX_SEED + 1)))
        add_row(made, 6, _("See_d:"), beside(self._seed, dice), _("Same seed, same result"))
        return made

    def _advanced(self) -> Gtk.Expander:
        made = grid()
        strength = _("How strongly the words act")
        add_row(made, 0, _("{title}:").format(title=_("Guidance")), self._guidance.widget, strength)
        self._dials: dict[str, Dial] = {}
        for row, entry in enumerate(numbers(), 1):
            dial = Dial(0.0, entry.most, entry.step, entry.digits, self._notify)
            add_row(made, row, _("{title}:").format(title=entry.title), dial.widget, entry.blurb)
            self._dials[SETTINGS[entry.name]] = dial
        return expander(_("_Advanced"), made, self._guidance.widget.get_children()[0])

    def _variations(self) -> Gtk.Expander:
        made = grid()
        self._targets = Gtk.TextView()
        self._targets.set_accepts_tab(False)
        self._targets.get_buffer().connect("changed", lambda _buffer: self._notify())
        frame = Gtk.ScrolledWindow()
        frame.set_shadow_type(Gtk.ShadowType.IN)
        frame.set_size_request(-1, 60)
        frame.add(self._targets)
        add_row(made, 0, _("Further wishes:"), frame, _("One sentence a line"))
        self._seeds = number(1, 8, 1, 0, self._notify)
        add_row(made, 1, _("Number of seeds:"), self._seeds)
        self._guidances = self._entry()
        add_row(made, 2, _("Guidance values:"), self._guidances, _("Numbers, separated by blanks, such as: 3.5 5 7.5"))
        return expander(_("_Variations"), made, self._targets)

    def read(self) -> Choices:
        """What is chosen now."""
        chosen = {name: dial.value for name, dial in self._dials.items()}
        return Choices(
            source=self._source.get_text().strip(),
            target=self._target.get_text().strip(),
            words=[word for word in (combo.get_child().get_text().strip() for combo in self._words) if word],
            mask=self._mask.get_active_id() or "",
            channel=self._channel.get_active_id() or "",
            model=self._model.get_active_id() or "",
            profile=self._profile.get_active_id() or "balanced",
            guidance=self._guidance.value or 0.0,
            seed=round(self._seed.get_value()),
            settings={name: value for name, value in chosen.items() if value is not None},
        )

    def variations(self) -> list[Choices]:
        """All edits that are asked for: every wish with every seed and guidance value; the plain one comes first."""
        first = self.read()
        buffer = self._targets.get_buffer()
        lines = buffer.get_text(buffer.get_start_iter(), buffer.get_end_iter(), False).splitlines()
        targets = [first.target, *(line.strip() for line in lines if line.strip())]
        guidances = [min(20.0, max(1.0, value)) for value in _numbers(self._guidances.get_text())] or [first.guidance]
        made = []
        for target in targets:
            for guidance in guidances:
                for step in range(round(self._seeds.get_value())):
                    choices = self.read()
                    choices.target, choices.guidance = target, guidance
                    choices.seed = (first.seed + step) % (MAX_SEED + 1)
                    made.append(choices)
        return made

    def show(self, choices: Choices) -> None:
        """Fill the form."""
        self._quiet = True
        self._source.set_text(choices.source)
        self._target.set_text(choices.target)
        self._remembered = choices.words  # the masks that want more fields than there are now may still come
        for combo, word in zip(self._words, [*choices.words, "", "", "", ""], strict=False):
            combo.get_child().set_text(word)
        for combo, value in (
            (self._mask, choices.mask),
            (self._model, choices.model),
            (self._profile, choices.profile),
        ):
            combo.set_active_id(value)
        self._guidance.choose(choices.guidance or None)
        self._seed.set_value(choices.seed)
        for name, dial in self._dials.items():
            dial.choose(choices.settings.get(name))
        self._quiet = False
        self._notify()

    def show_own(self, settings: Mapping[str, float]) -> None:
        """Show what the model works with (a plan's `settings`) wherever nothing was chosen by hand."""
        for dotted, dial in {GUIDANCE: self._guidance, **self._dials}.items():
            if dotted in settings:
                dial.show_own(float(settings[dotted]))

    def commit(self) -> None:
        """Take numbers that are typed but not yet entered: a button's key leaves the cursor where it is."""
        for dial in (self._guidance, *self._dials.values()):
            dial.commit()
        for spin in (self._seed, self._seeds):
            spin.update()

    def set_source(self, text: str) -> None:
        """Put a proposed description in."""
        self._source.set_text(text)
        if not self._target.get_text().strip():
            self._target.set_text(text)

    def set_example(self, text: str) -> None:
        """Show a sentence that the model understands while nothing is typed."""
        self._source.set_placeholder_text(text)

    def set_masks(self, sources: Sequence[str], channels: Sequence[str]) -> None:
        """Offer these mask sources."""
        titles = mask_titles()
        self._silently(lambda: fill(self._mask, {source: titles[source] for source in sources}))
        self._silently(lambda: fill(self._channel, {name: name for name in channels}))

    def set_models(self, titles: Mapping[str, str], default: str) -> None:
        """Offer these models."""
        chosen = self._model.get_active_id() or default
        self._silently(lambda: fill(self._model, titles))
        self._silently(lambda: self._model.set_active_id(chosen) or self._model.set_active_id(default))

    def choose_model(self, model: str) -> None:
        """As if the painter had chosen it."""
        self._model.set_active_id(model)

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

    def mark(self, problems: Mapping[str, str], word: str = "") -> None:
        """Mark the fields that something is wrong with, by field name, with the sentence as tooltip.

        Args:
            word: which of the objects' words is meant, "" for the first.
        """
        named = [combo.get_child() for combo in self._words]
        meant = next((entry for entry in named if entry.get_text().strip() == word), named[0])
        fields = [("source", self._source), ("target", self._target)]
        fields += [("object" if entry is meant else "", entry) for entry in named]
        for name, entry in fields:
            message = problems.get(name)
            entry.set_icon_from_icon_name(Gtk.EntryIconPosition.SECONDARY, "dialog-warning" if message else None)
            if message:
                entry.set_icon_tooltip_text(Gtk.EntryIconPosition.SECONDARY, message)

    def focus(self) -> None:
        """Put the cursor where there is something to type."""
        (self._target if self._source.get_text() else self._source).grab_focus()

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

    def _notify(self) -> None:
        if not self._quiet:
            self._channel.set_visible(self._mask.get_active_id() == CHANNEL)
            self._changed()


def _numbers(text: str) -> list[float]:
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(float(word))
        except ValueError:
            continue
    return found[:8]
