"""The menu of presets, once for both editors: choose one, save what is set now, delete one."""

from __future__ import annotations

from collections.abc import Callable

from s2edit_wire.errors import WireError

from .flow import Flow
from .presets import Presets
from .rows import Ask, Question
from .text import _
from .view import View


class PresetMenu:
    """What a form's menu of presets does.

    Args:
        flow, view: the form. presets: those of another folder than the usual one.
    """

    def __init__(self, flow: Flow, view: View, presets: Presets | None = None) -> None:
        self._flow, self._view, self._presets = flow, view, presets or Presets()

    def names(self) -> list[str]:
        """What there is to choose now, also what the other editor has saved; a damaged file is told of."""
        names: list[str] = []
        self._tried(lambda: names.extend(preset.name for preset in self._presets.all()))
        if self._presets.trouble:
            self._flow.failed(self._presets.trouble)
        return names

    def choose(self, name: str) -> None:
        """Its model, profile and settings in place of those that are set; words, masks and seed stay."""
        self._tried(lambda: self._choose(name))

    def save(self, name: str, ask: Ask) -> None:
        """Keep what is set now under a name; asked before another one's settings are lost."""
        self._tried(lambda: self._after(self._presets.before_saving(name), ask, lambda: self._save(name)))

    def delete(self, name: str, ask: Ask) -> None:
        """Forget one, after a yes."""
        self._after(self._presets.before_deleting(name), ask, lambda: self._presets.delete(name))

    def _choose(self, name: str) -> None:
        preset = next((one for one in self._presets.all() if one.name == name), None)
        if preset is None:
            self._flow.failed(_("There is no preset “{name}” any more.", name=name))
            return
        wish = preset.onto(self._view.fields().order.wish)
        self._view.fill_settings(wish)
        self._flow.choose_model(wish.model)
        self._flow.changed()

    def _save(self, name: str) -> None:
        kept = self._presets.save(name, self._view.fields().order.wish)
        self._flow.told(_("Saved as preset “{name}”.", name=kept.name))

    def _after(self, question: Question | None, ask: Ask, act: Callable[[], None]) -> None:
        if question is None:
            act()
        else:
            ask(question, lambda: self._tried(act))

    def _tried(self, act: Callable[[], None]) -> None:
        try:
            act()
        except WireError as error:
            self._flow.failed(error.sentence)
