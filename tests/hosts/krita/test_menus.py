"""Where S²Edit… stands in the real Krita: in German, with real clicks; and a right-to-left language."""

from __future__ import annotations

import time

import pytest

from ..lab import Lab
from ..scenarios import MAIN, draw_portrait
from ..screen import Screen
from .easel import Easel
from .painter import Painter, State

ENTRY = "S²Edit …"
PAINT = "Objektmaske malen"
OTHER = "a portrait of a woman"


def _entries(state: State) -> list[str]:
    return [text.replace("&", "") for menu in state["menus"] for text, *_ in menu["entries"]]


def _expect(painter: Painter, what: str) -> None:
    state = painter.wait(lambda state: ENTRY in _entries(state), f"“{ENTRY}” in {what}")
    assert PAINT in _entries(state)
    lowest = max(y + height for menu in state["menus"] for *_, y, _, height in menu["entries"])
    assert lowest <= painter.screen.height, "nothing hangs over the screen's edge"
    painter.screen.photograph(what)
    painter.screen.key("Escape")
    painter.screen.key("Escape")
    painter.wait(lambda state: not state["menus"], "the menu to close")


def _open_menu(painter: Painter, *names: str) -> None:
    """Open a menu of the menu bar by its object names, the way a keyboard user does."""
    place = painter.ask(
        "from krita import Krita\n"
        "from PyQt5.QtCore import QPoint\n"
        "bar = Krita.instance().activeWindow().qwindow().menuBar()\n"
        f"entry = next(a for a in bar.actions() if a.menu() and a.menu().objectName().lower() == {names[0]!r})\n"
        "spot = bar.mapToGlobal(bar.actionGeometry(entry).center())\n"
        "answer = [spot.x(), spot.y()]"
    )
    painter.screen.click(*place)
    for name in names[1:]:
        painter.choose(name)


def _take_tool(painter: Painter, name: str) -> None:
    painter.ask(f"from krita import Krita\nKrita.instance().action({name!r}).trigger()\nanswer = True")
    time.sleep(0.5)


def _lose_the_word(painter: Painter, told: str) -> None:
    """Take the object's word out of the sentence; the docker gives the daemon's opinion in the painter's language."""
    painter.fill("s2edit_source", MAIN.source)
    painter.fill("s2edit_target", MAIN.target)
    painter.wait(lambda state: state["word"] == MAIN.word, "the word that changes to be proposed")
    painter.fill("s2edit_source", OTHER)
    painter.wait(lambda state: told in state["widgets"].get("s2edit_says", [[""] * 5])[0][4], told)
    painter.screen.photograph("told")


@pytest.mark.hosts
def test_the_entry_is_in_every_menu() -> None:
    with Lab("krita-menus") as lab:
        lab.start_daemon()
        easel = Easel(lab, Screen(lab), language="de")
        painter = Painter(easel, draw_portrait(lab.folder / "portrait.png"))
        painter.layer_menu("Background")
        _expect(painter, "layers-menu")
        _open_menu(painter, "layer")
        _expect(painter, "layer-menu")
        _open_menu(painter, "tools", "Scripts")
        _expect(painter, "scripts-menu")
        painter.ask(
            'from krita import Krita\nKrita.instance().action("KisToolSelectRectangular").trigger()\nanswer = 1'
        )
        time.sleep(0.5)
        painter.screen.do("mousemove", *map(str, painter.at(0.4, 0.4)), "sleep", "0.3")
        painter.screen.click(*painter.at(0.5, 0.5), 3)
        _expect(painter, "selection-menu")
        _take_tool(painter, "KritaShape/KisToolBrush")
        painter.screen.click(*painter.at(0.5, 0.5), 3)
        painter.wait(lambda state: "s2edit_palette_button" in state["widgets"], "the button on the pop-up palette")
        painter.screen.photograph("palette")
        painter.click_widget("s2edit_palette_button")
        painter.wait(lambda state: "s2edit_docker" in state["widgets"], "the docker")
        painter.screen.photograph("german")
        assert painter.state()["widgets"]["s2edit_edit"][0][4] == "Bearbeiten"
        _lose_the_word(painter, f"Das Wort „{MAIN.word}“ steht nicht in der Beschreibung „{OTHER}“.")
        painter.leave()


@pytest.mark.hosts
def test_the_shortcut_and_a_right_to_left_language() -> None:
    with Lab("krita-rtl") as lab:
        lab.start_daemon()
        easel = Easel(lab, Screen(lab), language="ar")
        painter = Painter(easel, draw_portrait(lab.folder / "portrait.png"))
        painter.click_layer("Background")
        painter.screen.key("ctrl+alt+e")
        state = painter.wait(lambda state: "s2edit_more" in state["widgets"], "the docker, by its shortcut")
        paint, more = state["widgets"]["s2edit_paint"][0], state["widgets"]["s2edit_more"][0]
        assert more[0] < paint[0], "what is right in English is left here"
        painter.screen.photograph("arabic")
        word, sentence = (f"\u2068{words}\u2069" for words in (MAIN.word, OTHER))
        _lose_the_word(painter, f"الكلمة «{word}» ليست في الوصف «{sentence}».")
        painter.leave()
