"""All marks of one written picture: what is wanted, what came of it, and the sentences that say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_wire.errors import WireError

from . import carriers, manifests, pictures
from .credential import Identity

if TYPE_CHECKING:
    import pyvips

MARKS = {
    "xmp": "Programs and platforms that read metadata won't see that a model had a hand in it.",
    "c2pa": "Nobody can check who made the edit and that the file is as it was written.",
    "watermark": "Once the metadata is stripped, as many platforms do, nothing shows that a model had a hand in it.",
}
"""The marks by name, and what it means to go without."""
SIDECAR = ".source.c2pa"


@dataclass(frozen=True)
class Marking:
    """What is wanted for a picture, and what is told of it.

    Args:
        about: what its manifest tells; its prompt goes into the XMP, too.
        without: names of `MARKS` that are not wanted.
        source: the picture that was edited, None where there is none to name. others: what else went in.
        signer: as whom it is signed; None leaves it unsigned.
    """

    about: manifests.About
    without: frozenset[str] = frozenset()
    source: manifests.Source | None = None
    others: tuple[manifests.Source, ...] = ()
    signer: Identity | None = None


@dataclass
class Outcome:
    """What came of the marks.

    Args:
        xmp, c2pa: `written`, `self-made` (signed, with the credential that nobody vouches for), `switched off`, or why
            not. sidecar: the file with the source's own manifest, where the result could not hold it.
        sentences: what a person should know.
    """

    xmp: str = "written"
    c2pa: str = "written"
    sidecar: str | None = None
    sentences: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """For machines."""
        return {"xmp": self.xmp, "c2pa": self.c2pa, "sidecar": self.sidecar, "sentences": self.sentences}


def mark_metadata(image: pyvips.Image, marking: Marking) -> tuple[pyvips.Image, Outcome]:
    """The picture with its metadata ready for writing, and what came of it."""
    outcome = Outcome()
    wanted = "xmp" not in marking.without
    ready = pictures.ready(image, marking.about.version, mark=wanted, prompt=marking.about.prompt)
    if not wanted:
        outcome.xmp = "switched off"
    elif ready.unmarked:
        outcome.xmp = ready.unmarked
        outcome.sentences.append(f"The mark in the metadata is missing: {ready.unmarked}.")
    outcome.sentences += [f"Without the mark “{name}”: {MARKS[name]}" for name in MARKS if name in marking.without]
    return ready.image, outcome


def mark_file(file: Path, kind: str, path: Path, marking: Marking, outcome: Outcome) -> None:
    """Sign a written file; or keep the manifest of its source beside it, where it can't go into it.

    Args:
        file: as it lies there now. kind: as `manifests.Source.kind`. path: what it will be called.
    Raises:
        WireError: bad_setting, when it can't be signed with the user's own certificate. OSError.
    """
    if marking.source is None:
        outcome.c2pa = "no source to name"
        return
    if "c2pa" in marking.without:
        outcome.c2pa = "switched off"
    elif marking.signer is None:
        outcome.c2pa = "C2PA's library is not installed"
    else:
        try:
            manifests.sign(file, kind, marking.source, marking.about, marking.signer, marking.others)
            outcome.c2pa = "self-made" if marking.signer.self_made else "written"
            return
        except WireError as error:
            if not marking.signer.self_made:
                raise
            outcome.c2pa = error.message
            outcome.sentences.append(error.message)
    store = carriers.read(marking.source.path).store
    if store is not None:
        beside = _keep(store, path)
        outcome.sidecar = str(beside)
        outcome.sentences.append(
            f"The source's Content Credentials are kept beside it, in “{beside.name}”: this file can't hold them."
        )


def _keep(store: bytes, path: Path) -> Path:
    """Write a manifest store beside a picture, over nothing that is there already."""
    for number in range(1, 1_000):
        beside = path.with_name(f"{path.stem}{'' if number == 1 else f'-{number}'}{SIDECAR}")
        try:
            with beside.open("xb") as file:
                file.write(store)
            return beside
        except FileExistsError:
            if beside.is_file() and beside.read_bytes() == store:
                return beside
    raise FileExistsError(f"“{path.stem}{SIDECAR}” and a thousand like it are there already.")
