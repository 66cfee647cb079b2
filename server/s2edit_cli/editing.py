"""One edit from picture file to picture file: read, plan, send the crop, follow, composite in native colours, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from s2edit_editor.words import resolution
from s2edit_wire import frames as wire_frames
from s2edit_wire.client import Client, Incoming, new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAX_PROMPT
from s2edit_wire.records import PlanReply

from . import targets, writing
from .colour import to_srgb
from .composite import composite, native_layer
from .follow import Display, Follower
from .looking import looking
from .marking import marking
from .masks import bounding_box, open_mask, share
from .masks import sentences as mask_sentences
from .openraster import save_layers
from .pictures import Box, PictureFile, open_picture
from .report import is_text, tell

DTYPES: dict[str, np.dtype[Any]] = {"u1": np.dtype("<u1"), "u2": np.dtype("<u2"), "f4": np.dtype("<f4")}
MASK_NAMES = {"object_mask": "The mask", "edit_mask": "The edit mask", "reference_mask": "The reference's mask"}
MOST_REFERENCES = 3
"""Pictures that an instruction may speak of."""
SEND_TIMEOUT = 300.0
"""Seconds for handing over or fetching pixels; storing half a gigabyte on a slow disk takes a while."""


@dataclass(frozen=True)
class Task:
    """What is asked for.

    Args:
        kind: `edit` or `compose`. image, output, layers: files; the last may be None.
        words: the objects; the first is the main one, and masks are its.
        mask, edit_mask, reference, reference_mask: files or None.
        target: what the picture should show; for `compose` the mixed prompt; the instruction, where it `instructs`.
        references: files that an instruction speaks of.
        settings: method settings by dotted name.
        without: names of marks that are not wanted. tell_prompt: whether files tell what was asked for.
    """

    kind: str
    image: Path
    output: Path
    layers: Path | None
    source: str
    target: str
    words: tuple[str, ...]
    model: str
    profile: str
    seed: int
    mask: Path | None = None
    edit_mask: Path | None = None
    reference: Path | None = None
    reference_mask: Path | None = None
    reference_prompt: str = ""
    guidance: float | None = None
    settings: dict[str, bool | float | str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    tell_prompt: bool = False
    instructs: bool = False
    references: tuple[Path, ...] = ()

    def inputs(self) -> list[Path]:
        """All files that are read."""
        files = (self.image, self.mask, self.edit_mask, self.reference, self.reference_mask, *self.references)
        return [path for path in files if path is not None]


@dataclass(frozen=True)
class Inputs:
    """The opened files of a task; masks are H x W uint8 at the picture's size."""

    picture: PictureFile
    masks: dict[str, NDArray[np.uint8]]
    reference: PictureFile | None = None
    reference_mask: NDArray[np.uint8] | None = None
    others: tuple[PictureFile, ...] = ()

    def remarks(self) -> list[tuple[str, bool]]:
        """Sentences on the files, and whether each is a warning rather than news."""
        pictures = [self.picture, *self.references()]
        over = {**self.masks, **({} if self.reference_mask is None else {"reference_mask": self.reference_mask})}
        marks = mask_sentences((MASK_NAMES[role], mask) for role, mask in over.items())
        return [(note, True) for picture in pictures for note in picture.notes] + marks

    def references(self) -> tuple[PictureFile, ...]:
        """The other pictures of the task."""
        return self.others if self.reference is None else (self.reference, *self.others)


def open_inputs(task: Task) -> Inputs:
    """Open and check everything that can be checked without the daemon; WireError says what is wrong."""
    if task.instructs and not task.target.strip():
        raise WireError("bad_prompt", "The instruction is empty.", "Say what should change.")
    if not task.instructs and not (task.source.strip() and task.target.strip()):
        raise WireError("bad_prompt", "A prompt is empty.", "Say what the picture shows and what it should show.")
    if not is_text("".join((task.source, task.target, task.reference_prompt, *task.words))):
        words = "A prompt has bytes in it that are no text in this terminal's encoding."
        raise WireError("bad_prompt", words, "Set the terminal to UTF-8, or type the prompt in plain letters.")
    if max(len(task.source), len(task.target), len(task.reference_prompt)) > MAX_PROMPT:
        raise WireError("bad_prompt", f"A prompt has more than {MAX_PROMPT} characters.", "Say it in fewer words.")
    with looking():
        whole = task.mask is None and task.edit_mask is None
        picture = open_for_result(task.image, task.output, task.layers, task.inputs(), sent=whole)
        paths = {"object_mask": task.mask, "edit_mask": task.edit_mask}
        masks = {role: open_mask(path, picture.size) for role, path in paths.items() if path is not None}
        reference = open_picture(task.reference) if task.reference else None
        over = open_mask(task.reference_mask, reference.size) if reference and task.reference_mask else None
        others = tuple(open_picture(path) for path in task.references)
    return Inputs(picture, masks, reference, over, others)


