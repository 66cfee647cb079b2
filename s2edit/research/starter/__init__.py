"""The embedded `portraits` model: a parametric portrait renderer, its captions, and the checkpoint trained on both.

Public names are in `__all__`; the trainer is `python -m s2edit.research.training`.
Importing this package loads neither torch nor the renderer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2edit.research.starter.attributes import Portrait, sample_attributes
    from s2edit.research.starter.captions import caption
    from s2edit.research.starter.classifier import classify, propose_caption
    from s2edit.research.starter.package import recommended, weights_folder
    from s2edit.research.starter.renderer import render, sample_portrait

_HOME = {
    "Portrait": "attributes",
    "sample_attributes": "attributes",
    "caption": "captions",
    "classify": "classifier",
    "propose_caption": "classifier",
    "recommended": "package",
    "weights_folder": "package",
    "render": "renderer",
    "sample_portrait": "renderer",
}

__all__ = [
    "Portrait",
    "caption",
    "classify",
    "propose_caption",
    "recommended",
    "render",
    "sample_attributes",
    "sample_portrait",
    "weights_folder",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module the first time that it is used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
