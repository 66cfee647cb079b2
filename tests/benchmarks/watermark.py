"""What the watermark bears, how often it is seen where it is not, and how libraries do: prints tables of Markdown.

    python -m tests.benchmarks.watermark PHOTO… [--sides 96 128 …] [--unmarked 1000] [--libraries FOLDER]

Each photo's middle square gets an edit of so many pixels, round, with a soft rim. FOLDER: where invisible-watermark
0.2.0 and blind-watermark 0.4.4 (with opencv-python-headless, PyWavelets, onnxruntime) were installed by
`pip install --no-deps --target FOLDER …`: they mark the edit's square, and read it at the place and size that they are
told, which nobody knows of a picture found somewhere. A library's 32 bits count as read when 29 are right.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from s2edit_marks import watermark

Samples = NDArray[Any]
SIDES = (96, 128, 192, 256)
PHOTO = 512
"""Side of the square that is cut out of each photo, px."""
BITS = np.random.default_rng(0).integers(0, 2, 32)


def jpeg(picture: Samples, quality: int) -> Samples:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def scaled(picture: Samples, factor: float) -> Samples:
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def half(picture: Samples) -> Samples:
    """A cut to half of the sides, with the edit's larger part in it."""
    side = PHOTO // 2
    return picture[side // 2 + 13 :][:side, side // 2 - 9 :][:, :side]


ATTACKS: dict[str, Callable[[Samples], Samples]] = {
    "nothing": lambda picture: picture,
    "JPEG 95": lambda picture: jpeg(picture, 95),
    "JPEG 75": lambda picture: jpeg(picture, 75),
    "JPEG 50": lambda picture: jpeg(picture, 50),
    "50 %": lambda picture: scaled(picture, 0.5),
    "150 %": lambda picture: scaled(picture, 1.5),
    "cut to half": half,
    "screenshot": lambda picture: jpeg(scaled(picture, 0.8), 80),
}


def photo(path: Path) -> Samples:
    """The middle square of a photo, PHOTO x PHOTO RGB."""
    picture = Image.open(path).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((PHOTO, PHOTO), Image.Resampling.LANCZOS))


def edit_box(side: int) -> tuple[slice, slice]:
    start = (PHOTO - side) // 2
    return slice(start, start + side), slice(start, start + side)


def alpha(side: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:side, :side]
    far = np.hypot(x - side / 2, y - side / 2)
    plane: NDArray[np.uint8] = np.clip((side / 2 - far) * 40, 0, 255).astype(np.uint8)
    return plane


def laid_over(picture: Samples, patch: Samples, side: int) -> Samples:
    result, weight = picture.astype(float), alpha(side)[:, :, None] / 255
    result[edit_box(side)] += (patch - result[edit_box(side)]) * weight
    whole: Samples = np.rint(result).astype(np.uint8)
    return whole


def psnr(one: Samples, other: Samples) -> float:
    return float(10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean()))


