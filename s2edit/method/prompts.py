"""Prompts as token sequences: where a word's pieces are, and where the identity token [I] goes. Torch-free.

P~ is P with [I] in front of the object's word ("a [I] man with a beard"). [I] is no text: its id lies beyond the
vocabulary, so that it can't be typed, and the tokenizer stays the checkpoint's own.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from ..errors import CheckpointError, PromptError

MAX_IDENTITIES = 8
"""Identity tokens in one prompt: a checkpoint keeps so many embedding rows ready."""
RARE_WORD = "sks"
"""The word whose embedding [I] starts from, as DreamBooth chose it; rare in what text encoders were trained on."""
_PLAIN = str.maketrans({**dict.fromkeys("‘’‚‛ʼ′＇", "'"), **dict.fromkeys("“”„‟″＂", '"'), **dict.fromkeys("‐‑‒", "-")})
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A word with inner hyphens or apostrophes, or one punctuation mark.
_UNIT = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")
# Weights and networks of stable-diffusion-webui and ComfyUI, weights of Compel, wildcards, Midjourney's parameters.
_FOREIGN = re.compile(
    r"<\w+:[^<>]*>|\([^()]*:\s*\d*\.?\d+\s*\)|\({2,}[^()]*\){2,}|\[[^\[\]]*[:|][^\[\]]*\]|\{[^{}]*\|[^{}]*\}"
    r"|__\w+__|\w+(?:\+{2,}|-{2,})(?!\w)|(?<!\S)--(?:ar|no|v|s|q|seed|style|stylize|chaos|niji)(?!\w)|embedding:\w+"
    r"|(?<!\w)BREAK(?!\w)"
)
# Words that name nothing in a picture: their attention is diffuse, so they neither are objects nor steer LocalBlend.
# fmt: off
FUNCTION_WORDS = frozenset(
    {
        "a", "an", "the", "of", "and", "or", "with", "without", "no", "not", "on", "in", "at", "by", "to",
        "for", "from", "as", "is", "are", "be", "has", "have", "having", "wearing", "being", "his", "her",
        "its", "their", "my", "your", "this", "that", "these", "those", "while", "who", "which", "it", "he",
        "she", "they", "very", "some",
    }
)
# The words that end the first noun phrase of a prompt.
_PHRASE_ENDS = frozenset(
    {
        "with", "without", "wearing", "on", "in", "of", "at", "and", "who", "having", "is", "has", "near",
        "holding", "sitting", "standing",
    }
)
# fmt: on


@dataclass(frozen=True)
class Unit:
    """A word or punctuation mark: its text in lower case and the positions of its pieces in the token sequence."""

    text: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Prompt:
    """A tokenised prompt.

    Args:
        text: with whitespace runs collapsed, NFC.
        ids: start token, content, first end token; not padded. In a chat's template (`chat`) whatever stands before and
            after the content takes the place of these two.
        spans: start and end in `text` of each content token; (0, 0) for start, end and identity tokens.
        units: words and punctuation in order; an identity token is a unit of its own, with the text "[I0]", "[I1]", …
        identity: position of each object's identity token, in the objects' order; () for a plain prompt.
        head, tail: tokens before and after the content.
        sentence_before: how far before `end` the state stands that Eq. 1 takes for the whole sentence: 0 for CLIP's end
            token, 1 for the last own token where there is none of that kind.
    """

    text: str
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    units: tuple[Unit, ...]
    identity: tuple[int, ...] = ()
    head: int = 1
    tail: int = 1
    sentence_before: int = 0

    @property
    def end(self) -> int:
        """Position of the first token after the content: CLIP's first end token (EOT)."""
        return len(self.ids) - self.tail

    @property
    def sentence(self) -> int:
        """Position of the state that Eq. 1 takes for the whole sentence, e_P."""
        return self.end - self.sentence_before

    def positions(self, word: str) -> tuple[int, ...]:
        """Positions of the pieces of the first occurrence of a word (or words in a row), whatever its case.

        Raises:
            PromptError: `word_not_in_prompt`; the message names the word.
        """
        start, end = find_word(self.text, word)
        return tuple(
            position
            for position, (first, last) in enumerate(self.spans)
            if first < end and last > start and last > first
        )

    def unit_of(self, position: int) -> int:
        """Index of the unit that owns a token; raises ValueError for the start and end tokens."""
        for index, unit in enumerate(self.units):
            if position in unit.positions:
                return index
        raise ValueError(f"no word owns the token at {position}")


def cleaned(text: str) -> str:
    """A prompt or word as it is read: NFC, plain quotes and hyphens, nothing that can't be seen, single spaces.

    What is pasted from elsewhere looks the same and would be other tokens. Left out are control characters and what is
    Default_Ignorable_Code_Point (Unicode Character Database, DerivedCoreProperties.txt).
    """
    # Line ends and tabs are control characters, too, and part words.
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", spaced).translate(_PLAIN)).split())


