"""GIMP as the editors' one mind sees it: the `Host` of an open image, which carries out and decides nothing.

Layers are named by their tattoos, which GIMP keeps in XCF files; channels by their names; files by their addresses.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gi.repository import Gimp, Gio, GLib
from s2edit_editor import host, notes
from s2edit_editor.host import Insertion, Layer, MaskChoice, Reference
from s2edit_editor.pixels import Box, Picture, covered
from s2edit_editor.place import looker
from s2edit_editor.samples import is_full
from s2edit_editor.text import _
from s2edit_editor.turns import quick
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME as RECIPE

from . import VERSION, marks, pixels
from .brush import choose_paintbrush
from .facts import MASK_PARASITE, layers, offsets, stack
from .inserting import Tab, made, new_mask_layer, put_in

DOCUMENT_PARASITE = "s2edit-document"
# A parasite of the image that is persistent but not undoable puts an entry that can't be undone into the painter's
# history; so what is kept with the image is not persistent, and goes into the file with a result's undo step only.


class GimpHost:
    """One open image."""

    def __init__(self, image: Gimp.Image) -> None:
        self.image = image

    def program(self) -> str:
        """See `host.Host`, as for all that follows."""
        return "gimp"

    def versions(self) -> dict[str, str]:
        """GIMP's and the plug-in's."""
        return {"host": f"GIMP {Gimp.version()}", "plugin": VERSION}

    def is_open(self) -> bool:
        """Whether the image is still there."""
        return bool(self.image.is_valid())

    def title(self) -> str:
        """What its window is called."""
        return str(self.image.get_name())

    def ref(self, _layer: str) -> str:
        """The picture's own id; made when it has none, and kept in its XCF file from the first result on."""
        known = marks.read_text(self.image, DOCUMENT_PARASITE)[:64]
        if known:
            return known
        name = uuid.uuid4().hex
        marks.write(self.image, DOCUMENT_PARASITE, name, marks.PASSING)
        return name

    def knows(self, ref: str) -> bool:
        """By the picture's own id."""
        return bool(ref) and marks.read_text(self.image, DOCUMENT_PARASITE)[:64] == ref

    def canvas(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.get_width(), self.image.get_height()

    def layers(self) -> Sequence[Layer]:
        """All of them."""
        return layers(self.image)

    def active(self) -> str:
        """The first of the selected ones."""
        return next((str(layer.get_tattoo()) for layer in self.image.get_selected_layers()), "")

    def shown_box(self, layer: str) -> Box | None:
        """The layer without bare edges."""
        item = self.layer(layer)
        whole = Box(0, 0, item.get_width(), item.get_height())
        box = covered(pixels.read_opacity(item, whole), whole.width) if item.has_alpha() else whole
        return box and box.moved(*offsets(item))

    def frame(self, layer: str) -> Box:
        """Its place and size."""
        item = self.layer(layer)
        return Box(*offsets(item), item.get_width(), item.get_height())

    def mask_choices(self, layer: str) -> Sequence[MaskChoice]:
        """The selection, the layer's own mask, painted layers, earlier results' masks and channels."""
        found = []
        if not Gimp.Selection.is_empty(self.image):
            found.append(MaskChoice(host.SELECTION, label=_("Selection")))
        for one in self.layers():
            if one.mark == layer and one.own_mask:
                found.append(MaskChoice(host.LAYER_MASK, one.mark, _("Layer mask")))
            if one.made_for == layer:
                found.append(MaskChoice(host.PAINTED, one.mark, one.name, one.word))
            if one.made_from == layer and one.own_mask:
                found.append(MaskChoice(host.EARLIER, one.mark, _("Earlier result")))
        names = [channel.get_name() for channel in self.image.get_channels()]
        return [*found, *(MaskChoice(host.CHANNEL, name, name) for name in names)]

    def extent(self, choice: MaskChoice) -> Box | None:
        """What it marks of the whole image."""
        if choice.kind == host.SELECTION:
            _ok, some, left, top, right, bottom = Gimp.Selection.bounds(self.image)
            return Box(left, top, right - left, bottom - top) if some else None
        found = self._mask(choice)
        if found is None:
            return None
        drawable, corner = found
        whole = Box(*corner, drawable.get_width(), drawable.get_height())
        box = covered(self.coverage(choice, whole), whole.width)
        return box and box.moved(*corner)

    def coverage(self, choice: MaskChoice, box: Box, step: int = 1) -> bytes:
        """A painted layer's alpha, or the samples of a mask or channel."""
        found = self._mask(choice)
        if found is None:
            raise WireError("bad_mask", _("The mask “{name}” is gone.", name=choice.label), _("Choose another mask."))
        drawable, (x, y) = found
        read = pixels.read_opacity if choice.kind == host.PAINTED else pixels.read_coverage
        data = read(drawable, box.moved(-x, -y))
        if step == 1:
            return data
        return b"".join(data[row * box.width : (row + 1) * box.width : step] for row in range(0, box.height, step))

    covering = quick(coverage)

    def read(self, layer: str, box: Box) -> Picture:
        """The layer's pixels, with alpha where it has that."""
        with self._shown(layer) as (item, (x, y)):
            return pixels.read_colour(item, box.moved(-x, -y))

    reading = quick(read)

    def glance(self, layer: str, box: Box, step: int) -> Picture:
        """Rows of it, thinned."""
        with self._shown(layer) as (item, (x, y)):
            return pixels.read_thinned(item, box.moved(-x, -y), step)

    def looker(self, layer: str) -> Callable[[int, int], int | None]:
        """Pixel by pixel."""
        item, frame = self.layer(layer), self.frame(layer)
        return looker(frame, lambda box: pixels.read_rgba(item, box.within(frame)), at_once=False)

    def is_slow(self, layer: str, _box: Box) -> bool:
        """GIMP's buffers are read as they are, all that is visible from a copy of the image."""
        return not layer

    def is_opaque(self, layer: str, box: Box) -> bool:
        """By its alpha, at 8 bits a float's last steps would be rounded away."""
        item = self.layer(layer)
        x, y = offsets(item)
        dtype = pixels.sample_type(self.image)
        own = pixels.read_opacity(item, box.moved(-x, -y), dtype)
        return is_full(Picture(box.width, box.height, 1, dtype, own))

    @quick
    def borrowing(self, reference: Reference, longest: int) -> Picture:
        """A layer's picture, or a file's, shrunk."""
        mark = reference.mark
        if mark.isdecimal():
            return _shrunk(self.layer(mark), longest)
        try:
            image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_uri(mark))
            why = "" if image is not None else Gimp.get_pdb().get_last_error()
        except GLib.Error as error:
            image, why = None, error.message
        if image is None:
            raise WireError("bad_image", _("The reference can't be opened: {error}").format(error=why))
        try:
            return _shrunk(Gimp.Layer.new_from_visible(image, image, "reference"), longest)
        finally:
            image.delete()

    def stretched(self, picture: Picture, width: int, height: int) -> Picture:
        """By GIMP's own scaling."""
        return pixels.stretched(self.image, picture, width, height)

    def refusal(self) -> str:
        """Of indexed images: a result has colours of its own."""
        if self.image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            return _("This picture uses indexed colours. Convert it first: Image → Mode → RGB.")
        return ""

    def results(self) -> dict[str, str]:
        """By the recipes that layers carry."""
        found = {_job_of(layer): layer for layer in stack(self.image)}
        return {job: str(layer.get_tattoo()) for job, layer in found.items() if job}

    @quick
    def making(self, result: Insertion) -> Gimp.Layer:
        """With its mask, as wide as its pixels."""
        return made(self.image, result)

    def attach(self, layer: Gimp.Layer, result: Insertion) -> str:
        """One undo step, with the picture's own id."""
        put_in(self.image, layer, result, (DOCUMENT_PARASITE, self.ref(result.source)))
        return str(layer.get_tattoo())

    @quick
    def previewing(self, layer: Gimp.Layer, result: Insertion) -> Tab:
        """In a display of its own, beside the image."""
        return Tab(self.image, layer, result)

    def add_mask_layer(
        self, layer: str, above: str, name: str, word: str, filled: tuple[Box, bytes] | None = None, job: str = ""
    ) -> str:
        """Red and half opaque whatever it is painted with; one undo step."""
        note = (MASK_PARASITE, json.dumps({"layer": int(layer), "word": word, "job": job}))
        new = new_mask_layer(self.image, self.layer(layer), self.layer(above), name, note, filled)
        if filled is None:
            choose_paintbrush()
        Gimp.displays_flush()
        return str(new.get_tattoo())

    def choose(self, mark: str) -> None:
        """As the only selected one."""
        self.image.set_selected_layers([self.layer(mark)])
        Gimp.displays_flush()

    def is_saved(self) -> bool:
        """As XCF; GIMP itself tells plug-ins nothing of saving."""
        return self.is_open() and not self.image.is_dirty() and self.image.get_xcf_file() is not None

    def show(self, found: Sequence[str], *, visible: bool) -> None:
        """Those that are still there."""
        for mark in found:
            item = self.image.get_layer_by_tattoo(int(mark))
            if item is not None:
                item.set_visible(visible)

    def note(self, name: str, layer: str = "") -> str:
        """A parasite's text."""
        return marks.read_text(self.layer(layer) if layer else self.image, name)

    def keep(self, name: str, text: str, layer: str = "") -> None:
        """As a parasite."""
        owner = self.layer(layer) if layer else self.image
        if text:
            marks.write(owner, name, text, Gimp.PARASITE_PERSISTENT if layer else marks.PASSING)
        else:
            owner.detach_parasite(name)

    def layer(self, mark: str) -> Gimp.Layer:
        """The layer with this mark; raises WireError when it is gone."""
        found = self.image.get_layer_by_tattoo(int(mark)) if mark.isdecimal() else None
        if found is None:
            raise WireError("bad_image", _("The layer is gone. Undo its deletion, or cancel and select another layer."))
        return found

    @contextmanager
    def _shown(self, layer: str) -> Iterator[tuple[Gimp.Layer, tuple[int, int]]]:
        """A layer and its place; for "", all that is visible but painted masks, of a copy of the image."""
        if layer:
            item = self.layer(layer)
            yield item, offsets(item)
            return
        copy = self.image.duplicate()
        try:
            for one in stack(copy):
                if one.get_parasite(MASK_PARASITE) is not None:
                    one.set_visible(False)
            yield Gimp.Layer.new_from_visible(copy, copy, "visible"), (0, 0)
        finally:
            copy.delete()

    def _mask(self, choice: MaskChoice) -> tuple[Gimp.Drawable, tuple[int, int]] | None:
        """What holds a choice's samples, and where that lies in the image; None when it is gone."""
        if choice.kind == host.SELECTION:
            return self.image.get_selection(), (0, 0)
        if choice.kind == host.CHANNEL:
            channel = self.image.get_channel_by_name(choice.mark)
            return None if channel is None else (channel, (0, 0))
        item = self.image.get_layer_by_tattoo(int(choice.mark))
        # A layer mask has its layer's offsets, but GIMP tells them of the layer only.
        held = item if item is None or choice.kind == host.PAINTED else item.get_mask()
        return None if held is None else (held, offsets(item))


def _job_of(layer: Gimp.Layer) -> str:
    return notes.job_of(marks.read_text(layer, RECIPE)) or str(marks.read_map(layer, MASK_PARASITE).get("job", ""))


def _shrunk(layer: Gimp.Drawable, longest: int) -> Picture:
    return pixels.read_preview(layer, (0, 0, layer.get_width(), layer.get_height()), longest)
