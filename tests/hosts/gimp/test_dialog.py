"""What a painter meets in the dialog besides a plain edit, in the real GIMP: other versions, models, pictures, objects.

Screenshots of each step are among the artefacts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from s2edit_editor.wish import dial_names
from s2edit_wire.records import PROFILES

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, REVISION, small_model
from tests.protocol.router import Router

from ..lab import Lab, wait_for
from ..scenarios import COMPOSED, MAIN, PHOTOGRAPH, draw_portrait
from ..screen import Screen
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts

TOO_NEW = "This plug-in is older than S²Edit's daemon."
REFUSAL = {"op": "error", "code": "unsupported_version", "message": TOO_NEW, "hint": "Update the plug-in."}
OWN = small_model()
FACE = (((0.40, 0.50), (0.60, 0.50)),)
"""A stroke of a second object's mask."""
JOBS, DIALOG = "^S²Edit Jobs$", "^S²Edit$"


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody with a drawn portrait open, and neither a daemon nor an installation; a model of a local hub's."""
    with FakeHub(OWN.repo, REVISION, FILES) as hub, Lab("gimp-dialog") as lab:
        own = lab.state / "weights" / "catalogue.json"
        own.parent.mkdir(mode=0o700)
        own.write_text(json.dumps({"models": [msgspec.to_builtins(OWN)]}), encoding="utf-8")
        (lab.state / "settings.json").write_text(json.dumps({"mirror": hub.base}), encoding="utf-8")
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        yield painter
        assert painter.desk.complaints() == []


@pytest.fixture(autouse=True)
def tidied(person: Person) -> Iterator[None]:
    """No window of a test is left for the next."""
    yield
    for title in ("^Convert to RGB$", "^Download Model$", DIALOG, JOBS):
        person.screen.dismiss(title)


@pytest.fixture
def served(person: Person) -> None:
    """S²Edit is installed: the dialog starts the daemon where none runs."""
    lab = person.desk.lab
    if not (lab.state / "launcher.json").exists():
        lab.write_launcher(offline=False)


def newest(person: Person) -> dict[str, Any]:
    """The finished job that was made last."""
    lab = person.desk.lab
    done = [*lab.jobs(["done"], acknowledged=True), *lab.jobs(["done"], acknowledged=False)]
    return max(done, key=lambda job: float(job["created"]))


def digests(person: Person, job: dict[str, Any], role: str) -> list[str]:
    """Digests of the pictures in this role that a job came with."""
    return [frame["sha256"] for frame in person.desk.lab.sent(job["job"]) if frame["role"] == role]


def repeats(person: Person, job: dict[str, Any], layers: int, role: str) -> None:
    """Run with last values: the same edit, with the same pictures in this role; the image has so many layers then."""
    person.select_lowest_layer()
    person.repeat_last()
    person.wait_layers(layers)
    repeated = newest(person)
    assert repeated["edit"] == job["edit"], "last values are all of it"
    assert digests(person, repeated, role) == digests(person, job, role)


def digest_of(path: Path) -> str:
    """The digest of an opaque picture as GIMP reads it."""
    picture = np.asarray(Image.open(path))
    return hashlib.sha256(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]).tobytes()).hexdigest()


def shown(person: Person) -> list[bool]:
    """Whether each layer is visible, from the top down."""
    return [layer["visible"] for layer in person.state()["layers"]]