def tidy(prompt: str) -> str:
    """`cleaned`; raises PromptError `empty_prompt` when nothing is left."""
    text = cleaned(prompt)
    if not text:
        raise PromptError("The prompt is empty.", code="empty_prompt", hint="Describe the picture in a few words.")
    return text


def find_word(text: str, word: str) -> tuple[int, int]:
    """Start and end in `text` of the first occurrence of a whole word; raises PromptError naming the word."""
    pattern = r"\s+".join(re.escape(part) for part in cleaned(word).split())
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) if pattern else None
    if found is None:
        raise PromptError(
            f"The word “{word}” is not in the prompt “{text}”.",
            code="word_not_in_prompt",
            hint="Name the object with a word that the prompt has.",
        )
    return found.span()


def unknown_words(prompt: str, known: Iterable[str]) -> list[str]:
    """The words of a prompt that a model never learned, in order, each once, lower case.

    Args:
        known: all words that it learned, lower case; possessives and words that name nothing need not be among them.
    """
    learned = set(known) | FUNCTION_WORDS
    words = (unit.group().lower().removesuffix("'s") for unit in _UNIT.finditer(cleaned(prompt)))
    return list(dict.fromkeys(word for word in words if word[0].isalpha() and word not in learned))


def foreign_syntax(prompt: str) -> list[str]:
    """What a prompt holds of other programs' notations, such as `(hat:1.3)` and `<lora:name:1>`."""
    return list(dict.fromkeys(found.group() for found in _FOREIGN.finditer(cleaned(prompt))))


def content_words(text: str) -> list[str]:
    """The words of a prompt that may name something, in order, each once, lower case."""
    words = (unit.group().lower() for unit in _UNIT.finditer(text))
    return list(dict.fromkeys(word for word in words if word[0].isalpha() and word not in FUNCTION_WORDS))


def object_words(prompt: str) -> list[str]:
    """Candidates for the object's word, the likeliest first: the head of the first noun phrase, then the rest."""
    words = content_words(prompt)
    head = ""
    for unit in _UNIT.finditer(prompt):
        word = unit.group().lower()
        if head and (word in _PHRASE_ENDS or not word[0].isalnum()):
            break
        if word in words:
            head = word
    return [head, *(word for word in words if word != head)] if head else []


