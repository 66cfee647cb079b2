"""An editor without a program: the `Host` of one document in memory, for the editors' one mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from s2edit_editor.host import PAINTED, SELECTION, Insertion, Layer, MaskChoice, Reference
from s2edit_editor.pixels import Box, Picture, covered
from s2edit_editor.turns import Work
from s2edit_wire.errors import WireError

Pixels = np.ndarray[Any, Any]


@dataclass
class Sheet:
    """A layer: what is known of it, and its 8-bit RGBA pixels, H x W x 4, within its box."""

    known: Layer
    pixels: Pixels

    @property
    def box(self) -> Box:
        """Where its pixels are."""
        assert self.known.box is not None
        return self.known.box


@dataclass
class Shown:
    """What is looked at over a document; `over` as `host.Previewed` has it."""

    result: Insertion
    over: str | None = ""
    there: bool = True

    def is_there(self) -> bool:
        return self.there

    def end(self) -> None:
        self.there = False


@dataclass(eq=False)
class FakeHost:
    """A document. Everything that is asked of it is really done to the arrays that it holds, work in two turns.

    Args:
        size: width and height. sheets: its layers from the top down, in groups as their `parent` says.
        masks: 8-bit samples of the whole canvas by choice: selections, channels, layers' own masks; a painted mask is a
            sheet, too, and its samples are its alpha.
        slow: marks of layers that are slow to read. refused: why nothing can be put in.
        references: what can be taken over from, by mark. edges: whether layers have a size of their own.
    """

    size: tuple[int, int] = (120, 90)
    sheets: list[Sheet] = field(default_factory=list)
    masks: dict[MaskChoice, Pixels] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()
    refused: str = ""
    references: dict[str, Picture] = field(default_factory=dict)
    edges: bool = True
    name: str = "document"
    open: bool = True
    chosen: str = ""
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    inserted: list[Insertion] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    previews: list[Shown] = field(default_factory=list)

    def with_layer(self, mark: str, box: Box, alpha: int = 255, **known: Any) -> FakeHost:
        """The same with a further layer on top, of a colour for each pixel."""
        rows, columns = np.mgrid[0 : box.height, 0 : box.width]
        waves = 128 + 50 * (np.sin(columns / 9) + np.cos(rows / 7 + columns / 23) + rows / 40)
        plane = np.clip(waves, 0, 255).astype(np.uint8)
        pixels = np.stack([plane, 255 - plane, plane // 2, np.full_like(plane, alpha)], axis=2)
        self.sheets.insert(0, Sheet(Layer(mark, known.pop("name", mark), box, **known), pixels))
        self.chosen = self.chosen or mark
        return self

    def sheet(self, mark: str) -> Sheet:
        """The layer with this mark."""
        found = next((sheet for sheet in self.sheets if sheet.known.mark == mark), None)
        if found is None:
            raise WireError("bad_image", "The layer is gone.")
        return found

    def program(self) -> str:
        return "krita"

    def versions(self) -> dict[str, str]:
        return {"host": "Fake 1", "plugin": "2"}

    def is_open(self) -> bool:
        return self.open

    def title(self) -> str:
        return "fake\n.ora"

    def ref(self, layer: str) -> str:
        return f"fake:{self.name}:{layer}"

    def knows(self, ref: str) -> bool:
        return ref.startswith(f"fake:{self.name}:")

    def canvas(self) -> tuple[int, int]:
        return self.size

    def layers(self) -> Sequence[Layer]:
        return [sheet.known for sheet in self.sheets]

    def active(self) -> str:
        return self.chosen

    def shown_box(self, layer: str) -> Box | None:
        sheet = self.sheet(layer)
        box = covered(sheet.pixels[..., 3].tobytes(), sheet.box.width)
        return box and box.moved(sheet.box.x, sheet.box.y)

    def frame(self, layer: str) -> Box:
        box = self.sheet(layer).box
        return box if self.edges else Box(box.x, box.y, 0, 0)

    def mask_choices(self, layer: str) -> Sequence[MaskChoice]:
        painted = [one for one in self.layers() if one.made_for]
        return [*self.masks, *(MaskChoice(PAINTED, one.mark, one.name, one.word) for one in painted)]

    def extent(self, choice: MaskChoice) -> Box | None:
        return covered(self._marked(choice).tobytes(), self.size[0]) if self._there(choice) else None

    def coverage(self, choice: MaskChoice, box: Box, step: int = 1) -> bytes:
        if not self._there(choice):
            raise WireError("bad_mask", "The mask is gone.")
        return _cut(self._marked(choice)[..., None], Box(0, 0, *self.size), box)[::step, ::step, 0].tobytes()

    def covering(self, choice: MaskChoice, box: Box) -> Work[bytes | bytearray]:
        data = self.coverage(choice, box)
        yield
        return data

    def read(self, layer: str, box: Box) -> Picture:
        return Picture(box.width, box.height, 4, "u1", self._pixels(layer, box).tobytes())

    def reading(self, layer: str, box: Box) -> Work[Picture]:
        picture = self.read(layer, box)
        yield
        return picture

    def glance(self, layer: str, box: Box, step: int) -> Picture:
        thin = self._pixels(layer, box)[::step, ::step]
        return Picture(thin.shape[1], thin.shape[0], 4, "u1", thin.tobytes())

    def looker(self, layer: str) -> Callable[[int, int], int | None]:
        sheet = self.sheet(layer)

        def look(x: int, y: int) -> int | None:
            column, row = x - sheet.box.x, y - sheet.box.y
            inside = 0 <= column < sheet.box.width and 0 <= row < sheet.box.height
            return int(sheet.pixels[row, column, 1]) if inside else None

        return look

    def is_slow(self, layer: str, box: Box) -> bool:
        return layer in self.slow

    def is_opaque(self, layer: str, box: Box) -> bool:
        return bool((self._pixels(layer, box)[..., 3] == 255).all())

    def borrowing(self, reference: Reference, longest: int) -> Work[Picture]:
        yield
        if reference.mark not in self.references:
            raise WireError("bad_image", "The reference is gone.")
        return self.references[reference.mark]

    def stretched(self, picture: Picture, width: int, height: int) -> Picture:
        array = np.frombuffer(picture.data, np.uint8).reshape(picture.shape)
        rows = np.arange(height) * picture.height // height
        columns = np.arange(width) * picture.width // width
        return Picture(width, height, picture.channels, "u1", array[rows][:, columns].tobytes())

    def refusal(self) -> str:
        return self.refused

    def results(self) -> dict[str, str]:
        marks = {layer.mark for layer in self.layers()}
        return {job: mark for job, mark in self.jobs.items() if mark in marks}

    def making(self, result: Insertion) -> Work[Pixels]:
        colour = np.frombuffer(result.colour.data, np.uint8).reshape(result.colour.shape)
        alpha = np.frombuffer(result.alpha.data, np.uint8).reshape(result.alpha.shape)
        yield
        return np.concatenate([np.broadcast_to(colour, (*colour.shape[:2], 3)), alpha], axis=2)

    def attach(self, layer: Pixels, result: Insertion) -> str:
        mark = f"result{len(self.inserted)}"
        self.inserted.append(result)
        known = Layer(
            mark, result.name, result.box, result.parent, made_from=result.source, made_with=tuple(result.hide)
        )
        self._put(Sheet(known, layer), result.above)
        self.jobs[result.job] = mark
        self.notes |= {(name, mark): text for name, text in result.notes.items()}
        self.show(result.hide, visible=False)
        self.chosen = mark if result.choose else self.chosen
        return mark

    def previewing(self, layer: Pixels, result: Insertion) -> Work[Shown]:
        yield
        self.previews.append(Shown(result))
        return self.previews[-1]

    def add_mask_layer(
        self, layer: str, above: str, name: str, word: str, filled: tuple[Box, bytes] | None = None, job: str = ""
    ) -> str:
        mark, box = f"mask{len(self.sheets)}", self.sheet(layer).box
        pixels = np.zeros((box.height, box.width, 4), np.uint8)
        if filled is not None:
            samples = np.frombuffer(filled[1], np.uint8).reshape(filled[0].height, filled[0].width, 1)
            pixels[..., 3:] = _cut(samples, filled[0], box)
        self._put(
            Sheet(Layer(mark, name, box, self.sheet(layer).known.parent, made_for=layer, word=word), pixels), above
        )
        self.chosen = mark
        if job:
            self.jobs[job] = mark
        return mark

    def choose(self, mark: str) -> None:
        self.chosen = mark

    def show(self, marks: Sequence[str], *, visible: bool) -> None:
        for sheet in self.sheets:
            if sheet.known.mark in marks:
                sheet.known = replace(sheet.known, visible=visible)

    def note(self, name: str, layer: str = "") -> str:
        return self.notes.get((name, layer), "")

    def keep(self, name: str, text: str, layer: str = "") -> None:
        self.notes[name, layer] = text

    def select(self, box: Box) -> MaskChoice:
        """Select a box."""
        choice = MaskChoice(SELECTION, label="Selection")
        self.masks[choice] = np.zeros((self.size[1], self.size[0]), np.uint8)
        self.masks[choice][box.y : box.bottom, box.x : box.right] = 255
        return choice

    def remove(self, mark: str) -> None:
        """Delete a layer."""
        self.sheets.remove(self.sheet(mark))

    def move(self, mark: str, x: int, y: int) -> None:
        """Move a layer."""
        sheet = self.sheet(mark)
        sheet.known = replace(sheet.known, box=sheet.box.moved(x, y))

    def crop_layer(self, mark: str, box: Box) -> None:
        """Cut a layer to a box of the canvas."""
        sheet = self.sheet(mark)
        sheet.pixels = _cut(sheet.pixels, sheet.box, box)
        sheet.known = replace(sheet.known, box=box)

    def _there(self, choice: MaskChoice) -> bool:
        return choice in self.masks or (
            choice.kind == PAINTED and any(one.mark == choice.mark for one in self.layers())
        )

    def _marked(self, choice: MaskChoice) -> Pixels:
        if choice.kind != PAINTED:
            return self.masks[choice]
        sheet = self.sheet(choice.mark)
        return _cut(sheet.pixels, sheet.box, Box(0, 0, *self.size))[..., 3]

    def _pixels(self, layer: str, box: Box) -> Pixels:
        sheets = [self.sheet(layer)] if layer else [one for one in reversed(self.sheets) if one.known.visible]
        shown = np.zeros((box.height, box.width, 4), np.uint8)
        for sheet in sheets:
            part = _cut(sheet.pixels, sheet.box, box)
            shown = np.where(part[..., 3:] > 0, part, shown)
        return shown

    def _put(self, sheet: Sheet, above: str) -> None:
        place = next((index for index, one in enumerate(self.sheets) if one.known.mark == above), 0)
        self.sheets.insert(place, sheet)


def _cut(pixels: Pixels, held: Box, wanted: Box) -> Pixels:
    """The samples of a box, 0 beside what is held."""
    out = np.zeros((wanted.height, wanted.width, pixels.shape[2]), np.uint8)
    common = held.cut(wanted)
    if common is not None:
        here, there = common.within(wanted), common.within(held)
        out[here.y : here.bottom, here.x : here.right] = pixels[there.y : there.bottom, there.x : there.right]
    return out
