"""Content Credentials: a signed C2PA manifest in every picture that is written, and manifests read.

The manifest (C2PA specification 2.2) says that the source was opened and edited with a model's help, and holds the
source as its ingredient, with whatever manifest that has. Nothing is asked of the network: no OCSP, no remote manifest,
and no time stamp unless a server is set (`credential`).
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import credential
from .terms import PROGRAM, SOURCE_TYPE

SETTINGS = {
    # A thumbnail of the source would show in the result what the edit took away.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Source:
    """A picture that went into an edit: its file, and `png`, `jpeg`, `webp` or `tiff`."""

    path: Path
    kind: str


@dataclass(frozen=True)
class About:
    """What a manifest tells of an edit.

    Args:
        title: the picture's name for readers. version: this program's.
        model, model_sha256: which model, and its weights' digest; "" when not known.
        prompt: what was asked for, where the painter wants it told, else "".
        watermarked: whether the pixels carry this program's watermark.
    """

    title: str
    version: str
    model: str = ""
    model_sha256: str = ""
    prompt: str = ""
    watermarked: bool = False

    def actions(self) -> list[dict[str, Any]]:
        """C2PA's actions behind `c2pa.opened`, which its library adds for an edit."""
        agent = {"name": PROGRAM, "version": self.version}
        told = {"s2edit.model": self.model, "s2edit.model_sha256": self.model_sha256, "s2edit.prompt": self.prompt}
        edited: dict[str, Any] = {"action": "c2pa.edited", "digitalSourceType": SOURCE_TYPE, "softwareAgent": agent}
        if parameters := {name: value for name, value in told.items() if value}:
            edited["parameters"] = parameters
        # "Unbound": the watermark says that there was an edit, not which.
        marked = {"action": "c2pa.watermarked.unbound", "softwareAgent": agent}
        return [edited, marked] if self.watermarked else [edited]


def sign(
    file: Path,
    kind: str,
    source: Source,
    about: About,
    by: credential.Identity,
    others: tuple[Source, ...] = (),
) -> None:
    """Put a manifest into a written picture.

    Args:
        file: the picture; all or nothing happens to it. kind: as `Source.kind`.
        source: the picture that was edited. others: what else went in, such as a reference picture.
    Raises:
        WireError: bad_setting. OSError.
    """
    c2pa: Any = importlib.import_module("c2pa")
    claim = {"claim_generator_info": [{"name": PROGRAM, "version": about.version}], "title": about.title}
    signed = file.with_name(f"{file.name}.signed")
    try:
        info = c2pa.C2paSignerInfo(by.algorithm, by.chain, by.key, by.time_stamp or None)
        with (
            c2pa.Context.from_dict(SETTINGS) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(claim, context=context) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            for at, part in enumerate((source, *others)):
                with part.path.open("rb") as opened:
                    relationship = "componentOf" if at else "parentOf"
                    ingredient = {"title": part.path.name, "relationship": relationship}
                    builder.add_ingredient(ingredient, f"image/{part.kind}", opened)
            for action in about.actions():
                builder.add_action(action)
            with file.open("rb") as unsigned, signed.open("w+b") as target:
                builder.sign(signer, f"image/{kind}", unsigned, target)
        signed.replace(file)
    except c2pa.C2paError as error:
        raise credential.unusable(f"C2PA's library says: {error}", "Write it unsigned with: --without c2pa") from error
    finally:
        signed.unlink(missing_ok=True)


@dataclass(frozen=True)
class Told:
    """What a file's manifests tell.

    Args:
        state: C2PA's validation state, `Trusted`, `Valid` or `Invalid`.
        signer: who signed, "" if nobody is named. program: what made the claim. self_made: signed by an S²Edit with a
            credential that nobody vouches for.
        source_types: digital source types that actions name, the active manifest's first, then its ingredients'.
        chain: how many manifests the file carries, the active one included.
        failures: what C2PA's library found wrong, by its codes.
    """

    state: str
    signer: str
    program: str
    self_made: bool
    source_types: tuple[str, ...]
    chain: int
    failures: tuple[str, ...]


class CannotRead(Exception):
    """C2PA's library is missing or can't make sense of the manifest; the message says which."""


def read(file: Path, kind: str) -> Told | None:
    """The manifests of a file; None when there are none.

    Args:
        kind: a media type that C2PA's library knows, such as `image/png`.
    Raises:
        CannotRead.
    """
    if not credential.can_sign():
        raise CannotRead('C2PA\'s library is missing; run: pip install "s2edit[sign]"')
    c2pa: Any = importlib.import_module("c2pa")
    try:
        with c2pa.Context.from_dict(SETTINGS) as context, file.open("rb") as opened:
            reader = c2pa.Reader.try_create(kind, opened, context=context)
            if reader is None:
                return None
            with reader:
                return _told(json.loads(reader.json()))
    except c2pa.C2paError as error:
        raise CannotRead(f"C2PA's library says: {error}") from error


def _told(store: dict[str, Any]) -> Told:
    manifests = store.get("manifests", {})
    active = manifests.get(store.get("active_manifest"), {})
    signature = active.get("signature_info") or {}
    generators = active.get("claim_generator_info") or [{}]
    actions = [
        action
        for manifest in (active, *manifests.values())
        for entry in manifest.get("assertions", [])
        if str(entry.get("label", "")).startswith("c2pa.actions")
        for action in entry.get("data", {}).get("actions", [])
    ]
    types = [str(action["digitalSourceType"]) for action in actions if action.get("digitalSourceType")]
    return Told(
        state=str(store.get("validation_state", "Invalid")),
        signer=str(signature.get("common_name") or signature.get("issuer") or ""),
        program=str(generators[0].get("name", "")),
        self_made=signature.get("issuer") == credential.ISSUER,
        source_types=tuple(dict.fromkeys(types)),
        chain=len(manifests),
        failures=tuple(str(item.get("code", "")) for item in store.get("validation_status", [])),
    )
