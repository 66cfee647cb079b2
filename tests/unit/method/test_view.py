"""What the model is shown of a picture, and its result back in the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from s2edit.errors import CheckpointError
from s2edit.picture.framing import ARCHITECTURE, Frame, Framing, FramingNetwork, load_framing
from s2edit.picture.region import Box, square_around
from s2edit.picture.resolution import FRAMING
from s2edit.picture.view import edit_view, placed, view_of
from s2edit.requests import EditRequest, EditResult, ObjectSpec

CANVAS = (1600, 1200)


@pytest.mark.parametrize(
    ("frame", "mask", "found"),
    [
        ((820, 300, 640), None, (794, 274, 692, 692)),
        ((820, 300, 640), (1000, 480, 280, 120), (794, 274, 692, 692)),
        ((820, 300, 640), (780, 250, 720, 300), (780, 250, 720, 720)),  # a hat's brim reaches beyond
        ((820, 300, 640), (100, 100, 200, 200), None),  # painted elsewhere: the network can't know why
        ((-40, 700, 640), None, (0, 508, 692, 692)),
        ((1200, 600, 640), (1560, 620, 40, 40), (908, 508, 692, 692)),
        ((60, 60, 1000), None, (20, 20, 1080, 1080)),
        ((10, 10, 1500), None, None),
    ],
)
def test_the_square(frame: tuple[float, float, float], mask: Box | None, found: Box | None) -> None:
    assert square_around(frame, mask, CANVAS) == found


class Fixed(Framing):
    """Finds the same place in every picture."""

    def __init__(self, frame: Frame | None) -> None:
        super().__init__(FramingNetwork(), "")
        object.__setattr__(self, "frame", frame)

    def find(self, picture: torch.Tensor) -> Frame | None:
        found: Frame | None = self.frame  # type: ignore[attr-defined]
        return found


def test_a_narrow_picture_loses_nothing_that_was_painted() -> None:
    """The square is cut to the picture's height; a mask at its far side is then worth more than a good frame."""
    assert square_around((400, 0, 640), None, (1600, 500)) == (374, 0, 500, 500)
    assert square_around((400, 0, 640), (900, 200, 100, 60), (1600, 500)) is None


def test_everything_is_cut_alike_and_comes_back_in_its_place() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    mask = np.zeros((120, 160), np.uint8)
    mask[50:60, 70:90] = 255
    request = EditRequest(image, "a man", "a man with a hat", (ObjectSpec("man", mask),), mask)
    cut, view = edit_view(Fixed(Frame(62, 32, 59.2, 0.9)), request)
    assert view == (59, 29, 65, 65)
    assert np.array_equal(cut.image, image[29:94, 59:124])
    assert cut.edit_mask is not None and cut.objects[0].mask is not None
    assert np.array_equal(cut.edit_mask, mask[29:94, 59:124]) and np.array_equal(cut.objects[0].mask, cut.edit_mask)
    alpha = cut.edit_mask
    whole = placed(EditResult(cut.image, alpha, alpha, (11, 21, 20, 10), {"seed": 1}), view, (120, 160))
    assert np.array_equal(whole.alpha, mask) and np.array_equal(whole.object_mask, mask)
    assert whole.box == (70, 50, 20, 10)
    assert whole.record == {"seed": 1, "view": [59, 29, 65, 65]}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_goes_on_beyond_the_view_is_not_cut_off(dtype: Any) -> None:
    """A wall repainted behind a figure in a larger picture: no hard edge but at the picture's own border."""
    top = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    alpha = np.full((64, 64), top, dtype)
    patch, mask = np.zeros((64, 64, 3), dtype), np.zeros((64, 64), np.uint8)
    result = EditResult(patch, alpha, mask, (0, 0, 64, 64), {})
    whole = placed(result, (0, 20, 64, 64), (120, 160), fading=True)
    assert whole.alpha.dtype == dtype
    steps = np.abs(np.diff(whole.alpha.astype(float), axis=0, prepend=0, append=0))
    assert steps.max() <= top / 4 + 1
    assert whole.alpha[50, 0] == whole.alpha[50, 30] == top, "the left edge is the picture's"
    assert whole.alpha[50, 63] < top / 4
    assert whole.box == (0, 20, 64, 64)
    assert whole.record["fades"] is True
    middle = np.zeros((64, 64), dtype)
    middle[20:40, 20:40] = top
    inside = placed(EditResult(patch, middle, mask, (20, 20, 20, 20), {}), (0, 20, 64, 64), (120, 160), fading=True)
    assert inside.record["fades"] is False
    assert np.array_equal(inside.alpha[40:60, 20:40], middle[20:40, 20:40])
    painted = placed(result, (0, 20, 64, 64), (120, 160))
    assert painted.alpha[20:84, :64].min() == top


def test_nothing_found_is_the_whole_picture() -> None:
    image = np.zeros((120, 160, 4), np.uint16)
    assert view_of(Fixed(None), image, [None]) == (0, 0, 160, 120)
    assert view_of(None, image, [None]) == (0, 0, 160, 120)


def test_hidden_colours_don_t_move_the_frame() -> None:
    torch.manual_seed(1)
    framing = Framing(FramingNetwork().eval(), "")
    with torch.no_grad():
        list(framing.network.answer.parameters())[-1].copy_(torch.tensor([0.5, 0.5, 0.6, 20]))  # sure of itself
    image = np.random.default_rng(5).integers(0, 256, (90, 120, 4), dtype=np.uint8)
    image[:, :60, 3] = 0
    other = image.copy()
    other[:, :60, :3] = 255
    assert view_of(framing, image, []) == view_of(framing, other, [])


def written(folder: Path, settings: dict[str, object] | None = None) -> Path:
    place = folder / FRAMING
    place.mkdir()
    network = FramingNetwork()
    save_file(network.state_dict(), place / "model.safetensors")
    (place / "config.json").write_text(json.dumps(settings or network.config()), "utf-8")
    return folder


def test_it_is_read_beside_a_checkpoint(tmp_path: Path) -> None:
    assert load_framing(tmp_path) is None
    found = load_framing(written(tmp_path))
    assert found is not None and len(found.digest) == 16
    frame = found.find(torch.rand(1, 3, 90, 140))
    assert frame is None or frame.confidence >= 0.5


def test_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not know"):
        load_framing(written(tmp_path, {"architecture": "faces"}))


def test_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="64 px"):
        load_framing(written(tmp_path, {"architecture": ARCHITECTURE, "side": 96}))


def test_a_large_picture_is_looked_at_small() -> None:
    """The frame is the picture's, whatever size the network looked at."""
    large = np.zeros((1536, 2048, 3), np.uint8)
    assert view_of(Fixed(Frame(100, 50, 200, 0.9)), large, []) == (276, 126, 648, 648)
