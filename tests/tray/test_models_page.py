"""The models page against the real daemon and a hub on this machine: licence, token, pause, verify, imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from s2edit_tray.connection import Daemon
from s2edit_tray.imports import ImportsFile
from s2edit_tray.model_card import ModelCard, memory_line
from s2edit_tray.weights_view import WeightsView
from s2edit_tray.window import Window
from s2edit_wire.launcher import write_launcher_file
from s2edit_wire.programs import command

from tests.fakes.daemon import RunningDaemon
from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, WEIGHTS

from .cards import Answers, offers, press, shown, words

Until = Callable[..., None]
MODEL = {
    "id": "m",
    "title": "A model",
    "purpose": "",
    "role": "editor",
    "licence": "MIT",
    "gated": False,
    "embedded": False,
    "size": 9,
    "present": 9,
    "memory": 1,
}
TOKEN = "hf_secretsecretsecret"


def test_a_declined_licence_leaves_nothing_behind(
    hub: FakeHub, page: Window, daemon_process: RunningDaemon, until: Until, answers: Answers
) -> None:
    answers.says_yes = False
    card = shown(page)
    press(card, "Download")
    until(lambda: "the licence was not accepted" in words(card))
    assert "https://example.org/licence" in answers.questions[0]
    assert hub.requests == []
    assert not (daemon_process.folder / "weights" / "licences.json").exists()


def test_accept_download_pause_resume_verify_remove(
    hub: FakeHub, page: Window, daemon_process: RunningDaemon, until: Until, answers: Answers
) -> None:
    hub.faults.slow = 0.2
    card = shown(page)
    press(card, "Download")
    until(lambda: offers(card, "Pause") and "/s" in words(card))
    assert len(answers.questions) == 1
    assert "Some licence" in (daemon_process.folder / "weights" / "licences.json").read_text("utf-8")
    press(card, "Pause")
    until(lambda: offers(card, "Resume"))
    hub.faults.slow = 0
    press(card, "Resume")
    until(lambda: "Ready" in words(card))
    assert len(answers.questions) == 1, "the licence is asked for once"
    weights = next((daemon_process.folder / "weights" / "model").glob(f"*/{WEIGHTS}"))
    assert weights.read_bytes() == FILES[WEIGHTS]
    damaged = bytearray(FILES[WEIGHTS])
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    press(card, "Verify")
    assert "Verifying…" in words(card)
    until(lambda: offers(card, "Repair"))
    press(card, "Repair")
    until(lambda: "Ready" in words(card) and offers(card, "Remove"))
    assert weights.read_bytes() == FILES[WEIGHTS]
    press(card, "Remove")
    until(lambda: offers(card, "Download"))
    assert not weights.exists()


def test_a_daemon_killed_in_the_middle_is_started_again_and_the_download_goes_on(
    hub: FakeHub, page: Window, daemon_process: RunningDaemon, until: Until, answers: Answers
) -> None:
    write_launcher_file(daemon_process.folder, command("daemon"), "0.1.0")
    hub.faults.slow = 0.2
    card = shown(page)
    press(card, "Download")
    until(lambda: page.weights_view._models["model"]["present"] > 500_000)
    daemon_process.kill()
    hub.faults.slow = 0
    try:
        # The tray itself starts the next daemon, as it does when somebody's daemon crashed.
        until(lambda: "Ready" in words(shown(page)), 60)
    finally:
        with daemon_process.client() as client:
            client.request("shutdown", {"when": "now"})
    weights = next((daemon_process.folder / "weights" / "model").glob(f"*/{WEIGHTS}"))
    assert weights.read_bytes() == FILES[WEIGHTS]
    resumed = [asked for method, path, asked, _ in hub.requests if method == "GET" and path.startswith("/store/")]
    assert resumed[-1].startswith("bytes=")


def test_a_401_is_explained_and_a_token_mends_it(
    hub: FakeHub, page: Window, daemon_process: RunningDaemon, until: Until, answers: Answers
) -> None:
    hub.faults.token = TOKEN
    card = shown(page)
    assert "token of the model hub" in words(card)
    press(card, "Download")
    until(lambda: "signed in (401)" in words(card))
    field = next(
        line for line in page.settings_view.findChildren(QLineEdit) if line.echoMode() == QLineEdit.EchoMode.Password
    )
    field.setText("two words")
    QTest.keyClick(field, Qt.Key.Key_Return)
    file = daemon_process.folder / "weights" / "token"
    assert not file.exists()
    field.setText(TOKEN)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert file.stat().st_mode & 0o777 == 0o600
    assert field.text() == ""
    press(card, "Download" if offers(card, "Download") else "Resume")
    until(lambda: "Ready" in words(card))
    assert TOKEN not in page.memory_view.report()
    log = (daemon_process.folder / "logs" / "daemon.log").read_text("utf-8")
    assert TOKEN not in log
    said = [label.text() for label in page.settings_view.findChildren(QLabel)]
    assert not any(TOKEN in text for text in said)
    forget = next(b for b in page.settings_view.findChildren(QPushButton) if b.accessibleName() == "Forget the token")
    QTest.mouseClick(forget, Qt.MouseButton.LeftButton)
    assert not file.exists()


def test_a_model_is_chosen_for_one_editor_on_its_card(
    window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    until(lambda: window.weights_view.findChildren(ModelCard))
    card = shown(window, next(iter(window.weights_view._models.values()))["title"])
    model = card._model["id"]
    card._uses["model_krita"].trigger()

    def settings() -> dict[str, object]:
        with daemon_process.client() as client:
            found: dict[str, object] = client.request("settings", {}).header["settings"]
            return found

    until(lambda: settings()["model_krita"] == model)
    until(card._uses["model_krita"].isChecked)
    assert not card._uses["model_gimp"].isChecked()
    card._uses["model_krita"].trigger()
    until(lambda: settings()["model_krita"] == "")


def test_a_dropped_file_is_used_where_it_is_until_it_is_taken_off_the_list(
    window: Window, daemon_process: RunningDaemon, until: Until, tmp_path: Path
) -> None:
    file = tmp_path / "My <b>face model.safetensors"
    file.write_bytes(FILES[WEIGHTS])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    page = window.weights_view
    action, button, keys = Qt.DropAction.LinkAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(QPoint(5, 5), action, data, button, keys),
        QDropEvent(QPoint(5, 5), action, data, button, keys),
    ):
        QApplication.sendEvent(page.viewport(), event)
    until(lambda: file.stem in [card.accessibleName() for card in page.findChildren(ModelCard)])
    listed = json.loads((daemon_process.folder / "weights" / "imports.json").read_text("utf-8"))
    assert listed == {"paths": [str(file)]}
    card = shown(window, file.stem)
    assert not offers(card, "Remove")
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in card.findChildren(QLabel))
    page._imported.menu().aboutToShow.emit()
    page._imported.menu().actions()[0].trigger()
    until(lambda: file.stem not in [card.accessibleName() for card in page.findChildren(ModelCard)])
    assert file.exists()


@pytest.mark.parametrize(
    ("available", "wanted"), [(0, "needs 8.0 GB"), (9_000_000_000, "; 9.0 GB are free"), (4_000_000_000, "only 4.0 GB")]
)
def test_memory_that_a_model_needs_is_compared_with_what_is_there(
    app: QApplication, available: int, wanted: str
) -> None:
    assert wanted in memory_line(8_000_000_000, available)


def test_an_answer_does_not_hide_what_was_told_since(app: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to "download" was worked out before the download ended, and comes after the news of it."""
    replies: list[tuple[str, Callable[..., None]]] = []

    def ask(_self: Daemon, op: str, _fields: object = None, on_reply: Any = None, *_more: object) -> None:
        replies.append((op, on_reply))

    monkeypatch.setattr(Daemon, "ask", ask)
    daemon = Daemon()
    page = WeightsView(daemon, ImportsFile())
    absent = {**MODEL, "state": "absent", "present": 0}
    daemon.model_changed.emit(absent)
    card = page.findChildren(ModelCard)[0]
    press(card, "Download")
    daemon.model_changed.emit({**MODEL, "state": "ready"})
    op, answer = replies.pop(0)
    assert op == "model"
    answer({"model": {**absent, "state": "downloading"}}, [])
    assert "Ready" in words(card)
    # So it asks once more, since what is asked for now is the newest; and what is told meanwhile still is newer.
    op, answer = replies[0]
    assert op == "models"
    daemon.model_changed.emit({**MODEL, "state": "broken"})
    answer({"models": [{**MODEL, "state": "ready"}]}, [])
    assert "Damaged" in words(card)
