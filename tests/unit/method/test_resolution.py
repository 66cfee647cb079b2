"""How finely an edit can be drawn, as it is told before."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2edit.picture.region import Box
from s2edit.picture.resolution import FRAMING, UPSCALER, resolution


@pytest.mark.parametrize(
    ("crop", "mask_box", "model_size", "size", "finest", "coarse"),
    [
        pytest.param((0, 0, 128, 128), None, (128, 128), (128, 128), 1.0, False, id="as large as the model's"),
        pytest.param((0, 0, 64, 64), None, (128, 128), (128, 128), 1.0, False, id="smaller than the model's"),
        pytest.param((0, 0, 1600, 1200), (40, 40, 361, 161), (128, 160), (36, 17), 10.0, False, id="in a large one"),
        pytest.param((0, 0, 1600, 1200), (40, 40, 361, 70), (128, 160), (36, 7), 10.0, True, id="less than a cell"),
        pytest.param((300, 300, 160, 160), (340, 340, 80, 16), (512, 512), (256, 51), 1.0, False, id="cut out"),
        pytest.param((0, 0, 900, 100), (5, 5, 1, 1), (128, 256), (1, 1), 3.52, True, id="squeezed, a dot"),
    ],
)
def test_the_models_pixels_and_the_pictures(
    crop: Box, mask_box: Box | None, model_size: tuple[int, int], size: tuple[int, int], finest: float, coarse: bool
) -> None:
    fine = resolution(crop, mask_box, model_size, None)
    assert (fine.size, fine.finest, fine.is_coarse, fine.framed) == (size, finest, coarse, False)


def test_what_lies_beside_the_checkpoint_counts(tmp_path: Path) -> None:
    """An upscaler draws more finely; a model that looks for its figure shows it larger than the crop alone tells."""
    crop, box = (0, 0, 1024, 1024), (10, 10, 40, 40)
    alone = resolution(crop, box, (128, 128), tmp_path)
    assert (alone.finest, alone.is_coarse) == (8.0, True)
    for folder in (UPSCALER, FRAMING):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.safetensors").touch()
    helped = resolution(crop, box, (128, 128), tmp_path)
    assert (helped.size, helped.finest, helped.framed, helped.is_coarse) == (alone.size, 2.0, True, False)
