"""What the scripted user does, as data: the GIMP and the Krita driver act out the same scenes.

Positions are fractions of the picture's width and height, so that they hold at any zoom.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from s2edit_editor.delivery import layer_name

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.jpg"
Fractions = tuple[tuple[float, float], ...]
"""Points x, y from 0.0 (left, top) to 1.0 that one brush stroke goes through."""


@dataclass(frozen=True)
class Scene:
    """One edit by a person, and what comes after it.

    Args:
        name: names the artefacts.
        source, target, word: what to type: what the picture shows, should show, and the word of the object.
        mask: brush strokes of the object's mask.
        doodle: a stroke that the person paints on the picture while the job runs, away from the mask.
        second_target: for “run again”.
        profile: which profile to choose.
        step_ms: length of a step of the fake worker, so that there is time to paint on.
    """

    name: str
    source: str
    target: str
    word: str
    mask: tuple[Fractions, ...]
    doodle: Fractions
    second_target: str
    profile: str = "balanced"
    step_ms: int = 600


MAIN = Scene(
    name="main",
    source="a portrait of a woman with a hat",
    target="a portrait of a woman with a crown",
    word="hat",
    mask=(
        ((0.28, 0.20), (0.72, 0.20)),
        ((0.30, 0.27), (0.70, 0.27)),
        ((0.34, 0.13), (0.66, 0.13)),
    ),
    doodle=((0.06, 0.90), (0.20, 0.94), (0.30, 0.88)),
    second_target="a portrait of a woman with a bow",
)
"""The main path of both editors."""


@dataclass(frozen=True)
class Composition:
    """Something taken over from another picture.

    Args:
        source, word: what the picture shows, and its object. reference: what the other picture shows.
        target: what the picture should show, with a word of the reference.
    """

    source: str
    word: str
    reference: str
    target: str


COMPOSED = Composition(
    source=MAIN.source,
    word=MAIN.word,
    reference="a portrait of a man with glasses",
    target="a portrait of a woman with a hat and glasses",
)
"""The other picture's glasses."""

KILLED = Scene(
    name="killed",
    source=MAIN.source,
    target=MAIN.target,
    word=MAIN.word,
    mask=MAIN.mask,
    doodle=MAIN.doodle,
    second_target=MAIN.second_target,
)
"""The daemon is killed (kill -9) in the middle of this edit and started again; the layer must arrive all the same."""


EMBEDDED = Scene(
    name="embedded",
    source="a smiling man with brown hair and sunglasses",
    target="a smiling man with brown hair and glasses",
    word="sunglasses",
    mask=(((0.30, 0.46), (0.70, 0.46)),),
    doodle=((0.06, 0.94), (0.16, 0.96)),
    second_target="a smiling man with brown hair and eyeglasses",
    profile="fast",
)
"""For the embedded model itself: a picture and words that it knows."""


def result_name(source: str, target: str) -> str:
    """What both editors call the result layer."""
    return layer_name({"source": source, "target": target})


def is_result(name: str) -> bool:
    """Whether a layer is called by what an edit has changed."""
    return name.startswith(("+ ", "− ")) or " → " in name


def render_portrait(path: Path, size: int = 256) -> Path:
    """The picture of EMBEDDED, as the embedded model's own renderer draws it."""
    # Here and not above: only this one needs the renderer, and the editors' other tests do without it.
    from s2edit.research.starter.attributes import Portrait
    from s2edit.research.starter.renderer import render

    Image.fromarray(render(Portrait(accessory="sunglasses"), size)).save(path)
    return path


def draw_portrait(path: Path, size: int = 256) -> Path:
    """A plain drawn portrait with a hat for tests without the real model; written as 8-bit RGB, format by suffix."""
    picture = Image.new("RGB", (size, size), (176, 205, 224))
    pen = ImageDraw.Draw(picture)

    def at(*fractions: float) -> list[float]:
        return [fraction * size for fraction in fractions]

    pen.rectangle(at(0.2, 0.78, 0.8, 1.0), fill=(92, 70, 140))
    pen.rectangle(at(0.43, 0.66, 0.57, 0.82), fill=(226, 178, 140))
    pen.ellipse(at(0.27, 0.22, 0.73, 0.74), fill=(60, 40, 30))
    pen.ellipse(at(0.31, 0.24, 0.69, 0.74), fill=(240, 194, 156))
    pen.ellipse(at(0.38, 0.42, 0.45, 0.47), fill=(40, 40, 60))
    pen.ellipse(at(0.55, 0.42, 0.62, 0.47), fill=(40, 40, 60))
    pen.arc(at(0.42, 0.52, 0.58, 0.64), 20, 160, fill=(170, 60, 60), width=max(2, size // 90))
    pen.rectangle(at(0.22, 0.25, 0.78, 0.31), fill=(122, 40, 40))
    pen.rectangle(at(0.32, 0.08, 0.68, 0.27), fill=(150, 48, 48))
    picture.save(path)
    return path
