"""A painter at Krita: real mouse and key events, aimed by what `scripts/watch.py` tells of the windows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..lab import wait_for
from .easel import Easel

State = dict[str, Any]
MENU_S = 60
"""Seconds after which a menu that has not opened counts as lost."""
HEARD_S = 20
"""Seconds after which a click on an entry of a menu counts as lost."""
_PRESSES = 2
AT_REST = 4
"""Looks of the probe in Krita, an eighth of a second apart or more, in which a thing has to stay in its place."""


class Painter:
    """Starts Krita with a picture and acts.

    Args:
        easel: where Krita stands.
        pictures: what is opened; the last one is in front.
    """

    def __init__(self, easel: Easel, *pictures: Path) -> None:
        self.easel, self.screen, self._folder = easel, easel.screen, easel.lab.folder
        self._asked = 0
        for name in ("state.json", "finish"):
            (self._folder / name).unlink(missing_ok=True)
        self._report = easel.start("watch", *pictures)
        self.wait(lambda state: state["corners"] is not None and state["rows"], "Krita's window", 240)
        self.wait(lambda state: state["picture"] == pictures[-1].name, "the last picture to be in front")

    def state(self) -> State:
        """What there is now."""
        path = self._folder / "state.json"
        found: State = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def wait(self, test: Callable[[State], Any], what: str, timeout: float = 60) -> State:
        """The state, once `test` holds for it."""

        def probe() -> State | None:
            state = self.state()
            return state if state and test(state) else None

        try:
            return wait_for(probe, what, timeout)
        except AssertionError:
            self.screen.photograph("waiting-in-vain")
            (self.easel.lab.artifacts / "state.json").write_text(json.dumps(self.state(), indent=1), encoding="utf-8")
            raise

    def ask(self, code: str) -> Any:
        """Run Python in Krita that sets `answer`; returns it. For what a person sees but the state does not tell."""
        self._asked += 1
        name = f"answer{self._asked}"
        draft = self._folder / "ask.part"
        draft.write_text(f"name = {name!r}\n{code}\n", encoding="utf-8")
        draft.rename(self._folder / "ask.py")
        return self.wait(lambda state: name in state["answers"], "an answer")["answers"][name]

    def at_rest(self, find: Callable[[State], Any], what: str) -> Any:
        """What `find` finds, once it has been the same for a moment: hints and dockers that come and go move things."""
        seen: dict[int, Any] = {}

        def test(state: State) -> bool:
            seen.setdefault(state["looks"], find(state))
            last = [seen[look] for look in sorted(seen)][-AT_REST:]
            return bool(last[-1]) and len(last) == AT_REST and all(one == last[-1] for one in last)

        self.wait(test, what)
        return seen[max(seen)]

    def click_widget(self, name: str, label: str = "") -> None:
        """Click the middle of a widget of the plug-in; of several, of the one with this label."""

        def find(state: State) -> list[int] | None:
            found = [place for *place, text, _ in state["widgets"].get(name, []) if label in {"", text}]
            return found[0] if found else None

        x, y, width, height = self.at_rest(find, f"the widget {name}")
        self.screen.click(x + width // 2, y + height // 2)

    def scroll_to(self, name: str) -> None:
        """Turn the wheel over the docker, down and then up, until a widget of the plug-in is in sight."""
        state = self.wait(lambda state: "s2edit_docker" in state["widgets"], "the docker")
        left, top, _, height, *_ = state["widgets"]["s2edit_docker"][0]
        for button in ("5",) * 15 + ("4",) * 30:
            # Twice, since a list that is built anew passes by on its way.
            if name in self.next_look()["widgets"] and name in self.next_look()["widgets"]:
                return
            # Two notches are a third of the docker's height: nothing is jumped over.
            place = (str(left + 6), str(top + height // 2))
            self.screen.do("mousemove", *place, "click", "--repeat", "2", "--delay", "20", button)
        self.screen.photograph("not-in-sight")
        raise AssertionError(f"No wheel brings {name} into sight.")

    def fill(self, name: str, text: str) -> None:
        """Replace a field's text by typing."""
        self.click_widget(name)
        self.screen.key("ctrl+a")
        self.screen.type(text)

    def click_layer(self, name: str, button: int = 1) -> None:
        """Click a layer in the Layers docker, after turning the wheel there until it is in sight."""
        left, top, width, height = self.at_rest(lambda state: state["layers_docker"], "the Layers docker")
        for turn in ("5",) * 6 + ("4",) * 12:
            if name in self.state()["rows"]:
                break
            self.screen.do("mousemove", str(left + width // 2), str(top + height // 2), "click", turn)
            self.next_look()
        x, y, width, height = self.at_rest(lambda state: state["rows"].get(name), f"the layer {name} in the docker")
        self.screen.click(x + int(width * 0.6), y + height // 2, button)

    def layer_menu(self, name: str) -> None:
        """Open a layer's menu by the right button; pressed again where a busy Krita has let it close."""
        for _ in range(_PRESSES):
            self.click_layer(name, button=3)
            try:
                wait_for(lambda: self.state()["menus"], "the layer's menu", MENU_S)
            except AssertionError:
                self.screen.key("Escape")
                self.next_look()
                self.wait(lambda state: not state["menus"], "a menu that came late to close again")
            else:
                return
        self.screen.photograph("no-menu")
        raise AssertionError(f"The right button opens no menu of {name}.")

    def next_look(self) -> State:
        """The state, once the probe has looked at what was done before this call."""
        last = self.state()["looks"]
        return self.wait(lambda state: state["looks"] > last + 1, "the probe to look again")

    def choose(self, entry: str) -> None:
        """Click an entry of the menu that is open; again where nothing comes of it, as a person would.

        Krita 5.3 on a busy machine now and then hears of no click on a menu that has just opened: neither Qt nor any
        filter in Krita sees it, and the menu stays. A later click is heard.
        """

        def find(state: State) -> Any:
            for menu in state["menus"]:
                for text, *place in menu["entries"]:
                    if text.replace("&", "") == entry:
                        return place
            return None

        for _ in range(_PRESSES):
            x, y, width, height = self.at_rest(find, f"a menu with “{entry}”")
            if self._heard(x + width // 2, y + height // 2):
                return
        self.screen.photograph("not-heard")
        raise AssertionError(f"Nothing comes of a click on “{entry}”.")

    def _heard(self, x: int, y: int) -> bool:
        """Click in a menu; whether that closed it or opened another one."""
        before = self.state()["menus"]
        self.screen.click(x, y)
        try:
            wait_for(lambda: self.state()["menus"] != before, "the click to be heard", HEARD_S)
        except AssertionError:
            return False
        return True

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Where a point of the picture (fractions of its sides) is on the screen."""
        left, top, right, bottom = self.state()["corners"]
        return round(left + (right - left) * x), round(top + (bottom - top) * y)

    def stroke(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw through points of the picture."""
        self.screen.stroke([self.at(x, y) for x, y in points])

    def names(self) -> list[str]:
        """The layers' names, lowest first."""
        return [name for name, kind, _ in self.state()["layers"] if kind != "selectionmask"]

    def wait_layer(self, start: str, timeout: float = 60) -> State:
        """Wait until the topmost tree has a layer whose name begins so."""
        return self.wait(
            lambda state: any(name.startswith(start) for name, _, _ in state["layers"]), f"a layer {start}…", timeout
        )

    def leave(self) -> State:
        """Quit Krita; returns the last state."""
        (self._folder / "finish").touch()
        found: State = self.easel.report(self._report)["end"]
        self.easel.wait_end()
        return found