def open_for_result(
    image: Path, output: Path, layers: Path | None, inputs: list[Path], *, sent: bool = False
) -> PictureFile:
    """The picture, once it is sure that its result can be written; WireError says what is wrong.

    Args:
        inputs: all files that are read. sent: whether the whole picture will be sent, which has to fit a message.
    """

    def check(size: tuple[int, int], least: int) -> None:
        targets.check_size(output, size)
        if sent:
            wire_frames.check_bytes(size[0] * size[1] * least)

    targets.check_output(output, inputs, tuple(targets.KINDS))
    if layers:
        targets.check_output(layers, [*inputs, output], (".ora",))
    picture = open_picture(image, check)
    targets.check_fits(output, picture)
    return picture


def run(
    task: Task,
    inputs: Inputs,
    client: Client,
    *,
    quiet: bool,
    wait: bool = True,
    watch: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Do it; returns the object that `--json` prints. With `wait` False, returns once the daemon has the job.

    Args:
        quiet, watch: as of `Follower`.
    """
    began = time.monotonic()
    remarks = inputs.remarks()
    if not quiet:
        for sentence, is_warning in remarks:
            tell(sentence, "yellow" if is_warning else "")
    told: dict[str, Any] = {"mask_shares": {role: round(share(mask), 4) for role, mask in inputs.masks.items()}}
    told |= {"warnings": [sentence for sentence, is_warning in remarks if is_warning]}
    answer = plan(task, inputs, client)
    doubts = [problem["message"] for problem in answer["problems"]]
    told["warnings"] += doubts
    told |= {"resolution": answer["resolution"]} if "resolution" in answer else {}
    if not quiet:
        for sentence in doubts:
            tell(sentence, "yellow")
        if fine := resolution(answer):
            tell(fine)
    x, y, width, height = answer["crop"]
    crop = (x, y, width, height)
    job = submit(task, inputs, crop, client, quiet=quiet)
    if not wait:
        return {"exit_code": 0, "job": job["job"], "state": job["state"], "crop": list(crop), **told}
    follower = Follower(client, job, quiet=quiet, watch=watch)
    ended = follower.run()
    wanted = {"without": task.without, "tell_prompt": task.tell_prompt, "others": inputs.references()}
    summary = fetch(follower.client, ended, inputs.picture, task.output, task.layers, **wanted)
    return {**summary, **told, "seconds": round(time.monotonic() - began, 3)}


def plan(task: Task, inputs: Inputs, client: Client) -> PlanReply:
    """What the daemon answers to `plan`. Raises the first problem that stands in the way."""
    answer = plan_of(task, inputs, client)
    for problem in answer["problems"]:
        if problem["blocking"] and task.instructs and problem["field"] == "source":
            hint = (
                "Choose a model that does (--model; see s2edit models list), or give --source, --target and --object."
            )
            raise WireError("bad_prompt", f"“{task.model}” takes no instruction.", hint)
        if problem["blocking"]:
            raise WireError(problem["code"], problem["message"])
    return answer


def plan_of(task: Task, inputs: Inputs, client: Client) -> PlanReply:
    """The daemon's whole answer to `plan`: crop, problems, and how long it would take."""
    fields: dict[str, Any] = {
        "kind": task.kind,
        "model": task.model,
        "profile": task.profile,
        "canvas": list(inputs.picture.size),
        "source": task.source,
        "target": task.target,
        "objects": _objects(task),
        "settings": task.settings,
    }
    box = bounding_box(list(inputs.masks.values()))
    if box is not None:
        fields["mask_box"] = list(box)
    answer: Any = client.request("plan", fields).header
    return answer  # type: ignore[no-any-return]


def submit(task: Task, inputs: Inputs, crop: Box, client: Client, *, quiet: bool = True) -> dict[str, Any]:
    """Hand the crop over; returns the job as the daemon keeps it."""
    picture = inputs.picture
    frames = [("image", to_srgb(picture, picture.crop(crop)))]
    x, y, width, height = crop
    frames += [(role, _plane(mask[y : y + height, x : x + width])) for role, mask in inputs.masks.items()]
    for other in inputs.references():
        frames.append(("reference", to_srgb(other, other.crop((0, 0, *other.size)))))
    if inputs.reference_mask is not None:
        frames.append(("reference_mask", _plane(inputs.reference_mask)))
    edit: dict[str, Any] = {
        "kind": task.kind,
        "model": task.model,
        "profile": task.profile,
        "source": task.source,
        "target": task.target,
        "objects": _objects(task),
        "seed": task.seed,
        "settings": task.settings,
        "document": {
            "host": "cli",
            "title": _title(picture.path),
            "canvas": list(picture.size),
            "crop": list(crop),
        },
    }
    if "watermark" in task.without:
        edit["watermark"] = False
    if task.guidance is not None:
        edit["guidance"] = task.guidance
    if task.kind == "compose":
        edit["reference_prompt"] = task.reference_prompt
    fields = {"job": new_job_id(), "edit": edit, "frames": _entries(frames)}
    display = Display(quiet=quiet)
    try:
        pixels = [_bytes(samples) for _, samples in frames]
        answer = client.request("submit", fields, pixels, SEND_TIMEOUT, display.sending)
    finally:
        display.close()
    job: dict[str, Any] = answer.header["job"]
    return job


def fetch(
    client: Client, job: dict[str, Any], picture: PictureFile, output: Path, layers: Path | None, **wanted: Any
) -> dict[str, Any]:
    """Get a finished job's result, lay it over the picture, write, and say that it has arrived.

    Args:
        wanted: what `marking.marking` takes by name.
    """
    answer = client.request("result", {"job": job["job"]}, timeout=SEND_TIMEOUT)
    parts = {entry["role"]: _samples(entry, data) for entry, data in zip(*_both(answer), strict=True)}
    x, y, width, height = job["edit"].get("document", {}).get("crop", [0, 0, *picture.size])
    if "patch" not in parts or "alpha" not in parts:
        raise WireError("wrong_state", f"A job of the kind “{job['edit']['kind']}” makes no picture.")
    changed = picture.changed()
    if changed:
        raise WireError(
            "bad_image",
            f"“{picture.path.name}” {changed} while the job ran.",
            f"Fetch the result into the picture as it was, with: s2edit jobs result {job['job']} PICTURE -o OUTPUT",
        )
    layer = native_layer(picture, parts["patch"], parts["alpha"], (x, y, width, height))
    merged = composite(picture, layer)
    record = answer.header["record"]
    marks = marking(picture, output, job, record, **wanted)
    outcome = writing.save(merged, output, marks, picture)
    if layers is not None:
        save_layers(layers, picture, merged, layer, job["edit"].get("target", "S²Edit"), marks)
    client.request("acknowledge", {"job": job["job"]})
    told = summary(job, record, layer.trimmed().box if layer.alpha.any() else None, output, layers)
    watermark = record.get("watermark") or {"carried": False, "why": "the daemon is of an older version"}
    if not watermark["carried"] and "watermark" not in marks.without:
        outcome.sentences.append(f"No watermark is in the pixels: {watermark['why']}.")
    return {**told, "warnings": list(picture.notes), "marks": {**outcome.record(), "watermark": watermark}}


def summary(
    job: dict[str, Any], record: dict[str, Any], changed: Box | None, output: Path, layers: Path | None
) -> dict[str, Any]:
    """The object that `--json` prints for a finished edit."""
    edit = job["edit"]
    named = ("phases", "unet_forwards", "cached", "model_hash", "model_size")
    return {
        "exit_code": 0,
        "job": job["job"],
        "state": job["state"],
        "attempt": job["attempt"],
        "output": str(output),
        "layers": str(layers) if layers else None,
        "lossless": writing.lossless(output),
        "model": edit["model"],
        "profile": edit["profile"],
        "seed": edit["seed"],
        "changed_box": list(changed) if changed else None,
        "remark": " ".join(filter(None, (job.get("message"), job.get("hint")))),
        "crop": edit.get("document", {}).get("crop"),
        "mask_hashes": record.get("masks"),
        **{name: record.get(name) for name in named},
        "record": record,
    }


def _title(path: Path) -> str:
    """The file's name as a title: whatever bytes a file system lets a name have, it is text of one line."""
    return "".join(character if character.isprintable() else "\ufffd" for character in path.name)[:300]


def _objects(task: Task) -> list[dict[str, Any]]:
    return [{"word": word, "masked": index == 0 and task.mask is not None} for index, word in enumerate(task.words)]


def _plane(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask)[:, :, None]


def _entries(frames: Sequence[tuple[str, NDArray[Any]]]) -> list[wire_frames.FrameRecord]:
    """The header's entries; of several with the same role, each has its number."""
    entries: list[wire_frames.FrameRecord] = []
    for role, samples in frames:
        height, width, channels = samples.shape
        space = "mask" if role.endswith("mask") else "srgb"
        index = sum(entry["role"] == role for entry in entries)
        entries.append(
            wire_frames.describe(role, (height, width, channels), f"u{samples.dtype.itemsize}", space, index)
        )
    return entries


def _bytes(samples: NDArray[Any]) -> memoryview:
    little = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("<"))
    return little.data.cast("B")


def _both(answer: Incoming) -> tuple[list[dict[str, Any]], list[memoryview | bytearray]]:
    return answer.header.get("frames", []), answer.frames


def _samples(entry: dict[str, Any], data: memoryview | bytearray) -> NDArray[Any]:
    samples: NDArray[Any] = np.frombuffer(data, DTYPES[entry["dtype"]])
    return samples.reshape(tuple(entry["shape"]))
