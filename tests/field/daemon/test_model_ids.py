"""A catalogue from somewhere else makes, changes and deletes nothing outside the weights folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights import catalogue, confined
from s2edit_server.weights.manager import Weights
from s2edit_wire.errors import WireError

REVISION = "0" * 40
ENTRY = {
    "id": "m", "title": "", "purpose": "", "role": "editor", "domain": "any", "native": 1, "memory": 1,
    "licence": "", "repo": "a/b", "revision": REVISION, "files": [{"name": "unet/config.json"}],
}  # fmt: skip
BAD_IDS = [
    "../../precious", "..", ".", "", "/absolute", "a/b", "a\\b", "..\\..\\precious", "c:", "c:\\x", "a.b", ".hidden",
    "-x", "x-", "a--b", "A", "a b", "a\n", "a\0", "é", "con", "nul", "com1", "token", "combined", "x" * 81,
]  # fmt: skip
BAD_NAMES = [
    "../x.json", "/x.json", "a/../x.json", "a//x.json", "./x.json", "a\\x.json", "c:x.json", ".x.json", "a/.b/x.json",
    "x.bin", "x.json\n", "x.json/", "con.json", "nul/x.json", "a/b/c/d/e/f/x.json", "\0.json", "a ./x.json",
]  # fmt: skip
BAD_REPOSITORIES = ["../x", "..", "a/..", "a/b/c", "a\\..\\b", "/a", "a/", "a b/c", ""]
RULES: list[tuple[str, dict[str, Any]]] = [
    *((f"id {name!r}", {"id": name}) for name in BAD_IDS),
    *((f"combined id {name!r}", {"id": name, "base": "e", "decoder": "d", "files": []}) for name in BAD_IDS),
    *((f"file {name!r}", {"files": [{"name": name}]}) for name in BAD_NAMES),
    *((f"repository {name!r}", {"repo": name}) for name in BAD_REPOSITORIES),
    *((f"also {name!r}", {"also": [name]}) for name in BAD_REPOSITORIES),
    ("a combination of itself", {"base": "m", "decoder": "d", "files": []}),
    ("a combination of nothing", {"base": "gone", "decoder": "d", "files": []}),
]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's folder: pictures of theirs beside S²Edit's state folder."""
    for name in ("precious", "home/precious", "home/state/precious", "absolute"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "picture.png").write_bytes(b"the only copy")
    (tmp_path / "home" / "state" / "weights").mkdir()
    return tmp_path


@pytest.mark.parametrize(("change"), [change for _, change in RULES], ids=[name for name, _ in RULES])
def test_an_entry_that_is_more_than_names_is_left_out(change: dict[str, Any], home: Path) -> None:
    editor, decoder = ENTRY | {"id": "e"}, ENTRY | {"id": "d", "role": "decoder"}
    good = {"models": [editor, decoder]}
    catalogue.read(json.dumps(good).encode())
    models = {"models": [editor, decoder, ENTRY | change]}
    state = home / "home" / "state"
    (state / "weights" / "catalogue.json").write_text(json.dumps(models))
    before = tree(home)
    weights = Weights(state, DaemonSettings, caches=[home / "cache"])
    assert {record["id"] for record in weights.models()} == set(catalogue.load()), "S²Edit's own, and none of these"
    with pytest.raises(WireError):
        weights.act(str(ENTRY["id"] if "id" not in change else change["id"]), "remove")
    assert tree(home) == before


def test_an_absolute_id_deletes_nothing(home: Path) -> None:
    state = home / "home" / "state"
    models = {"models": [ENTRY | {"id": str(home / "absolute")}]}
    (state / "weights" / "catalogue.json").write_text(json.dumps(models))
    before = tree(home)
    with pytest.raises(WireError):
        Weights(state, DaemonSettings, caches=[]).act(str(home / "absolute"), "remove")
    assert tree(home) == before


def test_a_combined_model_never_takes_the_place_of_a_download(home: Path) -> None:
    """Listed, it is put together anew: what had that id before, and was downloaded, stays."""
    state, cache = home / "home" / "state", home / "cache"
    for model in "ed":
        snapshot = cache / f"models--a--{model}" / "snapshots" / REVISION / "unet"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
    downloaded = state / "weights" / "both" / "000000000000" / "unet" / "weights.safetensors"
    downloaded.parent.mkdir(parents=True)
    downloaded.write_bytes(b"gigabytes")
    parts = [ENTRY | {"id": one, "role": role, "repo": f"a/{one}"} for one, role in (("e", "editor"), ("d", "decoder"))]
    both = ENTRY | {"id": "both", "base": "e", "decoder": "d", "files": []}
    (state / "weights" / "catalogue.json").write_text(json.dumps({"models": [*parts, both]}))
    weights = Weights(state, DaemonSettings, caches=[cache])
    assert weights.model("both")["id"] == "both"
    assert downloaded.read_bytes() == b"gigabytes"


@pytest.mark.parametrize("action", ["remove", "download", "repair"])
def test_a_link_out_of_the_weights_folder_is_not_followed(action: str, home: Path) -> None:
    state = home / "home" / "state"
    (state / "weights" / "catalogue.json").write_text(json.dumps({"models": [ENTRY]}))
    (state / "weights" / "m").symlink_to(home / "precious")
    before = tree(home)
    weights = Weights(state, DaemonSettings, caches=[])
    try:
        weights.act("m", action)
    except WireError as error:
        assert "link" in error.hint
    assert weights.wait("m", 10)
    after = tree(home)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.startswith("precious/") and name not in before]


@pytest.mark.parametrize("names", [("..",), ("a", "..", "..", "x"), ("/etc",), ("",), (".",)])
def test_joining_stays_inside(names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(WireError):
        confined.join(tmp_path, *names)
    assert confined.join(tmp_path, "a", "b") == tmp_path / "a" / "b"