class PromptTokenizer:
    """A checkpoint's CLIP tokenizer.

    Args:
        tokenizer: the byte-pair encoder. start, end, pad: ids of the special tokens. length: of the padded sequence.
    """

    def __init__(self, tokenizer: Tokenizer, *, start: int, end: int, pad: int, length: int) -> None:
        self._tokenizer = tokenizer
        self.start, self.end, self.pad, self.length = start, end, pad, length
        self.before: tuple[int, ...] = (start,)
        """What stands before the content."""
        self.after: tuple[int, ...] = (end,)
        """And after it."""
        self.sentence_before = 0
        """See `Prompt`."""
        self.vocabulary_size: int = tokenizer.get_vocab_size(with_added_tokens=True)

    @classmethod
    def from_folder(cls, path: Path, part: str = "tokenizer", *, vocabulary: Path | None = None) -> PromptTokenizer:
        """Read `tokenizer.json`, or `vocab.json` and `merges.txt`, of a checkpoint's folder or its tokenizer's folder.

        Args:
            part: the tokenizer's folder. vocabulary: a checkpoint's folder with CLIP's, for one that has no such file.
        Raises:
            CheckpointError: the files are missing or damaged.
        """
        folder = path / part if (path / part).is_dir() else path
        try:
            config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            if (folder / "tokenizer.json").is_file():
                tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
                tokenizer.no_padding()
                tokenizer.no_truncation()
            else:
                missing = vocabulary is not None and not (folder / "vocab.json").exists()
                tokenizer = clip_tokenizer(vocabulary / "tokenizer" if vocabulary and missing else folder)
            names = [_token_text(config.get(key, default)) for key, default in _SPECIAL.items()]
            start, end, pad = (tokenizer.token_to_id(name) for name in names)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"The tokenizer of “{path.name}” can't be read.",
                code="checkpoint_incomplete",
                hint="Download the model again, or verify it.",
            ) from error
        if start is None or end is None:
            raise CheckpointError(
                f"The tokenizer of “{path.name}” is not a CLIP tokenizer.", code="checkpoint_unsupported"
            )
        length = min(int(config.get("model_max_length", 77)), 1024)
        return cls(tokenizer, start=start, end=end, pad=end if pad is None else pad, length=length)

    @property
    def special(self) -> set[int]:
        """Ids that no prompt may contain."""
        return {self.start, self.end}

    def padded(self, prompt: Prompt | None) -> list[int]:
        """A prompt's ids as an encoder takes them, `length` of them; None is the empty prompt."""
        ids = [*self.before, *self.after] if prompt is None else list(prompt.ids)
        return [*ids, *[self.pad] * (self.length - len(ids))]

    def agrees(self, other: PromptTokenizer) -> bool:
        """Whether another one gives the same ids; it may pad otherwise."""
        probe = "a photo of sks, hippopotamuses' 2 eyeglasses"
        ours, theirs = ((one.start, one.end, one.length, one.vocabulary_size) for one in (self, other))
        return ours == theirs and self.encode(probe).ids == other.encode(probe).ids

    def encode(self, prompt: str, *, room: int = 0, name: str = "prompt") -> Prompt:
        """Tokenise; nothing is cut.

        Args:
            room: positions to keep free for identity tokens. name: what errors call the prompt.
        Raises:
            PromptError: `empty_prompt`, or `prompt_too_long` naming the first word that does not fit.
        """
        text = tidy(prompt)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        if self.special & set(encoding.ids):
            raise PromptError(f"The {name} may not contain “<|…|>”.", code="special_token", hint="Remove it.")
        limit = self.length - len(self.before) - len(self.after) - room
        if len(encoding.ids) > limit:
            word = text[text.rfind(" ", 0, encoding.offsets[limit][0]) + 1 :].split()[0]
            raise PromptError(
                f"The {name} is too long: {len(encoding.ids)} tokens of at most {limit}; “{word}” no longer fits.",
                code="prompt_too_long",
                hint="Shorten the prompt.",
            )
        offsets = (_trimmed(text, *offset) for offset in encoding.offsets)
        spans = (*((0, 0) for _ in self.before), *offsets, *((0, 0) for _ in self.after))
        units = tuple(
            Unit(found.group().lower(), tuple(_inside(spans, *found.span()))) for found in _UNIT.finditer(text)
        )
        return Prompt(
            text,
            (*self.before, *encoding.ids, *self.after),
            spans,
            tuple(unit for unit in units if unit.positions),
            head=len(self.before),
            tail=len(self.after),
            sentence_before=self.sentence_before,
        )

    def fits(self, prompt: str, *, room: int = 0) -> bool:
        """Whether `encode` would take the prompt."""
        try:
            self.encode(prompt, room=room)
        except PromptError:
            return False
        return True

    def with_identity(self, prompt: Prompt, places: Sequence[int], first: int = 0) -> Prompt:
        """P~: an identity token in front of each given token of a plain prompt.

        Args:
            places: position in `prompt` of the first piece of each object's word, in the objects' order.
            first: number of the first identity token.
        Returns:
            A prompt whose object k has the id `vocabulary_size + first + k`.
        """
        ids, spans = list(prompt.ids), list(prompt.spans)
        moved = {position: position + sum(place <= position for place in places) for position in range(len(ids))}
        identity = tuple(
            moved[place] - 1 - sum(other == place for other in places[k + 1 :]) for k, place in enumerate(places)
        )
        units = [Unit(unit.text, tuple(moved[p] for p in unit.positions)) for unit in prompt.units]
        for k, position in sorted(enumerate(identity), key=lambda item: item[1]):
            ids.insert(position, self.vocabulary_size + first + k)
            spans.insert(position, (0, 0))
            units.append(Unit(f"[I{first + k}]", (position,)))
        units.sort(key=lambda unit: unit.positions)
        return replace(prompt, ids=tuple(ids), spans=tuple(spans), units=tuple(units), identity=identity)

    def object_words(self, prompt: str) -> list[str]:
        """Candidates for the object's word in a prompt, the likeliest first."""
        return object_words(prompt)


def clip_tokenizer(folder: Path) -> Tokenizer:
    """CLIP's byte-pair encoder from `vocab.json` and `merges.txt` (Radford et al., 2021)."""
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").strip().split("\n")
    pairs = (line.split() for line in lines if line and not line.startswith("#version"))
    merges = [(first, second) for first, second in pairs]
    encoder = models.BPE(
        vocab=vocabulary,
        merges=merges,
        continuing_subword_prefix="",
        end_of_word_suffix="</w>",
        fuse_unk=False,
        unk_token="<|endoftext|>",  # noqa: S106 - a token of the vocabulary, not a secret
    )
    tokenizer = Tokenizer(encoder)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([name for name in ("<|startoftext|>", "<|endoftext|>") if name in vocabulary])
    return tokenizer


_SPECIAL = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}


def _token_text(value: Any) -> str:
    return str(value["content"]) if isinstance(value, dict) else str(value)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A token's place in the text without the space that some tokenizers keep with the word after it."""
    return end - len(text[start:end].lstrip() or text[start:end]), end


def _inside(spans: Sequence[tuple[int, int]], start: int, end: int) -> Iterable[int]:
    return (p for p, (first, last) in enumerate(spans) if last > first and start <= first < end)
