"""Captions from a captioner of the catalogue's kind, tiny and untrained, and from files that are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from s2edit_server.weights.manager import Weights
from s2edit_server.worker import captions
from s2edit_server.worker.captions import captioner_for, propose
from s2edit_server.worker_link import Model
from s2edit_wire.errors import WireError

from s2edit.research.starter import classifier
from s2edit.research.starter.domain import domain

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "man", "woman", "hat", "with"]


@pytest.fixture
def captioner(tmp_path: Path) -> Path:
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor

    torch.manual_seed(0)
    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = BlipConfig(
        text_config={
            **small,
            "vocab_size": len(WORDS),
            "encoder_hidden_size": 8,
            "bos_token_id": 5,
            "sep_token_id": 3,
            "eos_token_id": 3,
            "pad_token_id": 0,
        },
        vision_config={**small, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    BlipForConditionalGeneration(config).save_pretrained(tmp_path)
    BlipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)}).save_pretrained(tmp_path)
    return tmp_path


def test_a_captioner_from_the_catalogue(captioner: Path) -> None:
    caption = propose(captioner, np.zeros((20, 30, 3), np.uint8), threads=1)
    assert caption and set(caption.split()) <= {*WORDS}


def test_who_describes_for_whom(tmp_path: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn portraits are described by our classifier, all other pictures by the catalogue's captioner."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert captioner_for(Model("portraits", "/here"), tmp_path) == Path("/here")
    assert captioner_for(Model("blip-large", "/here"), tmp_path) == Path("/here")
    with pytest.raises(WireError, match="BLIP captions"):
        captioner_for(Model("sd-v1-4", "/here"), tmp_path)
    assert weights.captioner("sd-v1-4").id == "blip-large"


@pytest.mark.parametrize(("said", "expected"), [("{}", "man"), ('{"domain": "robots"}', "robot")])
def test_the_models_domain_decides_in_what_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    """Which classifier reads the picture, not what an untrained one reads in it."""
    (tmp_path / "recommended.json").write_text(said)
    monkeypatch.setattr(classifier, "trained_network", lambda asked: classifier.network_of(asked).eval())
    assert expected in propose(tmp_path, np.zeros((64, 64, 3), np.uint8), threads=1)


def test_without_a_classifier_the_painter_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recommended.json").write_text('{"domain": "robots"}')
    untrained = replace(domain("robots"), classifier=tmp_path / "none.safetensors")
    monkeypatch.setattr(captions, "domain", lambda _name: untrained)
    with pytest.raises(WireError, match="robots") as failure:
        propose(tmp_path, np.zeros((64, 64, 3), np.uint8), threads=1)
    assert failure.value.code == "model_failed" and failure.value.hint


def test_a_broken_captioner_says_what_to_do(captioner: Path) -> None:
    (captioner / "model.safetensors").unlink()
    with pytest.raises(WireError, match="can't be loaded") as failure:
        propose(captioner, np.zeros((20, 30, 3), np.uint8), threads=1)
    assert failure.value.code == "model_failed" and failure.value.hint