def ssim(one: Samples, other: Samples) -> float:
    """Structural similarity of the luminance (Wang et al., 2004), as torchmetrics has it."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure as measure

    planes = [torch.from_numpy(watermark.luminance(picture))[None, None] for picture in (one, other)]
    return float(measure(planes[0], planes[1], data_range=255.0))


def own(photos: list[Samples], sides: list[int]) -> None:
    print("| edit, px | carried | PSNR, dB | SSIM | " + " | ".join(ATTACKS) + " |")
    print("|---|---|---|---|" + "---|" * len(ATTACKS))
    spent = []
    for side in sides:
        marked, quality = [], []
        for picture in photos:
            patch = picture[edit_box(side)]
            begun = time.perf_counter()
            made, score = watermark.embed(patch, alpha(side))
            spent.append(time.perf_counter() - begun)
            if score >= watermark.SELF_CHECK:
                marked.append(laid_over(picture, made, side))
                inside = alpha(side) > 0
                quality.append((psnr(made[inside], patch[inside]), ssim(made, patch)))
        seen = [sum(watermark.detect(attack(one)).sure for one in marked) for attack in ATTACKS.values()]
        means = np.mean(quality, axis=0) if quality else (np.nan, np.nan)
        cells = [f"{count} of {len(marked)}" for count in seen]
        carried = f"{len(marked)} of {len(photos)}"
        print(f"| {side} | {carried} | {means[0]:.1f} | {means[1]:.3f} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nMarking took {np.median(spent):.3f} s (median).")


def unmarked(photos: list[Samples], count: int) -> None:
    dice = np.random.default_rng(1)
    worst = []
    for number in range(count):
        picture = photos[number % len(photos)]
        side = int(dice.integers(160, PHOTO // 2))
        x, y = dice.integers(0, PHOTO - side, 2)
        piece = picture[y : y + side, x : x + side]
        piece = piece[:, ::-1] if dice.integers(2) else piece
        worst.append(
            watermark.detect(jpeg(scaled(piece, float(dice.uniform(0.7, 1.4))), int(dice.integers(50, 96)))).score
        )
    alarms = sum(score >= watermark.THRESHOLD for score in worst)
    highest = f"highest score {max(worst):.2f}, threshold {watermark.THRESHOLD}"
    print(f"\nUnmarked pictures: {alarms} of {count} seen as marked; {highest}.", flush=True)


def libraries(photos: list[Samples], side: int = 256) -> None:
    import cv2  # type: ignore[import-not-found]
    from blind_watermark import WaterMark  # type: ignore[import-not-found]
    from imwatermark import WatermarkDecoder, WatermarkEncoder  # type: ignore[import-not-found]

    WatermarkEncoder.loadModel()

    def invisible(method: str) -> tuple[Callable[[Samples], Samples], Callable[[Samples], Any]]:
        encoder, decoder = WatermarkEncoder(), WatermarkDecoder("bits", 32)
        encoder.set_watermark("bits", list(BITS))
        return lambda patch: encoder.encode(patch, method), lambda patch: decoder.decode(patch, method)

    def blind_mark(patch: Samples) -> Any:
        tool = WaterMark(password_img=1, password_wm=1)
        tool.read_img(img=patch)
        tool.read_wm(BITS.astype(bool), mode="bit")
        return np.clip(tool.embed(), 0, 255).astype(np.uint8)

    def blind_read(patch: Samples) -> Any:
        return WaterMark(password_img=1, password_wm=1).extract(embed_img=patch, wm_shape=32, mode="bit") > 0.5

    ways = {f"invisible-watermark {name}": invisible(name) for name in ("dwtDct", "dwtDctSvd", "rivaGan")}
    ways["blind-watermark"] = (blind_mark, blind_read)
    print(f"\nLibraries, edit of {side} px, told where it is:\n")
    print("| library | PSNR, dB | " + " | ".join(ATTACKS) + " |\n|---|---|" + "---|" * len(ATTACKS))
    start = (PHOTO - side) // 2
    for name, (mark, read) in ways.items():
        seen, quality = dict.fromkeys(ATTACKS, 0), []
        for picture in photos:
            patch = np.ascontiguousarray(picture[edit_box(side)][:, :, ::-1])
            made = mark(patch)
            quality.append(psnr(made, patch))
            whole = laid_over(picture, made[:, :, ::-1], side)
            for attack, act in ATTACKS.items():
                after = act(whole)
                if attack == "cut to half":  # as much of the edit's square as is left, at its place
                    left, top = start - (PHOTO // 4 - 9), start - (PHOTO // 4 + 13)
                    square = after[max(0, top) : top + side, max(0, left) : left + side]
                else:
                    back = np.asarray(Image.fromarray(after).resize((PHOTO, PHOTO), Image.Resampling.LANCZOS))
                    square = back[edit_box(side)]
                if min(square.shape[:2]) < 256:
                    square = cv2.resize(square, (256, 256))
                bits = np.asarray(read(np.ascontiguousarray(square[:, :, ::-1]))).astype(int)
                seen[attack] += int((bits == BITS).sum() >= 29)
        cells = [f"{count} of {len(photos)}" for count in seen.values()]
        print(f"| {name} | {np.mean(quality):.1f} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--sides", type=int, nargs="+", default=list(SIDES), metavar="PX")
    parser.add_argument("--unmarked", type=int, default=1_000)
    parser.add_argument("--libraries", type=Path)
    given = parser.parse_args()
    photos = [photo(path) for path in given.photos]
    print(f"{len(photos)} photos; threshold {watermark.THRESHOLD}, a fresh mark has to reach {watermark.SELF_CHECK}.\n")
    own(photos, given.sides)
    if given.libraries:
        sys.path.append(str(given.libraries))
        libraries(photos)
    if given.unmarked:
        unmarked(photos, given.unmarked)


if __name__ == "__main__":
    main()
