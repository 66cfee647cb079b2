"""Read the drawings out of the npm package @dicebear/bottts into parts.json: `python -m s2edit.starter.robots.extract`.

Run once when the drawings were taken over, and again should they ever be renewed (`npm pack @dicebear/bottts@9.4.3`).
The package is code: each drawing is a template string with two holes, the colour and the texture.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

# Where DiceBear's own `create` puts each kind on its canvas of 180 x 180 units, in its order from back to front.
PLACES = {"sides": (0, 66), "top": (41, 0), "face": (25, 44), "mouth": (52, 124), "eyes": (38, 76)}
KINDS = (*PLACES, "texture")

_DRAWING = re.compile(r"^    (\w+): \(components, colors\) => .*?`(<.*>)`[,;]", re.MULTILINE)
_COLOR = "${escape.xml(`${colors.base}`)}"
_TEXTURE = re.compile(r"\$\{\(_b = \(_a = components\.texture\).*?: ''\}")


def drawings(source: str) -> dict[str, str]:
    """The drawings of one kind: SVG with `$color` and `$texture` where the holes were.

    Args:
        source: text of one of the package's lib/components/*.js.

    Raises:
        ValueError: the text holds no drawing, or a hole of another kind.
    """
    found = {name: _TEXTURE.sub("$texture", body.replace(_COLOR, "$color")) for name, body in _DRAWING.findall(source)}
    odd = [name for name, body in found.items() if "${" in body or "`" in body]
    if odd or not found:
        raise ValueError(f"This is not the expected package: {odd or 'no drawings'}.")
    return found


def main(package: Annotated[Path, typer.Argument(help="The unpacked npm package.")]) -> None:
    """Write parts.json from an unpacked package."""
    facts = json.loads((package / "package.json").read_text("utf-8"))
    parts = {
        "source": f"{facts['name']} {facts['version']}",
        "design": "Bottts by Pablo Stanley, https://bottts.com, free for personal and commercial use",
        "code": "DiceBear, copyright (c) 2024 Florian Körner, MIT licence",
    } | {kind: drawings((package / "lib" / "components" / f"{kind}.js").read_text("utf-8")) for kind in KINDS}
    text = json.dumps(parts, indent=1, ensure_ascii=False) + "\n"
    (Path(__file__).resolve().parent / "parts.json").write_text(text, "utf-8")


if __name__ == "__main__":
    typer.run(main)