def test_another_version_and_a_missing_installation_are_told_of_in_words(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    with Router(lab.state, hello=REFUSAL):
        dialog = person.open_dialog()
        person.wait_told(TOO_NEW)
        screen.photograph("another-version")
    person.wait_told("S²Edit is not installed on this computer.")
    screen.photograph("not-installed")
    lab.write_launcher(offline=False)
    screen.activate(dialog)
    screen.key("alt+r")
    wait_for(lab.daemon_answers, "the daemon to be started by the dialog", 60)
    person.type_words(MAIN)
    person.submit(dialog)
    person.wait_layers(2)


@pytest.mark.usefixtures("served")
def test_in_a_german_dialog_the_daemons_sentences_are_german(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    person.prepare()
    person.desk.speak("de")
    try:
        person.open_dialog()
        for key, words in (("alt+e", MAIN.source), ("alt+s", MAIN.target), ("alt+o", "dragon")):
            screen.key(key, "ctrl+a")
            screen.type(words)
        refused = person.desk.ask("refused", source=MAIN.source, target=MAIN.target, object="dragon")
        assert refused["status"].endswith("error")
        assert f"Das Wort „dragon“ steht nicht in der Beschreibung „{MAIN.source}“." in refused["message"]
        screen.photograph("german-problem")
        lab.stop_daemon()
        person.wait_told("S²Edit läuft nicht. Starten mit: s2edit daemon start", "alt+x")
        screen.photograph("german-without-a-daemon")
    finally:
        person.desk.speak("")


@pytest.mark.usefixtures("served")
def test_each_painted_mask_layer_is_an_object_and_both_go_with_one_undo(person: Person) -> None:
    screen = person.screen
    person.prepare()
    person.open_dialog()
    person.type_words(MAIN)
    person.paint_mask(MAIN.mask)
    person.open_dialog()
    person.paint_mask(FACE)
    assert [layer["name"] for layer in person.state()["layers"][:2]] == ["Object mask 2", f"Object mask: {MAIN.word}"]
    dialog = person.open_dialog()

    def named() -> bool:
        """The second object's field comes once the dialog has looked at the masks."""
        screen.key("alt+b", "Tab", "Tab", "ctrl+a")
        screen.type("woman")
        screen.key("ctrl+a", "ctrl+c")
        return bool(person.desk.ask("clipboard")["text"] == "woman")

    wait_for(named, "the second object's word", 60, every=1.0)
    person.submit(dialog)
    person.wait_layers(4)
    wait_for(lambda: shown(person) == [False, False, True, True], "both masks to be hidden", 30)
    screen.photograph("two-objects")
    job = newest(person)
    assert job["edit"]["objects"] == [{"word": MAIN.word, "masked": True}, {"word": "woman", "masked": True}]
    assert len(set(digests(person, job, "object_mask"))) == 2

    repeats(person, job, 5, "object_mask")
    screen.activate(person.window)
    screen.key("ctrl+z")
    person.wait_layers(4)
    screen.key("ctrl+z")
    wait_for(lambda: shown(person) == [True, True, True], "the result to be gone, and the masks to be back", 30)


@pytest.mark.usefixtures("served")
def test_what_is_not_touched_is_the_models_own_and_shown(person: Person) -> None:
    screen = person.screen
    person.prepare()
    person.open_dialog()
    person.type_words(MAIN)
    screen.key("alt+a")
    screen.photograph("own-values")  # GTK goes from field to field by their places, which they have once they are drawn
    screen.key(*["Tab"] * dial_names().index("blend.context"))
    person.wait_told("4.00", "ctrl+a", "ctrl+c")  # all, since a value that comes late leaves nothing selected
    screen.type("0.5")
    screen.key("alt+e")  # without Enter: a button's key leaves the number as it is typed
    screen.wait_window(JOBS, 60)
    person.wait_layers(2)
    assert newest(person)["edit"]["settings"] == {"blend.context": 0.5}


@pytest.mark.usefixtures("served")
def test_settings_are_kept_by_name_for_both_editors(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    person.prepare()
    dialog = person.open_dialog()
    person.type_words(MAIN)
    screen.key("alt+f", "Home", *["Down"] * PROFILES.index("fast"), "Tab", "space")
    time.sleep(0.5)
    screen.photograph("presets-empty")
    screen.key("Down", "Return")  # “Save as preset…”
    screen.activate(screen.wait_window("^Presets$", 30))
    screen.type("Soft & <b>wide</b>")
    screen.photograph("preset-name")
    screen.key("Return")
    screen.wait_gone("^Presets$")
    (file,) = (lab.state / "presets").iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["name"] == "Soft & <b>wide</b>"

    screen.activate(dialog)
    screen.key("alt+f", "Home", "Tab", "space")
    time.sleep(0.5)
    screen.photograph("presets")
    screen.key("Down", "Return")
    screen.key("alt+l", "ctrl+End", "Return", "Return")  # lines that the model hears nothing of
    screen.photograph("several-lines")
    person.submit(dialog)
    person.wait_layers(2)
    edit = newest(person)["edit"]
    assert (edit["profile"], edit["target"]) == ("fast", MAIN.target)
    file.unlink()


@pytest.mark.usefixtures("served")
def test_something_is_taken_over_from_another_layer(person: Person) -> None:
    screen = person.screen
    person.prepare(copies=["other"])
    dialog = person.open_dialog()
    person.type_words(COMPOSED)
    screen.key("alt+t", "Down", "Tab")  # the first layer, then what it shows
    screen.type(COMPOSED.reference)
    screen.photograph("reference-layer")
    person.submit(dialog)
    person.wait_layers(3)
    job = newest(person)
    assert (job["edit"]["kind"], job["edit"]["reference_prompt"]) == ("compose", COMPOSED.reference)
    assert digests(person, job, "reference") == [digest_of(person.picture)]

    repeats(person, job, 4, "reference")


@pytest.mark.usefixtures("served")
def test_something_is_taken_over_from_a_file_and_the_same_again(person: Person) -> None:
    screen, other = person.screen, draw_portrait(person.desk.lab.folder / "other.png", 64)
    person.prepare()
    dialog = person.open_dialog()
    person.type_words(COMPOSED)
    person.pick_reference(other)
    screen.type(COMPOSED.reference)
    screen.photograph("reference-file")
    person.submit(dialog)
    person.wait_layers(2)
    first = newest(person)
    assert first["edit"]["kind"] == "compose"
    assert digests(person, first, "reference") == [digest_of(other)]

    repeats(person, first, 3, "reference")

    screen.activate(person.window)
    screen.key("Home")  # the newest result
    dialog = person.choose_again()
    screen.photograph("composition-again")
    person.submit(dialog)
    person.wait_layers(4)
    again = newest(person)
    assert again["edit"]["kind"] == "compose"
    assert digests(person, again, "reference") == [digest_of(other)], "the recipe knows where it was from"


def test_for_a_photograph_the_model_that_fits_is_offered_and_another_is_downloaded(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    # With the fake worker any model will do, and nothing is said of them.
    lab.write_launcher(fake=False, offline=False)
    lab.stop_daemon()
    taken = shutil.copy(PHOTOGRAPH, lab.folder / "photograph.jpg")
    person.prepare(photograph=str(taken))
    dialog = person.open_dialog()
    person.type_words(MAIN)
    screen.photograph("advice")

    def question(*keys: str) -> str:
        """Press keys until the question about the licence is there."""

        def asked() -> str | None:
            found = screen.windows("^Download Model$")
            if not found:
                screen.activate(dialog)
                screen.key(*keys)
            return found[-1] if found else None

        return wait_for(asked, "the question about the licence", 60, every=1.0)

    question("alt+u", "alt+g")
    screen.photograph("the-model-that-fits")
    screen.dismiss("^Download Model$")
    assert not lab.model("sd-v1-4")["licence_accepted"]
    assert lab.model("sd-v1-4")["state"] == "absent"

    screen.activate(dialog)
    screen.key("alt+o", "End")
    licence = question("alt+g")
    screen.photograph("licence")
    screen.activate(licence)
    screen.key("Return")
    wait_for(lambda: lab.model(OWN.id)["state"] == "ready", "the download", 60)
    assert lab.model(OWN.id)["licence_accepted"]
    screen.photograph("downloaded")


def test_an_indexed_picture_is_converted_if_the_painter_agrees(person: Person) -> None:
    screen = person.screen
    before = person.prepare(indexed=True)
    assert before["base"] == "indexed"
    person.choose_edit()
    screen.activate(screen.wait_window("^Convert to RGB$", 60))
    screen.photograph("indexed")
    screen.dismiss("^Convert to RGB$")
    assert person.state() == before

    person.choose_edit()
    screen.activate(screen.wait_window("^Convert to RGB$", 60))
    screen.key("Return")
    screen.wait_window(DIALOG, 60)
    assert person.state()["base"] == "rgb"
    screen.dismiss(DIALOG)
    screen.activate(person.window)
    screen.key("ctrl+z")
    wait_for(lambda: person.state()["base"] == "indexed", "the conversion to be undone", 30)
