"""What the trainer, the classifier and the benchmark ask of a world of parametric pictures: portraits, robots, …

A world is drawn by a renderer from a frozen record, so the right answer to every edit can be drawn too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Thing:
    """What a picture shows, as a record whose fields can be changed one at a time.

    Subclasses list in `VALUES` the fields that have names, each with the values that it can take. Their other fields
    (variant, placement, …) are numbers. Changing one field leaves the drawing of all others as it was.

    Raises:
        ValueError: a field has a value that the renderer does not know.
    """

    VALUES: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        for name, values in self.VALUES.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}; choose one of: {', '.join(values)}.")

    def change(self, **changes: Any) -> Self:
        """The same thing with the given fields changed, for instance `change(accessory="glasses")`."""
        return replace(self, **changes)

    def named(self) -> dict[str, str]:
        """The fields of `VALUES`, without variant, scene and placement."""
        return {name: getattr(self, name) for name in self.VALUES}


T = TypeVar("T", bound=Thing)
S_contra = TypeVar("S_contra", bound=Thing, contravariant=True)


class Caption(Protocol[S_contra]):
    """Describes a thing in one sentence; see `s2edit.research.starter.captions.caption`."""

    def __call__(
        self, thing: S_contra, /, rng: np.random.Generator | None = None, mention: set[str] | None = None
    ) -> str: ...


@dataclass(frozen=True)
class Edit(Generic[T]):
    """A kind of edit: what it is possible on, what it changes, and which parts the prompts mention for it.

    `kind` is add, remove, replace, recolour or double.
    """

    name: str
    kind: str
    needs: Callable[[T], bool]
    changes: Mapping[str, str]
    mention: frozenset[str]


@dataclass(frozen=True)
class Parts(Generic[T]):
    """Where the parts of a picture are and how captions name them: what a loss on cross-attention maps needs.

    Args:
        names: of the parts.
        details: the parts that are a few latents each, and what edits are about.
        regions: of a thing and a number of cells along each side: (len(names), side, side) float32 in 0 to 1, the
            covered part of each cell; zeros where a part is missing or hidden.
        nouns: the words that name a part; adjectives before them, the colours among them, name the same part.
        alone: adjectives that name a part by themselves.
        skipped: adjectives that name no part and stand before others that do.
    """

    names: tuple[str, ...]
    details: tuple[str, ...]
    regions: Callable[[T, int], NDArray[np.float32]]
    nouns: Mapping[str, str]
    alone: Mapping[str, str]
    skipped: frozenset[str] = frozenset()


def by_word(words: Mapping[str, str]) -> dict[str, str]:
    """Turn a table of parts, each with its words in one string, into one of words, each with its part."""
    return {word: part for part, listed in words.items() for word in listed.split()}


@dataclass(frozen=True)
class Domain(Generic[T]):
    """A world of pictures.

    Args:
        name: its name on command lines.
        thing: the record's class.
        sample: draws a thing; seeds below `TRAINING_SEED_LIMIT` belong to training.
        render: a thing's picture, (size, size, 3) uint8 sRGB, for sizes from 16 to 8192.
        caption: a sentence about a thing, true of its picture.
        visible: the fields of `VALUES` that the picture shows.
        asked: what the full caption says of a thing, by field.
        noun: the word for a thing in its captions.
        nouns: all words that may stand there, for instance to put a rare token before.
        words: every word of its captions and of likely edits.
        usual: the parts that a prompt names whatever the edit is about.
        proposal: the parts that a proposed source prompt names.
        edits: of the benchmark.
        parts: where parts are, and their words.
        classifier: the attribute classifier's weights.
        size: side in px of the pictures that its checkpoint is trained on.
    """

    name: str
    thing: type[T]
    sample: Callable[[int], T]
    render: Callable[[T, int], NDArray[np.uint8]]
    caption: Caption[T]
    visible: Callable[[T], frozenset[str]]
    asked: Callable[[T], dict[str, str]]
    noun: Callable[[T], str]
    nouns: tuple[str, ...]
    words: Callable[[], list[str]]
    usual: frozenset[str]
    proposal: frozenset[str]
    edits: tuple[Edit[T], ...]
    parts: Parts[T]
    classifier: Path
    size: int = 128

    @property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """The named fields and their values."""
        return self.thing.VALUES

    def picture(self, seed: int, size: int | None = None) -> tuple[NDArray[np.uint8], T]:
        """A random thing: its picture, (size, size, 3) uint8, of the domain's own size if None, and its record."""
        thing = self.sample(seed)
        return self.render(thing, size or self.size), thing


_HOME = {
    "portraits": "s2edit.research.starter.portraits:PORTRAITS",
    "robots": "s2edit.research.starter.robots:ROBOTS",
    "portraits-256": "s2edit.research.starter.portraits256:PORTRAITS_256",
}
TRAINED = tuple(_HOME)
"""What the trainer knows; `portraits-256` is in training and takes the place of `portraits` when it is done."""
NAMES = ("portraits", "robots")
"""What has a checkpoint, and edits of its own in the benchmark."""


def domain(name: str) -> Domain[Any]:
    """The world of a name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in _HOME:
        raise ValueError(f"There is no domain “{name}”; choose one of: {', '.join(NAMES)}.")
    module, constant = _HOME[name].split(":")
    found: Domain[Any] = getattr(import_module(module), constant)
    return found
