"""How often a watermark, or any mark, is seen where there is none: prints tables of Markdown.

    python -m tests.benchmarks.false_alarms [--unmarked 1000] [--files 100] [--resume FILE] [PHOTO…]

`--unmarked`: so many pictures of 160 to 384 px, of all KINDS by turns, most of them scaled or recompressed as JPEG
after that, are looked at for the watermark. PHOTO: what the first kind is cut out of (else this repository's
screenshots). `--files`: so many files of neither kind (no edit of ours, no other generator's) in all FORMATS, with and
without metadata, are looked at by `detect` as a whole. With `--resume`, scores are noted in FILE as they come, and a
later run goes on behind them. One thread; set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from s2edit_marks import watermark
from s2edit_marks.detection import detect

from s2edit.research.starter.renderer import sample_portrait

Samples = NDArray[np.uint8]
Dice = np.random.Generator
PROJECT = Path(__file__).resolve().parents[2]
SIDES = (160, 385)
FORMATS = ("png", "jpeg", "webp", "tiff", "gif")
SEED = 40_000_000
"""Added to a picture's number; portraits of these seeds were never trained on."""
CAMERA = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/></rdf:RDF></x:xmpmeta>'  # noqa: E501
"""What a camera says: a digital source type, of no model."""


def stock(paths: list[Path]) -> list[Samples]:
    """Pictures to cut from."""
    wanted = paths or sorted((PROJECT / ".github/pictures").glob("*.png"))
    found = [np.asarray(Image.open(path).convert("RGB")) for path in wanted]
    return [picture for picture in found if min(picture.shape[:2]) >= SIDES[1]]


def cut(dice: Dice, side: int, stored: list[Samples]) -> Samples:
    whole = stored[int(dice.integers(len(stored)))]
    taken = int(dice.integers(side, min(whole.shape[:2]) + 1))
    y, x = (int(dice.integers(0, length - taken + 1)) for length in whole.shape[:2])
    piece = Image.fromarray(whole[y : y + taken, x : x + taken]).resize((side, side), Image.Resampling.LANCZOS)
    mirrored: Samples = np.asarray(piece)[:, :: int(dice.choice((-1, 1)))]
    return mirrored


