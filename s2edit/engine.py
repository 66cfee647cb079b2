"""The facade: an edit from pixels to a layer."""

from __future__ import annotations

from .requests import ComposeRequest, EditRequest, EditResult, ObjectSpec, Progress

__all__ = ["ComposeRequest", "EditRequest", "EditResult", "ObjectSpec", "Progress"]
