"""What the daemon says in English is German in a German window, and stays English where no translation is known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QLineEdit
from s2edit_editor import text
from s2edit_tray.main import translator
from s2edit_tray.window import Window
from s2edit_wire.errors import WireError
from s2edit_wire.incoming import Incoming
from s2edit_wire.translations import LOCALE, RIGHT_TO_LEFT, catalogue, incoming_told, told

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

from .sentences import templates

Until = Callable[..., None]

LANGUAGES = sorted(path.stem for path in LOCALE.iterdir())
FIRST, LAST = "\u2068", "\u2069"
"""Around a value that keeps its own direction."""


@pytest.fixture
def german() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale("de"))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_daemon_has_a_translation(language: str) -> None:
    """A failure names sentences to be added to s2edit_wire/locale/LANGUAGE.json, `{}` for each value."""
    assert len(templates()) > 200
    assert sorted(templates() - set(catalogue(language))) == []


def test_every_language_has_the_same_entries() -> None:
    for language in LANGUAGES:
        assert set(catalogue(language)) == set(catalogue("de")), language


def test_the_daemon_speaks_whatever_language_a_program_of_ours_speaks() -> None:
    editors = {path.stem for path in text.LOCALE.iterdir()}
    assert sorted(editors) == LANGUAGES == ["ar", "de", "he"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_blanks(language: str) -> None:
    for english, translation in catalogue(language).items():
        blanks = re.findall(r"{(\d?)}", translation)
        assert english.count("{}") == len(blanks), english
        assert blanks == [""] * len(blanks) or sorted(blanks) == [str(number) for number in range(len(blanks))], english


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one in RIGHT_TO_LEFT])
def test_from_right_to_left_a_sentence_starts_at_the_right(language: str) -> None:
    """A line runs as its first letter does that stands in no isolate (UAX #9, P2): a Latin one would turn it round."""
    for translation in catalogue(language).values():
        assert translation.count(FIRST) == translation.count(LAST), translation
        bare = re.sub(f"{FIRST}[^{LAST}]*{LAST}", "", translation)
        directions = [unicodedata.bidirectional(letter) for letter in bare]
        strong = [direction for direction in directions if direction in ("L", "R", "AL")]
        assert strong[:1] != ["L"], translation


def marks(count: int) -> list[str]:
    return [*(f"X{number}X" for number in range(11, 11 + count)), ""]


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_come_through(language: str) -> None:
    for english in catalogue(language):
        filled = "".join(map("{}{}".format, english.split("{}"), marks(english.count("{}"))))
        values = re.findall(r"X\d+X", filled)
        translated = told(filled, language)
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
        (
            "The device has too little memory: level “full” needs 8.0 GiB and 2.0 GiB are free. Mask a smaller area.",
            "Das Gerät hat zu wenig Speicher: Die Stufe „full“ braucht 8.0 GiB, frei sind 2.0 GiB. "
            "Eine kleinere Fläche maskieren.",
        ),
        (
            "There is no room for these weights. 3.4 GiB are needed. Free some space and try again.",
            "Für diese Gewichte ist kein Platz. 3.4 GiB werden gebraucht. Platz schaffen und noch einmal versuchen.",
        ),
        (
            "The word “hat” is not in the prompt “A man. A dog.”. Send it again.",
            "Das Wort „hat“ steht nicht in der Beschreibung „A man. A dog.“. Es noch einmal senden.",
        ),
        ("“BLIP captions” can't edit pictures.", "„BLIP-Beschreibungen“ kann keine Bilder bearbeiten."),
        ("", ""),
    ],
)
def test_german(english: str, wanted: str) -> None:
    assert told(english, "de") == wanted
    assert told(english, "en") == told(english, "fr") == english


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one in RIGHT_TO_LEFT])
def test_values_keep_their_own_direction(language: str) -> None:
    assert f"{FIRST}done{LAST}" in told("The word “done” is not in the prompt “a man”.", language)


JOB = {"message": "The job was cancelled.", "edit": {"target": "Send it again."}}
ANSWERS = (
    Incoming(3, "reply", {"op": "reply", "job": JOB, "cursor": 3}),
    Incoming(
        3, "reply", {"op": "reply", "jobs": [JOB, JOB], "problems": [{"field": "mask", "message": "Paint it again."}]}
    ),
    Incoming(
        3, "error", {"op": "error"}, error=WireError("busy", "Too many requests at a time.", "Send it again.", 1.0)
    ),
)


def test_other_languages_stay_as_they_are() -> None:
    for answer in ANSWERS:
        assert incoming_told(answer, "en") is answer


def test_other_fields_stay_as_they_are() -> None:
    one, many, refused = (incoming_told(answer, "de") for answer in ANSWERS)
    job = {**JOB, "message": "Der Auftrag wurde abgebrochen."}
    assert one.header == {"op": "reply", "job": job, "cursor": 3}
    assert many.header["jobs"] == [job, job]
    assert many.header["problems"] == [{"field": "mask", "message": "Sie noch einmal malen."}]
    error = refused.error
    assert error is not None
    assert (error.code, error.message, error.hint) == (
        "busy",
        "Zu viele Anfragen auf einmal.",
        "Es noch einmal senden.",
    )
    assert error.retry_after == 1.0


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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "„Porträts (in S²Edit enthalten)“ hat „crown“, „bow“ nie gelernt und kann das nicht zeichnen."),
        ("he", "„crown”, „bow”"),
        ("ar", "«crown», «bow»"),
    ],
)
def test_words_are_quoted_as_the_language_quotes(language: str, said: str) -> None:
    text = "“Portraits (comes with S²Edit)” never learned “crown”, “bow”, and can't draw that."
    assert said in told(text, language)
