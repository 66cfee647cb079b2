"""Signed manifests, made with a chain of our own and read back by C2PA's reader."""

import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from s2edit_cli import composite, openraster, pictures, writing
from s2edit_cli.marking import marking
from s2edit_marks import credential, terms
from s2edit_marks import manifests as c2pa_manifests

from .signers import KINDS, c2pa, drawing, manifests, set_up


@pytest.fixture
def home(home: Path) -> Path:
    """The test's state folder with a chain and a key in it."""
    set_up(home)
    return home


@pytest.mark.parametrize("ending", KINDS)
def test_a_signed_picture_names_its_source_and_the_models_hand(ending: str, home: Path, tmp_path: Path) -> None:
    source, out = drawing(tmp_path / f"in.{ending}"), tmp_path / f"out.{ending}"
    before = source.path.read_bytes()
    writing.save(source.image.invert(), out, marking(source, out))
    _, manifest, state = manifests(out, home)
    assert state == "Trusted"
    assert manifest["signature_info"]["common_name"] == "painter" and manifest["title"] == out.name
    (ingredient,) = manifest["ingredients"]
    assert (ingredient["title"], ingredient["relationship"]) == (source.path.name, "parentOf")
    assert "thumbnail" not in ingredient and "thumbnail" not in manifest
    (actions,) = (entry["data"]["actions"] for entry in manifest["assertions"] if "actions" in entry["label"])
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == terms.SOURCE_TYPE
    written = pictures.open_picture(out).image
    assert terms.SOURCE_TYPE.encode() in bytes(written.get("xmp-data"))
    if ending != "jpg":
        assert np.array_equal(written.numpy(), source.image.invert().numpy())
    assert source.path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.path.name, out.name, "state"]


@pytest.mark.parametrize("ending", KINDS)
def test_an_inputs_manifest_lives_through_three_edits(ending: str, home: Path, tmp_path: Path) -> None:
    titles = [f"{name}.{ending}" for name in ("camera", "first", "second", "third")]
    camera, *edits = (tmp_path / title for title in titles)
    drawing(camera)
    photographed(camera, KINDS[ending])
    before = camera
    for count, out in enumerate(edits, 2):
        opened = pictures.open_picture(before)
        writing.save(opened.image, out, marking(opened, out))
        chain, manifest, state = manifests(out, home)
        assert state == "Trusted" and len(chain) == count
        found = [manifest["title"]]
        while parents := [part for part in manifest.get("ingredients", ()) if part["relationship"] == "parentOf"]:
            (parent,) = parents
            # The first reader, at signing, knew of no anchor; of nothing else it complains.
            failures = parent.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
            assert {failure["code"] for failure in failures} <= {"signingCredential.untrusted"}
            if "active_manifest" not in parent:
                break
            manifest = chain[parent["active_manifest"]]
            found.append(manifest["title"])
        assert found == titles[count - 1 :: -1]
        assert manifest["claim_generator_info"][0]["name"] == "A camera"
        before = out


def photographed(file: Path, kind: str) -> None:
    """Give the file a manifest as a camera would."""
    by = credential.identity()
    assert by is not None
    info = c2pa.C2paSignerInfo(by.algorithm, by.chain, by.key, None)
    claim: dict[str, Any] = {"claim_generator_info": [{"name": "A camera"}], "title": file.name}
    captured = {"action": "c2pa.created", "digitalSourceType": terms.NEWSCODES + "digitalCapture"}
    claim["assertions"] = [{"label": "c2pa.actions.v2", "data": {"actions": [captured]}}]
    signed = io.BytesIO()
    with (
        c2pa.Context.from_dict(c2pa_manifests.SETTINGS) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(claim, context=context) as builder,
        file.open("rb") as unsigned,
    ):
        builder.sign(signer, f"image/{kind}", unsigned, signed)
    file.write_bytes(signed.getvalue())


def test_a_changed_pixel_breaks_the_signature(home: Path, tmp_path: Path) -> None:
    source, out = drawing(tmp_path / "in.tif"), tmp_path / "out.tif"
    writing.save(source.image, out, marking(source, out))
    data = bytearray(out.read_bytes())
    data[200] ^= 1  # within the strip of pixels that follows the header
    out.write_bytes(data)
    assert manifests(out, home)[2] == "Invalid"