def portrait(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    return sample_portrait(SEED + int(dice.integers(1_000_000)), side)[0]


def white_noise(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    return _samples(dice.normal(dice.uniform(60, 190), dice.uniform(2, 60), (side, side, 3)))


def pink_noise(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """Noise whose strength falls with frequency, as in clouds, grass and stone."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    falls = np.maximum(frequency, 1 / side) ** dice.uniform(0.5, 2)
    plane = np.fft.ifft2(np.fft.fft2(dice.standard_normal((side, side))) / falls).real
    return _samples(128 + dice.uniform(20, 60) * plane[:, :, None] / plane.std() * dice.uniform(0.5, 1, 3))


def ring_noise(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """Noise of the very frequencies that the watermark has, with other phases: the hardest kind."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side))) * watermark.TILE
    inside = (frequency >= watermark.RING[0]) & (frequency <= watermark.RING[1])
    plane = np.fft.ifft2(np.fft.fft2(dice.standard_normal((side, side))) * inside).real
    return _samples(128 + dice.uniform(3, 50) * np.repeat(plane[:, :, None] / plane.std(), 3, axis=2))


def gradient(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    y, x = np.mgrid[:side, :side] / side
    slope, curve = dice.uniform(-150, 150, (2, 3)), dice.uniform(-100, 100, 3)
    return _samples(128 + x[:, :, None] * slope[0] + y[:, :, None] * slope[1] + (x * y)[:, :, None] * curve)


def graphics(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """Flat shapes and lines, as in a diagram."""
    picture = Image.new("RGB", (side, side), _colour(dice))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(dice.integers(3, 40))):
        box = [*dice.integers(0, side, 2), *dice.integers(0, side, 2)]
        box = [*np.sort(box[::2]), *np.sort(box[1::2])]
        corners = [int(box[at]) for at in (0, 2, 1, 3)]
        (pen.ellipse, pen.rectangle, pen.line)[int(dice.integers(3))](corners, fill=_colour(dice))
    return np.asarray(picture)


def screenshot(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """Lines of text in windows."""
    dark = bool(dice.integers(2))
    picture = Image.new("RGB", (side, side), (30, 32, 36) if dark else (250, 250, 248))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, side, 18), fill=_colour(dice))
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz     .,"))
    step = int(dice.integers(11, 20))
    for y in range(24, side, step):
        line = "".join(dice.choice(letters, int(dice.integers(5, side // 5))))
        pen.text((6 + 10 * int(dice.integers(3)), y), line, fill=(210, 210, 200) if dark else (20, 20, 20))
    return np.asarray(picture)


def periodic(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """A tile repeated, of the watermark's period, too: weaving, bricks, halftone."""
    period = int(dice.choice((8, 16, 21, 32, 48, watermark.TILE, 2 * watermark.TILE)))
    tile = dice.normal(128, dice.uniform(5, 60), (period, period, 1))
    soft = np.asarray(Image.fromarray(_samples(tile)[:, :, 0]).filter(ImageFilter.GaussianBlur(dice.uniform(0, 2))))
    times = -(-side // period)
    return np.repeat(np.tile(soft, (times, times))[:side, :side, None], 3, axis=2)


def julia(dice: Dice, side: int, _stored: list[Samples]) -> Samples:
    """A fractal: fine structure at all scales, from no camera."""
    y, x = np.mgrid[-1.4 : 1.4 : side * 1j, -1.4 : 1.4 : side * 1j]
    point, count = x + 1j * y, np.zeros((side, side))
    turn = 0.7885 * np.exp(1j * dice.uniform(0, 2 * np.pi))
    for _ in range(40):
        near = np.abs(point) < 2
        point[near] = point[near] ** 2 + turn
        count += near
    return _samples(count[:, :, None] * dice.uniform(2, 6, 3) + dice.uniform(0, 60, 3))


KINDS: dict[str, Callable[[Dice, int, list[Samples]], Samples]] = {
    "cut from pictures": cut,
    "drawn portrait": portrait,
    "white noise": white_noise,
    "pink noise": pink_noise,
    "noise of the mark's frequencies": ring_noise,
    "gradient": gradient,
    "flat graphics": graphics,
    "screenshot of text": screenshot,
    "repeated tile": periodic,
    "fractal": julia,
}


def picture(number: int, stored: list[Samples]) -> tuple[str, Samples]:
    """The unmarked picture of this number: its kind, and H x W x 3 samples; always the same."""
    dice = np.random.default_rng(SEED + number)
    kind = list(KINDS)[number % len(KINDS)]
    made = Image.fromarray(KINDS[kind](dice, int(dice.integers(*SIDES)), stored))
    if dice.integers(2):
        made = made.resize([round(side * dice.uniform(0.7, 1.3)) for side in made.size], Image.Resampling.BICUBIC)
    if dice.integers(3):
        file = io.BytesIO()
        made.save(file, "jpeg", quality=int(dice.integers(40, 97)))
        made = Image.open(file)
    return kind, np.asarray(made)


def scores(count: int, stored: list[Samples], notes: Path | None) -> list[float]:
    """The detector's score of each picture, noted as they come."""
    known: list[float] = json.loads(notes.read_text()) if notes and notes.exists() else []
    while len(known) < count:
        known.append(round(watermark.detect(picture(len(known), stored)[1]).score, 3))
        if notes and (len(known) % 10 == 0 or len(known) == count):
            draft = notes.with_name(f"{notes.name}.draft")
            draft.write_text(json.dumps(known))
            draft.replace(notes)
    return known[:count]


def table(found: list[float]) -> str:
    """Alarms and the highest score, for each kind and for all."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    for number, score in enumerate(found):
        by_kind[list(KINDS)[number % len(KINDS)]].append(score)
    rows = [*by_kind.items(), ("all", found)]
    lines = ["| unmarked pictures | of them seen as marked | highest score |", "|---|---|---|"]
    for kind, these in rows:
        alarms = sum(score >= watermark.THRESHOLD for score in these)
        lines.append(f"| {kind} | {alarms} of {len(these)} | {max(these):.2f} |")
    return "\n".join(lines)


def files(count: int, stored: list[Samples]) -> list[tuple[str, list[str]]]:
    """For each file of neither kind in which `detect` saw a model's hand: its name, and what was said."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            kind, samples = picture(number, stored)
            form = FORMATS[number // len(KINDS) % len(FORMATS)]
            path = Path(folder, f"{number}.{form}")
            said: dict[str, Any] = {} if form == "gif" or number % 2 else {"exif": _exif()}
            if form in ("jpeg", "webp") and number % 3 == 0:
                said["xmp"] = CAMERA
            Image.fromarray(samples).save(path, form, **said)
            finding = detect(path)
            if finding.says_model or finding.unread:
                wrong.append((f"{kind}, {form}", finding.sentences))
            path.unlink()
    return wrong


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0131], exif[0x010F] = "darktable 4.6", "A camera"
    return exif


def _colour(dice: Dice) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in dice.integers(0, 256, 3))
    return red, green, blue


def _samples(values: NDArray[Any]) -> Samples:
    rounded: Samples = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--unmarked", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--resume", type=Path, metavar="FILE")
    given = parser.parse_args()
    stored = stock(given.photos)
    print(f"Threshold {watermark.THRESHOLD}; a fresh mark has to reach {watermark.SELF_CHECK}.\n")
    print(table(scores(given.unmarked, stored, given.resume)), flush=True)
    wrong = files(given.files, stored)
    print(f"\n`detect` saw a model's hand in {len(wrong)} of {given.files} files of neither kind.")
    for name, said in wrong:
        print(f"- {name}: {' '.join(said)}")


if __name__ == "__main__":
    main()
