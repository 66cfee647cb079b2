"""The part of the plug-in that runs as long as GIMP does: it sees to the mark in every open image.

GIMP tells plug-ins nothing of a layer that was deleted, nor of an export; so images are looked at now and then. A look
is a few calls for each open image.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gi.repository import Gimp, GLib
from s2edit_editor.marked import LOOK_S, Unable, Written
from s2edit_marks import carriers, gimp_metadata, xmp
from s2edit_marks.terms import PROGRAM

from . import marks
from .facts import MASK_PARASITE, stack

CARRIED = (".xcf", ".xcfgz", ".xcfbz2", ".xcfxz")
"""Endings of GIMP's own files, which keep the mark as the image does."""


def run(procedure: Gimp.Procedure, _config: Gimp.ProcedureConfig, _data: object) -> Gimp.ValueArray:
    """GIMP's call at its start; returns when GIMP ends."""
    procedure.get_plug_in().persistent_enable()
    procedure.persistent_ready()
    keeper = Keeper()
    GLib.timeout_add(round(1_000 * LOOK_S), keeper.look)
    GLib.MainLoop().run()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


class Keeper:
    """Looks at all images. One that fails to be read is left alone."""

    def __init__(self) -> None:
        self._unable = Unable()
        self._written = Written()

    def look(self) -> bool:
        """Once; called again and again."""
        for image in Gimp.get_images():
            # An image may be closed, and a file go, in the middle of a look.
            with suppress(GLib.Error, OSError, ValueError, TypeError, KeyError):
                self._see_to(image)
        for file in list(self._written.waiting):
            with suppress(OSError):
                self._check(file)
        return bool(GLib.SOURCE_CONTINUE)

    def _see_to(self, image: Gimp.Image) -> None:
        marks.settle(image, pictures(image))
        exported = image.get_exported_file()
        name = exported.get_path() or "" if exported is not None else ""
        changed = self._written.named(image.get_id(), name)
        if changed and is_marked(image) and Path(name).suffix.lower() not in CARRIED:
            self._written.expect(Path(name))

    def _check(self, file: Path) -> None:
        """Say so when a file that was exported does not carry the mark once it is written, once for each kind."""
        written = self._written.is_written(file)
        if self._unable.knows(file) or carries(file):
            self._written.waiting.pop(file, None)
            return
        if not written:
            return
        told = self._unable.tell(file)
        if told is not None:
            Gimp.message(told.sentence)


def pictures(image: Gimp.Image) -> dict[int, int]:
    """The layers that hold pixels, painted masks aside: their tattoos, which files keep, by their ids."""
    held = [one for one in stack(image) if not one.is_group() and one.get_parasite(MASK_PARASITE) is None]
    return {one.get_id(): one.get_tattoo() for one in held}


def is_marked(image: Gimp.Image) -> bool:
    """Whether the image's metadata says that S²Edit had a hand in it."""
    metadata = image.get_metadata()
    return metadata is not None and gimp_metadata.said(metadata.serialize())["AISystemUsed"] == PROGRAM


def carries(file: Path) -> bool:
    """Whether a written file says so."""
    for packet in carriers.read(file).xmp:
        try:
            if xmp.read(packet).system == PROGRAM:
                return True
        except xmp.Unreadable:
            continue
    return False
