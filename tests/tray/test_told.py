"""What the daemon says in English is German in a German window, and stays English where no translation is known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QLineEdit
from s2edit_tray.main import translator
from s2edit_tray.text import catalogue
from s2edit_tray.told import header_told, told
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

from .sentences import templates
from .test_words import FOLDER

Until = Callable[..., None]


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("de"))
    yield
    QLocale.setDefault(before)


def test_every_sentence_of_the_daemon_has_a_german_one(german: None) -> None:
    """A failure names sentences to be added to locale/daemon.de.json, `{}` for each value."""
    known = catalogue("daemon.de")
    assert len(templates()) > 200
    assert sorted(templates() - set(known)) == []


def test_translations_keep_their_blanks() -> None:
    for english, german in catalogue("daemon.de").items():
        blanks = re.findall(r"{(\d?)}", german)
        assert english.count("{}") == len(blanks), english
        assert blanks == [""] * len(blanks) or sorted(blanks) == [str(number) for number in range(len(blanks))], english


def test_catalogues_are_of_known_languages() -> None:
    names = {path.name for path in (FOLDER / "locale").iterdir()}
    assert names == {"de.json", "daemon.de.json"}
    assert all(json.loads((FOLDER / "locale" / name).read_text("utf-8")) for name in names)


def marks(count: int) -> list[str]:
    return [*(f"X{number}X" for number in range(11, 11 + count)), ""]


def test_values_come_through(german: None) -> None:
    for english in catalogue("daemon.de"):
        filled = "".join(map("{}{}".format, english.split("{}"), marks(english.count("{}"))))
        values = re.findall(r"X\d+X", filled)
        translated = told(filled)
        assert translated != filled or english.count("{}") == len(english), english
        assert sorted(re.findall(r"X\d+X", translated)) == values, english


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        ("The job is running; cancel it first.", "Der Auftrag läuft; zuerst abbrechen."),
        ("The word “done” is not in the prompt “a man”.", "Das Wort „done“ steht nicht in der Beschreibung „a man“."),
        ("Damaged: u/w: its header is damaged.", "Beschädigt: u/w: der Kopf der Datei ist beschädigt."),
        ("The target prompt is empty. Send it again.", "Die Zielbeschreibung ist leer. Es noch einmal senden."),
        ("Something new happened. Send it again.", "Something new happened. Es noch einmal senden."),
        ("Something new happened.", "Something new happened."),
        ("", ""),
    ],
)
def test_german(german: None, english: str, wanted: str) -> None:
    assert told(english) == wanted


def test_other_languages_and_other_fields_stay_as_they_are() -> None:
    job = {"message": "The job was cancelled.", "edit": {"target": "Send it again."}}
    assert header_told({"job": job, "op": "event"}) == {"job": job, "op": "event"}


def test_other_fields_stay_as_they_are_in_german(german: None) -> None:
    job = {"message": "The job was cancelled.", "edit": {"target": "Send it again."}}
    wanted = {"message": "Der Auftrag wurde abgebrochen.", "edit": {"target": "Send it again."}}
    assert header_told({"jobs": [job, job], "cursor": 3}) == {"jobs": [wanted, wanted], "cursor": 3}


def test_a_german_window_says_what_the_real_daemon_says_in_german(
    german: None, window: Window, daemon_process: RunningDaemon, until: Until
) -> None:
    with daemon_process.client("gimp") as gimp:
        failed = submit(gimp, edit=fake(fault="exit"))
        finished(gimp, failed, timeout=60)
    until(lambda: (window.jobs.job(failed) or {}).get("state") == "failed")
    job = window.jobs.job(failed)
    assert job is not None
    assert job["message"] == "Der Arbeiter ist an diesem Auftrag zweimal gescheitert, zuletzt: Endstatus 7."
    assert job["hint"].startswith("Mehr steht im Protokoll des Dienstes.")
    page = window.settings_view
    mirror = next(line for line in page.findChildren(QLineEdit) if line.accessibleName().startswith("Spiegel"))
    mirror.setText("not an address")
    mirror.editingFinished.emit()
    until(lambda: any("muss eine Adresse sein" in label.text() for label in page.findChildren(QLabel)))


def test_qts_own_buttons_are_german_too(german: None, app: QApplication) -> None:
    words = translator()
    app.installTranslator(words)
    try:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Close)
        assert [button.text().replace("&", "") for button in buttons.buttons()] == ["Speichern", "Schließen"]
    finally:
        app.removeTranslator(words)
