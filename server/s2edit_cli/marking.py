"""Which marks a written picture gets, and from what: the job's record, the picture's file, the options."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from s2edit_marks import credential
from s2edit_marks.manifests import About, Source
from s2edit_marks.marking import MARKS, Marking
from s2edit_wire.errors import WireError

from .pictures import PictureFile


def check(without: Collection[str] | None, *, made: bool = False) -> frozenset[str]:
    """The names of marks that are not wanted, or WireError("bad_setting").

    Args:
        made: whether the edit has been made already, so that its pixels are as they are.
    """
    if made and "watermark" in (without or ()):
        raise WireError(
            "bad_setting", "The watermark is in the pixels since the edit was made.", "Edit anew with that option."
        )
    for name in without or ():
        if name not in MARKS:
            raise WireError("bad_setting", f"There is no mark “{name}”.", f"Choose among {', '.join(MARKS)}.")
    return frozenset(without or ())


def marking(
    picture: PictureFile,
    path: Path,
    job: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
    *,
    without: frozenset[str] = frozenset(),
    tell_prompt: bool = False,
    others: tuple[PictureFile, ...] = (),
) -> Marking:
    """What a file will say.

    Args:
        picture: that was edited. path: what is written. others: what else went in.
        job, record: the daemon's, of the edit. tell_prompt: whether the file tells what was asked for.
    """
    edit, record = (job or {}).get("edit", {}), record or {}
    about = About(
        title=path.name,
        version=version("s2edit"),
        model=str(edit.get("model", "")),
        model_sha256=str(record.get("model_hash") or ""),
        prompt=str(edit.get("target", "")) if tell_prompt else "",
        watermarked=bool((record.get("watermark") or {}).get("carried")),
    )
    signer = None if "c2pa" in without else credential.identity()
    return Marking(about, without, _source(picture), tuple(_source(other) for other in others), signer)


def _source(picture: PictureFile) -> Source:
    return Source(picture.path, picture.kind)