@pytest.mark.parametrize("ending", KINDS)
def test_what_came_with_the_source_is_kept_beside_an_unsigned_result(ending: str, home: Path, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.{ending}" for name in ("first", "second", "third"))
    source = drawing(tmp_path / f"in.{ending}")
    writing.save(source.image, first, marking(source, first))
    edited = pictures.open_picture(first)
    told = writing.save(edited.image, second, marking(edited, second, without=frozenset({"c2pa"})))
    assert b"c2pa" not in second.read_bytes().replace(b"c2pa.org", b"")
    assert told.c2pa == "switched off" and told.sidecar == str(tmp_path / "second.source.c2pa")
    assert "second.source.c2pa" in told.sentences[-1] and "Nobody can check" in told.sentences[0]
    with c2pa.Reader("application/c2pa", io.BytesIO(Path(told.sidecar).read_bytes())) as reader:
        kept = json.loads(reader.json())
    assert kept["manifests"][kept["active_manifest"]]["title"] == first.name
    # An unsigned source has nothing to keep; what lies there already is not overwritten.
    (tmp_path / "third.source.c2pa").write_bytes(b"a painter's own")
    told = writing.save(edited.image, third, marking(edited, third, without=frozenset({"c2pa"})))
    assert told.sidecar == str(tmp_path / "third-2.source.c2pa")
    assert (tmp_path / "third.source.c2pa").read_bytes() == b"a painter's own"
    told = writing.save(source.image, third, marking(source, third, without=frozenset({"c2pa"})))
    assert told.sidecar is None


@pytest.mark.parametrize("ending", KINDS)
@pytest.mark.parametrize("harm", ["cut", "flipped", "zeroed"])
def test_a_source_with_a_damaged_manifest_is_edited_all_the_same(
    harm: str, ending: str, home: Path, tmp_path: Path
) -> None:
    for file in (home / "signing").iterdir():
        file.unlink()
    source, signed, out = drawing(tmp_path / f"in.{ending}"), tmp_path / f"s.{ending}", tmp_path / f"out.{ending}"
    writing.save(source.image, signed, marking(source, signed))
    data = signed.read_bytes()
    at = data.index(b"c2pa.signature") + 40
    hurt = {"cut": data[: at + 100], "flipped": data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]}
    signed.write_bytes(hurt.get(harm, data[:at] + bytes(200) + data[at + 200 :]))
    opened = dataclasses.replace(source, path=signed)
    told = writing.save(source.image, out, marking(opened, out))
    # Where C2PA's library gives up, the picture is written, it is said why it is not signed, and what came is kept.
    assert out.exists() and (told.c2pa == "self-made" or told.c2pa in told.sentences)
    kept = Path(told.sidecar).read_bytes() if told.sidecar else b""
    assert told.c2pa == "self-made" or harm == "cut" or b"c2pa.signature" in kept


def test_what_is_told_of_the_edit(home: Path, tmp_path: Path) -> None:
    source, other, out = drawing(tmp_path / "in.png"), drawing(tmp_path / "hat.png", 1), tmp_path / "out.png"
    job = {"edit": {"model": "portraits", "target": "a secret hat"}}
    record = {"model_hash": "ab" * 32, "watermark": {"carried": True}}
    for tell in (False, True):
        writing.save(source.image, out, marking(source, out, job, record, tell_prompt=tell, others=(other,)))
        _, manifest, _ = manifests(out, home)
        (actions,) = (entry["data"]["actions"] for entry in manifest["assertions"] if "actions" in entry["label"])
        assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited", "c2pa.watermarked.unbound"]
        told = {"s2edit.model": "portraits", "s2edit.model_sha256": "ab" * 32}
        assert actions[1]["parameters"] == ({**told, "s2edit.prompt": "a secret hat"} if tell else told)
        assert (b"a secret hat" in out.read_bytes()) == tell
        relations = {(entry["title"], entry["relationship"]) for entry in manifest["ingredients"]}
        assert relations == {("in.png", "parentOf"), ("hat.png", "componentOf")}


def test_a_pngs_mark_stands_where_other_programs_look_for_it(tmp_path: Path) -> None:
    source, out, layers = drawing(tmp_path / "in.png"), tmp_path / "out.png", tmp_path / "out.ora"
    writing.save(source.image, out, marking(source, out))
    samples = np.zeros((48, 64, 1), np.uint8)
    layer = composite.native_layer(source, np.zeros((48, 64, 3), np.uint8), samples, (0, 0, 64, 48))
    openraster.save_layers(layers, source, source.image, layer, "nothing", marking(source, layers))
    with zipfile.ZipFile(layers) as archive:
        merged = io.BytesIO(archive.read("mergedimage.png"))
    for file in (out, merged):
        with Image.open(file) as picture:
            picture.load()
            # An uncompressed iTXt chunk's text, whose byte order mark is one character.
            packet = picture.info["XML:com.adobe.xmp"]
            assert packet.startswith("<?xpacket begin='\ufeff'".replace("'", '"'))
            assert terms.SOURCE_TYPE in packet
            assert np.array_equal(np.asarray(picture), source.image.numpy())
