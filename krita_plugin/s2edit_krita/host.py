"""Krita as the editors' one mind sees it: the `Host` of an open document, which carries out and decides nothing.

Layers are named by their unique ids, which Krita saves in .kra. What a composition takes from is named by its file, or
by the ids of a document's root and of a layer in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor import host, notes
from s2edit_editor.blue_first import DEPTHS
from s2edit_editor.held import Held
from s2edit_editor.host import Host, Insertion, Layer, MaskChoice, Reference
from s2edit_editor.jobs import Job
from s2edit_editor.masks import edited
from s2edit_editor.order import is_file
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.place import looker
from s2edit_editor.register import MaskLayer, Register
from s2edit_editor.samples import sampled
from s2edit_editor.submission import area_in
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import Work
from s2edit_wire.errors import WireError

from . import VERSION, document, layers, marking, stretching
from .document import MASK_TYPES, active, node_by_mark, node_mark
from .history import kept
from .overlay import Overlay, drawing
from .pictures import png_of_layer
from .seen import own_alpha

KritaNode: TypeAlias = Any
_SHOW = frozenset({"paintlayer", "grouplayer", "vectorlayer", "filelayer", "clonelayer", "filllayer"})
"""Layers that show something of their own."""
LARGEST_READ = 2**21
"""Bytes of a box that can be read after each stroke."""


class KritaHost:
    """One open document."""

    def __init__(self, opened: document.KritaDocument) -> None:
        self.document, self.kept = opened, kept(opened)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same document."""
        return isinstance(other, KritaHost) and bool(self.document == other.document)

    __hash__ = None  # type: ignore[assignment]  # Krita tells no number that stays

    def program(self) -> str:
        """See `host.Host`, as for all that follows."""
        return "krita"

    def versions(self) -> dict[str, str]:
        """Krita's and the plug-in's."""
        return {"host": f"Krita {Krita.instance().version()}", "plugin": VERSION}

    def is_open(self) -> bool:
        """Whether Krita has it open."""
        return any(self.document == other for other in Krita.instance().documents())

    def title(self) -> str:
        """Its own name, else its file's."""
        return document.title(self.document)

    def ref(self, layer: str) -> str:
        """The document's own mark, made when it has none, and the layer's id."""
        return f"krita:{self.kept.identity()}:{layer}"

    def knows(self, ref: str) -> bool:
        """By the document's own mark."""
        own = self.kept.register().document
        return bool(own) and ref.startswith(f"krita:{own}:")

    def canvas(self) -> tuple[int, int]:
        """Width and height."""
        return self.document.width(), self.document.height()

    def layers(self) -> Sequence[Layer]:
        """All of them."""
        return self._layers_in(self.document.rootNode(), "", self.kept.register())

    def active(self) -> str:
        """Of a mask, the layer that it hangs on."""
        node = self.document.activeNode()
        while node is not None and node.type() in MASK_TYPES:
            node = node.parentNode()
        return node_mark(node) if node is not None else ""

    def edited(self) -> str:
        """Mark of the layer that an edit is about now, "" without one."""
        mark = self.active()
        return edited(self.layers(), mark) if mark in self.kept.register().masks else mark

    def shown_box(self, layer: str) -> Box | None:
        """Krita's own bounds are those of what is painted."""
        return document.bounds(self.node(layer))

    def frame(self, layer: str) -> Box:
        """Layers have no size of their own in Krita."""
        position = self.node(layer).position()
        return Box(position.x(), position.y(), 0, 0)

    def mask_choices(self, layer: str) -> Sequence[MaskChoice]:
        """The selection, all painted layers, and the layer's own masks."""
        found = []
        if self.document.selection() is not None:
            found.append(MaskChoice(host.SELECTION, label=tr("Selection")))
        for mark, entry in self.kept.register().masks.items():
            node = node_by_mark(self.document, mark)
            if node is not None and layers.is_there(self.document, node):
                found.append(MaskChoice(host.PAINTED, mark, node.name(), entry.word))
        for node in self.node(layer).childNodes() if layer else []:
            if node.type() in {"transparencymask", "selectionmask"}:
                found.append(MaskChoice(host.LAYER_MASK, node_mark(node), node.name()))
        return found

    def extent(self, choice: MaskChoice) -> Box | None:
        """What it marks of the canvas."""
        if choice.kind == host.PAINTED:
            box = document.bounds(self._mask(choice))
        else:
            marked = self._marked(choice)
            box = Box(marked.x(), marked.y(), marked.width(), marked.height())
        return box and box.clipped(*self.canvas())

    def coverage(self, choice: MaskChoice, box: Box, step: int = 1) -> bytes:
        """A painted layer's alpha, or a selection's samples."""
        if choice.kind == host.PAINTED:
            return bytes(document.glance(self.document, self._mask(choice), box, step))[3::4]
        return sampled(self._marked(choice).pixelData, box, step)

    def covering(self, choice: MaskChoice, box: Box) -> Work[bytes | bytearray]:
        """Of a copy that shares its pixels until somebody paints."""
        if choice.kind == host.PAINTED:
            twin = self._mask(choice).duplicate()
            held = Held(lambda band: bytes(document.glance(self.document, twin, band))[3::4], 1)
        else:
            marked = self._marked(choice).duplicate()
            held = Held(lambda band: bytes(marked.pixelData(*band)), 1)
        return (yield from held.copied(box))

    def read(self, layer: str, box: Box) -> Picture:
        """For little."""
        return document.read(self.document, self._source(layer), box)

    def reading(self, layer: str, box: Box) -> Work[Picture]:
        """In bands."""
        return document.reading(self.document, self._source(layer), box)

    def glance(self, layer: str, box: Box, step: int) -> Picture:
        """Painted masks may be in it."""
        _, _, width, height = box.thinned(step)
        data = document.glance(self.document, self._source(layer), box, step)
        return Picture(width, height, 4, "u1", bytes(data))

    def looker(self, layer: str) -> Callable[[int, int], int | None]:
        """Pixel by pixel, where no copy of the document is read."""
        node, box, depth = self.node(layer), self.shown_box(layer), DEPTHS["U8"]
        whole = box and box.clipped(*self.canvas())
        costly = document.is_costly(self.document, node)
        return looker(whole, lambda box: document.read(self.document, node, box, depth).data, at_once=costly)

    def is_slow(self, layer: str, box: Box) -> bool:
        """What can only be read from a copy of the document, and what is large."""
        size = box.width * box.height * document.depth_of(self.document).bytes_a_pixel
        return size > LARGEST_READ or document.is_costly(self.document, self._source(layer))

    def is_opaque(self, layer: str, box: Box) -> bool:
        """By its own alpha, whatever its masks hide."""
        return own_alpha(self.node(layer), box).opaque

    def borrowing(self, reference: Reference, _longest: int) -> Work[Picture]:
        """A layer of an open document, all of it, or a file."""
        gone = WireError("bad_image", tr("The reference “{name}” is gone.", name=reference.label))
        root, _, layer = reference.mark.partition(":")
        others = (KritaHost(one) for one in Krita.instance().documents())
        other = next((one for one in others if node_mark(one.document.rootNode()) == root), None)
        if other is not None:
            if layer and not layers.is_there(other.document, node_by_mark(other.document, layer)):
                raise gone
            return (yield from other.reading(layer, area_in(other, layer)))
        if not is_file(reference.mark):
            raise gone
        file = Krita.instance().openDocument(reference.mark)
        if file is None:
            raise WireError("bad_image", tr("Krita cannot open “{name}”.", name=reference.label))
        try:
            return (yield from document.reading(file, None, Box(0, 0, file.width(), file.height()), DEPTHS["U8"]))
        finally:
            file.setModified(False)
            file.close()

    def stretched(self, picture: Picture, width: int, height: int) -> Picture:
        """By Krita's own scaling."""
        return stretching.stretched(picture, width, height)

    def refusal(self) -> str:
        """Whatever its colours are, Krita converts."""
        return ""

    def results(self) -> Mapping[str, str]:
        """Those that hang in the document's tree."""
        applied = self.kept.register().applied
        return {job: mark for job, mark in applied.items() if layers.is_there(self.document, self._found(mark))}

    def making(self, result: Insertion) -> Work[KritaNode]:
        """In bands."""
        return layers.made(self.document, result)

    def attach(self, layer: KritaNode, result: Insertion) -> str:
        """One undo step; and its small picture, which is shown when the daemon has forgotten it."""
        layers.put_in(self.document, layer, result)
        mark, register = node_mark(layer), self.kept.register()
        register.applied_as(result.job, mark, result.source)
        self.kept.store(register)
        for name, text in result.notes.items():
            self.keep(name, text, mark)
        self.kept.keep_picture(result.job, png_of_layer(layer, result.box))
        marking.say_model(self.document, layer)
        self.show([one for one in result.hide if one != self.active()], visible=False)
        return mark

    def previewing(self, layer: KritaNode, result: Insertion) -> Work[Overlay]:
        """Over the canvas; the layer is never part of the document."""
        image = yield from drawing(self.document, layer, result)
        return Overlay(image, result.box)

    def add_mask_layer(
        self, layer: str, above: str, name: str, word: str, filled: tuple[Box, bytes] | None = None, job: str = ""
    ) -> str:
        """Half opaque, in a colour of its own."""
        register = self.kept.register()
        others = [mark for mark, one in register.masks.items() if one.layer == layer and self._is_shown(mark)]
        node = layers.add_mask(self.document, self.node(above), name, len(others), filled)
        register.masks[node_mark(node)] = MaskLayer(word, layer)
        if job:
            register.applied[job] = node_mark(node)
        self.kept.store(register)
        return node_mark(node)

    def choose(self, mark: str) -> None:
        """As the active one."""
        layers.choose(self.document, self.node(mark))

    def show(self, marks: Sequence[str], *, visible: bool) -> None:
        """Those that are still there and look otherwise."""
        found = [node for node in map(self._found, marks) if node is not None and node.visible() != visible]
        for node in found:
            node.setVisible(visible)
        if found:
            self.document.refreshProjection()

    def note(self, name: str, layer: str = "") -> str:
        """An annotation's text."""
        return self.kept.note(name, layer)

    def keep(self, name: str, text: str, layer: str = "") -> None:
        """As an annotation."""
        self.kept.keep(name, text, layer)

    def node(self, mark: str) -> KritaNode:
        """The layer with this mark; raises WireError when it is gone."""
        found = self._found(mark)
        if found is None:
            raise WireError(
                "bad_image", tr("The layer is gone. Undo its deletion, or cancel and select another layer.")
            )
        return found

    def _found(self, mark: str) -> KritaNode | None:
        return node_by_mark(self.document, mark)

    def _source(self, layer: str) -> KritaNode | None:
        return self.node(layer) if layer else None

    def _is_shown(self, mark: str) -> bool:
        node = self._found(mark)
        return node is not None and bool(node.visible())

    def _mask(self, choice: MaskChoice) -> KritaNode:
        node = self._found(choice.mark)
        if not layers.is_there(self.document, node):
            raise WireError("bad_mask", tr("The mask “{name}” is gone.", name=choice.label), tr("Choose another mask."))
        return node

    def _marked(self, choice: MaskChoice) -> Any:
        own = choice.kind == host.SELECTION
        found = self.document.selection() if own else self._mask(choice).selection()
        if found is None:
            raise WireError("bad_mask", tr("There is no selection any more."), tr("Choose another mask."))
        return found

    def _layers_in(self, parent: KritaNode, mark: str, register: Register) -> list[Layer]:
        found = []
        for node in reversed(parent.childNodes()):
            if node.type() not in MASK_TYPES:
                found.append(_facts(node, mark, register))
                found += self._layers_in(node, node_mark(node), register)
        return found


def _facts(node: KritaNode, parent: str, register: Register) -> Layer:
    mark = node_mark(node)
    mask = register.masks.get(mark)
    return Layer(
        mark,
        node.name(),
        document.bounds(node),
        parent,
        group=node.type() == "grouplayer",
        visible=node.visible(),
        opacity=node.opacity() / 255,
        mode=host.NORMAL if node.blendingMode() == "normal" else str(node.blendingMode()),
        masked=any(child.type() in MASK_TYPES and child.visible() for child in node.childNodes()),
        shows=node.type() in _SHOW,
        made_for=mask.layer if mask else "",
        word=mask.word if mask else "",
        made_from=register.made_from.get(mark, ""),
    )


def front() -> KritaHost | None:
    """The document in front."""
    opened = active()
    return KritaHost(opened) if opened is not None else None


def home_of(job: Job, asked: bool) -> Host | None:
    """The open document that a job was sent from; closed and asked for by the painter, the one in front."""
    return notes.home_of(job, map(KritaHost, document.everything_open())) or (front() if asked else None)
