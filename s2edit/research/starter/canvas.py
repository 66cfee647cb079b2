"""What stands behind every figure, and how the whole becomes pixels: a shaded, textured wall, and the rasteriser."""

from __future__ import annotations

import colorsys
import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANVAS = 280.0
"""Units along each side of a picture."""


def _tint(color: str, rng: np.random.Generator) -> tuple[float, float, float]:
    """The wall's own shade of a named colour: the same name, never exactly the same paint."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    hue += rng.uniform(-0.012, 0.012)
    light = float(np.clip(light + rng.uniform(-0.045, 0.045), 0.05, 0.96))
    return colorsys.hls_to_rgb(hue % 1.0, light, float(np.clip(saturation * rng.uniform(0.88, 1.1), 0, 1)))


def _hex(color: tuple[float, float, float], factor: float = 1.0) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part * factor))):02x}" for part in color)


def _texture(rng: np.random.Generator) -> str:
    """Low-contrast marks over the wall, of one of five kinds; white or black at a few per cent opacity."""
    kind = rng.choice(["plain", "spots", "stripes", "grid", "clouds"])
    ink = rng.choice(["#ffffff", "#000000"])
    opacity = rng.uniform(0.04, 0.13)
    if kind == "plain":
        return ""
    if kind == "stripes":
        step, angle = rng.uniform(22, 60), rng.uniform(0, 180)
        bars = "".join(
            f'<rect x="{x:.1f}" y="-140" width="{step / 2:.1f}" height="560"/>' for x in np.arange(-140, 420, step)
        )
        return f'<g fill="{ink}" opacity="{opacity:.3f}" transform="rotate({angle:.1f} 140 140)">{bars}</g>'
    if kind == "grid":
        step = rng.uniform(30, 70)
        start = rng.uniform(0, step)
        path = "".join(f"M{x:.1f} 0V280M0 {x:.1f}H280" for x in np.arange(start, 280, step))
        return f'<path d="{path}" stroke="{ink}" stroke-width="{step / 7:.1f}" opacity="{opacity:.3f}" fill="none"/>'
    low, high, count = (5, 16, 26) if kind == "spots" else (35, 80, 8)
    marks = "".join(
        f'<circle cx="{rng.uniform(0, 280):.1f}" cy="{rng.uniform(0, 280):.1f}" r="{rng.uniform(low, high):.1f}"/>'
        for _ in range(count)
    )
    return f'<g fill="{ink}" opacity="{opacity:.3f}">{marks}</g>'


def wall(color: str, scene: int) -> str:
    """Background of 280 x 280 units: a linear shade across, a texture, and a soft light.

    Args:
        color: the wall's named colour, as #rrggbb.
        scene: seeds all the rest.
    """
    rng = np.random.default_rng([0xBAC, scene])
    base = _tint(color, rng)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.22)
    dx, dy = np.cos(angle) / 2, np.sin(angle) / 2
    light_x, light_y, glow = rng.uniform(0.1, 0.9), rng.uniform(0.0, 0.8), rng.uniform(0.0, 0.3)
    start, end = f'x1="{0.5 - dx:.3f}" y1="{0.5 - dy:.3f}"', f'x2="{0.5 + dx:.3f}" y2="{0.5 + dy:.3f}"'
    return (
        f'<defs><linearGradient id="wall" {start} {end}><stop offset="0" stop-color="{_hex(base, 1 + depth / 2)}"/>'
        f'<stop offset="1" stop-color="{_hex(base, 1 - depth)}"/>'
        f'</linearGradient><radialGradient id="lamp" cx="{light_x:.3f}" cy="{light_y:.3f}" r="0.7">'
        f'<stop offset="0" stop-color="#fff" stop-opacity="{glow:.3f}"/>'
        '<stop offset="1" stop-color="#fff" stop-opacity="0"/>'
        f'</radialGradient></defs><rect width="280" height="280" fill="url(#wall)"/>{_texture(rng)}'
        '<rect width="280" height="280" fill="url(#lamp)"/>'
    )


def _svg(content: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 280 280">'
        f"{content}</svg>"
    )


def _pixels(svg: str, size: int, mode: str) -> NDArray[np.uint8]:
    import resvg_py
    from PIL import Image

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size))
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert(mode), dtype=np.uint8)


def rasterise(color: str, scene: int, figure: str, size: int) -> NDArray[np.uint8]:
    """Draw a figure before its wall: (size, size, 3) uint8 sRGB.

    Args:
        color, scene: of the wall; see `wall`.
        figure: SVG elements on a canvas of 280 x 280 units.
        size: side of the square picture in pixels.

    Raises:
        ValueError: the size is outside of 16 to 8192.
    """
    return _pixels(_svg(wall(color, scene) + figure), _checked(size), "RGB")


def cut_out(figure: str, size: int) -> NDArray[np.uint8]:
    """A figure before nothing: (size, size, 4) uint8, straight alpha; see `rasterise`."""
    return _pixels(_svg(figure), _checked(size), "RGBA")


def _checked(size: int) -> int:
    if not 16 <= size <= 8192:
        raise ValueError(f"A picture can be 16 to 8192 pixels wide; {size} is not.")
    return size


def coverage(figure: str, side: int) -> NDArray[np.float32]:
    """How much of each of side x side cells a figure covers with more than a faint shadow: float32 in 0 to 1."""
    fine = _pixels(_svg(figure), 8 * side, "RGBA")[..., 3] > 38
    return np.asarray(fine.reshape(side, 8, side, 8).mean(axis=(1, 3)), dtype=np.float32)
