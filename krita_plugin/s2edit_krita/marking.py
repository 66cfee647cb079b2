"""The mark that says that a model had a hand in a picture: kept with the document, and put into files that are saved.

Krita's exporters (5.2, 5.3) write of a document's information a title and keywords, and no source type; so the mark
goes into a PNG, JPEG, TIFF or WebP when the document is saved as one. Of “Export…”, Krita tells plug-ins nothing.
The mark stays when a result's layer is deleted: a layer that was merged is gone as well, and what it showed is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from s2edit_editor.text import _ as tr
from s2edit_marks import embedding, xmp
from s2edit_wire.errors import WireError

from . import VERSION
from .qt import QByteArray

KritaDocument: TypeAlias = Any

_NAME = "s2edit-marks"
"""The annotation that holds the mark as an XMP packet."""


def say_model(document: KritaDocument) -> None:
    """Note the mark in the document, which saves it in .kra."""
    if not bytes(document.annotation(_NAME)):
        document.setAnnotation(_NAME, "XMP", QByteArray(xmp.marked(None, VERSION)))


def file_saved(document: KritaDocument, file: Path) -> None:
    """Put a marked document's mark into the file that it was saved as.

    Raises:
        WireError: bad_image, when the file can't carry it.
    """
    if file.suffix.lower() in (".kra", ".krz") or not bytes(document.annotation(_NAME)):
        return
    try:
        embedding.mark_file(file, VERSION)
    except (embedding.CannotEmbed, OSError) as error:
        raise WireError(
            "bad_image",
            tr("“{name}” does not say that a model had a hand in it.", name=file.name),
            tr("Save it as PNG, JPEG, TIFF or WebP to have that in the file."),
        ) from error
