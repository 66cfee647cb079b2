"""Read the drawings out of the npm package @dicebear/bottts into parts.json.

`python -m s2edit.research.starter.robots.extract`.
Run once when the drawings were taken over, and again when the renderer's table of drawings changes (unpack the result
of `npm pack @dicebear/bottts@9.4.3`). The package is code: a drawing is a template string with holes for colour and
texture.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from s2edit.research.starter.robots.renderer import DRAWINGS, PARTS_FILE

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
        raise ValueError(f"These are not the drawings that were expected: {odd or 'there are none'}.")
    return found


def main(package: Annotated[Path, typer.Argument(help="The unpacked npm package.")]) -> None:
    """Write parts.json from an unpacked package."""
    facts = json.loads((package / "package.json").read_text("utf-8"))
    chosen = {}
    for kind, values in DRAWINGS.items():
        found = drawings((package / "lib" / "components" / f"{kind}.js").read_text("utf-8"))
        chosen[kind] = {name: found[name] for names in values.values() for name in names if name}
    parts = {
        "source": f"{facts['name']} {facts['version']}",
        "design": "Bottts by Pablo Stanley, https://bottts.com: free for personal and commercial use",
        "licence of the package's code": (package / "LICENSE").read_text("utf-8").partition("# Code\n")[2].strip(),
        "drawings": chosen,
    }
    PARTS_FILE.write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
