"""`s2edit edit` and `s2edit compose`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from s2edit_installer import remedies

from . import marking, options, streams
from .connecting import connect
from .editing import MOST_REFERENCES, Task, open_inputs, run
from .exit_codes import Exit
from .report import Ended, print_object, say, tell
from .several import run_all, tasks_for

EditMask = Annotated[
    Path | None, typer.Option("--edit-mask", help="Where the picture may change, when that is not the object itself.")
]
Image = Annotated[
    Path,
    typer.Argument(help="The picture to edit; it is never overwritten. “-” reads it from stdin.", show_default=False),
]
Images = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGE...",
        help="The picture to edit, or several, each by itself; none is overwritten. “-” reads it from stdin.",
        show_default=False,
    ),
]
OutFolder = Annotated[
    Path | None, typer.Option("--out-dir", metavar="FOLDER", help="Instead of -o: one result for each picture, there.")
]


def edit(
    images: Images,
    *,
    output: options.OutputUnlessFolder = None,
    out_dir: OutFolder = None,
    source: options.SourceUnlessInstruct = None,
    target: options.TargetUnlessInstruct = None,
    words: options.WordsUnlessInstruct = None,
    instruct: options.Instruct = None,
    references: options.References = None,
    layers: options.Layers = None,
    mask: options.Mask = None,
    edit_mask: EditMask = None,
    model: options.Model = options.DEFAULT_MODEL,
    profile: options.Profile = options.DEFAULT_PROFILE,
    guidance: options.Guidance = None,
    seed: options.Seed = 0,
    set_: options.Set = None,
    emphasize: options.Emphasize = None,
    without: options.Without = None,
    tell_prompt: options.TellPrompt = False,
    wait: options.Wait = True,
    json_: options.Json = False,
) -> None:
    """Change what a picture shows, and nothing else in it."""
    if (output is None) == (out_dir is None):
        raise Ended(Exit.USAGE, "Say where the result goes: -o FILE, or --out-dir FOLDER.", "See: s2edit edit --help")
    if output is not None and len(images) > 1:
        raise Ended(Exit.USAGE, f"{len(images)} pictures can't be written into one.", "Give a folder: --out-dir FOLDER")
    if out_dir is not None and layers is not None:
        raise Ended(Exit.USAGE, "--layers is of one picture.", "Leave it out, or edit one picture with -o.")
    _check_words({"--source": source, "--target": target, "--object": words}, instruct, references or [])
    if instruct is not None and mask is not None and edit_mask is not None:
        raise Ended(Exit.USAGE, "With --instruct, there is one mask.", "Give --mask alone.")
    task = Task(
        kind="edit",
        image=images[0],
        output=output or Path(),
        layers=layers,
        source=source or "",
        target=(target if instruct is None else instruct) or "",
        words=tuple(words or ()),
        instructs=instruct is not None,
        references=tuple(references or ()),
        model=model,
        profile=options.check_profile(profile),
        seed=seed,
        mask=mask if instruct is None else None,
        edit_mask=edit_mask if instruct is None else mask or edit_mask,
        guidance=guidance,
        settings=options.settings(set_, emphasize),
        without=marking.check(without),
        tell_prompt=tell_prompt,
    )
    if out_dir is None:
        _run(task, wait=wait, as_json=json_)
    else:
        run_all(tasks_for(task, images, out_dir), wait=wait, as_json=json_)


def _check_words(sentences: Mapping[str, object], instruct: str | None, references: Sequence[Path]) -> None:
    """Raise Ended unless there is either an instruction or all three of `sentences`, by their options' names."""
    given = [name for name, value in sentences.items() if value]
    if instruct is not None and given:
        words = f"--instruct says all that is to change; {' and '.join(given)} can't go with it."
        raise Ended(Exit.USAGE, words, "Leave one or the other out.")
    missing = [name for name, value in sentences.items() if value is None]
    if instruct is None and missing:
        words = f"Missing option “{missing[0]}”."
        raise Ended(Exit.USAGE, words, "See: s2edit edit --help (or --instruct, for a model that takes an instruction)")
    if references and instruct is None:
        raise Ended(Exit.USAGE, "--reference goes with --instruct.", "See: s2edit compose --help")
    if len(references) > MOST_REFERENCES:
        raise Ended(Exit.USAGE, f"{len(references)} references are too many.", f"Give at most {MOST_REFERENCES}.")


def compose(
    image: Image,
    reference_image: Annotated[Path, typer.Argument(help="The picture that shows the other thing.")],
    *,
    output: options.Output,
    source: options.Source,
    reference: Annotated[str, typer.Option("--reference", help="What the reference picture shows.")],
    mix: Annotated[str, typer.Option("--mix", help="What the result should show.")],
    words: options.Words,
    layers: options.Layers = None,
    mask: options.Mask = None,
    reference_mask: Annotated[
        Path | None, typer.Option("--ref-mask", help="Where the thing is in the reference.")
    ] = None,
    model: options.Model = options.DEFAULT_MODEL,
    profile: options.Profile = options.DEFAULT_PROFILE,
    guidance: options.Guidance = None,
    seed: options.Seed = 0,
    set_: options.Set = None,
    without: options.Without = None,
    tell_prompt: options.TellPrompt = False,
    wait: options.Wait = True,
    json_: options.Json = False,
) -> None:
    """Bring something from a reference picture into a picture."""
    task = Task(
        kind="compose",
        image=image,
        output=output,
        layers=layers,
        source=source,
        target=mix,
        words=tuple(words),
        model=model,
        profile=options.check_profile(profile),
        seed=seed,
        mask=mask,
        reference=reference_image,
        reference_mask=reference_mask,
        reference_prompt=reference,
        guidance=guidance,
        settings=options.settings(set_),
        without=marking.check(without),
        tell_prompt=tell_prompt,
    )
    _run(task, wait=wait, as_json=json_)


def _run(task: Task, *, wait: bool, as_json: bool) -> None:
    streams.check(task, wait=wait, as_json=as_json)
    with streams.in_files(task) as given:
        inputs = open_inputs(given)
        with connect() as client:
            chosen = replace(given, model=options.chosen_model(client, given.model))
            outcome = run(chosen, inputs, client, quiet=as_json, wait=wait)
    if as_json:
        print_object(outcome)
    elif wait:
        for line in _lines(task, outcome):
            # Where the picture goes to stdout, nothing else does.
            (tell if task.output == streams.STREAM else say)(line)
    else:
        say(f"Job {outcome['job']} is with the daemon.")
        say(f"Fetch it with: {remedies.line('jobs', 'result', outcome['job'], task.image, '-o', task.output)}")


def _lines(task: Task, outcome: dict[str, Any]) -> list[str]:
    written = "the picture to stdout" if task.output == streams.STREAM else f"“{task.output}”"
    lines = [f"Wrote {written}." + (f" Layers: “{task.layers}”." if task.layers else "")]
    if outcome["changed_box"]:
        x, y, width, height = outcome["changed_box"]
        kept = "every pixel elsewhere is as it was" if outcome["lossless"] else "JPEG itself alters pixels elsewhere"
        lines.append(f"Changed: {width} × {height} pixels at {x}, {y}; {kept}.")
    elif not outcome["remark"]:
        lines.append("Nothing changed: the model found nothing to edit. Paint a mask (--mask).")
    return [*lines, *filter(None, [outcome["remark"]]), *outcome["marks"]["sentences"]]
