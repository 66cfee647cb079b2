"""`s2edit mcp`, spoken to by the protocol's own client over standard input and output, before a real daemon."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import pyvips
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent
from s2edit_cli.main import main

from tests.fakes.daemon import RunningDaemon

SIZE = 48
WISH = {"source": "a woman with a hat", "target": "a woman with a crown", "words": ["hat"], "profile": "fast"}
TOOLS = {"plan", "edit", "variations", "detect", "jobs_list", "job_status", "job_cancel", "job_result"}
Talk = Callable[[Client], Awaitable[None]]


@pytest.fixture(scope="module")
def daemon() -> Iterator[RunningDaemon]:
    # A short path: a socket's may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2m") as folder, RunningDaemon(Path(folder) / "s") as running:
        yield running


@pytest.fixture
def agent(daemon: RunningDaemon) -> Callable[[Talk], None]:
    """Starts the server as an agent's program does, and has the test talk to it."""
    environment = {**os.environ, "S2EDIT_HOME": str(daemon.folder)}
    command = StdioServerParameters(command=sys.executable, args=["-m", "s2edit_cli.main", "mcp"], env=environment)

    def run(talk: Talk) -> None:
        async def session() -> None:
            async with Client(command) as client:
                await talk(client)

        anyio.run(session)

    return run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    path = tmp_path / "in.png"
    pyvips.Image.new_from_array(pixels).pngsave(str(path))
    marked = np.zeros((SIZE, SIZE), np.uint8)
    marked[10:20, 12:30] = 255
    pyvips.Image.new_from_array(marked).pngsave(str(tmp_path / "mask.png"))
    return path


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(pyvips.Image.new_from_file(str(path)).numpy())


def told(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    value = result.structured_content
    assert isinstance(value, dict)
    return value


def refused(result: CallToolResult) -> str:
    assert result.is_error
    (words,) = result.content
    assert isinstance(words, TextContent)
    assert "Traceback" not in words.text
    return words.text


def test_an_edit_is_planned_made_told_and_marked(agent: Callable[[Talk], None], picture: Path, tmp_path: Path) -> None:
    out, mask = tmp_path / "out.png", tmp_path / "mask.png"
    steps: list[str] = []

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        assert total == 1
        assert 0 <= progress <= 1
        steps.append(message or "")

    async def talk(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        asked = {**WISH, "image": str(picture), "mask": str(mask)}
        planned = told(await client.call_tool("plan", asked))
        x, y, width, height = planned["crop"]
        assert (x, y) <= (12, 10)
        assert (x + width, y + height) >= (30, 20)
        assert not out.exists()
        made = told(await client.call_tool("edit", {**asked, "output": str(out)}, progress_callback=follow))
        assert made["output"] == str(out)
        x, y, width, height = made["changed_box"]
        before, after = pixels_of(picture), pixels_of(out)
        assert (before[y : y + height, x : x + width] != after[y : y + height, x : x + width]).any()
        after[y : y + height, x : x + width] = before[y : y + height, x : x + width]
        assert np.array_equal(before, after), "every other pixel is as it was"
        (found,) = told(await client.call_tool("detect", {"files": [str(out)]}))["files"]
        assert found["says_model"]

    agent(talk)
    assert any(step.startswith("editing ") for step in steps)


def test_variations(agent: Callable[[Talk], None], picture: Path, tmp_path: Path) -> None:
    async def talk(client: Client) -> None:
        asked = {**WISH, "image": str(picture), "out_dir": str(tmp_path), "count": 2, "seed": 7}
        made = told(await client.call_tool("variations", asked))
        assert [Path(one["output"]).name for one in made["results"]] == ["in-7.png", "in-8.png"]
        assert [one["seed"] for one in made["results"]] == [7, 8]

    agent(talk)
    assert (tmp_path / "in-7.png").exists()
    assert (tmp_path / "in-8.png").exists()


def test_a_job_outlives_the_server(agent: Callable[[Talk], None], picture: Path, tmp_path: Path) -> None:
    out, handed = tmp_path / "out.png", ""

    async def hand_in(client: Client) -> None:
        nonlocal handed
        asked = {**WISH, "image": str(picture), "output": str(out), "wait": False}
        handed = told(await client.call_tool("edit", asked))["job"]

    async def fetch(client: Client) -> None:
        listed = told(await client.call_tool("jobs_list", {"limit": 5}))["jobs"]
        assert handed in [job["job"] for job in listed]
        result = {"job": handed[:12], "image": str(picture), "output": str(out)}
        assert told(await client.call_tool("job_result", result))["job"] == handed
        assert told(await client.call_tool("job_status", {"job": handed}))["job"]["state"] == "done"
        assert told(await client.call_tool("job_cancel", {"job": handed}))["job"]["state"] == "done"

    agent(hand_in)
    assert not out.exists()
    agent(fetch)
    assert out.exists()


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("edit", {"image": "{folder}/none.png"}, "bad_image"),
    ("edit", {"output": "{folder}/in.png"}, "bad_image"),
    ("edit", {"output": "{folder}/out.doc"}, "bad_image"),
    ("edit", {"image": "{folder}/text.png"}, "bad_image"),
    ("edit", {"words": ["cat"]}, "bad_prompt"),
    ("edit", {"profile": "perfect"}, "bad_setting"),
    ("edit", {"settings": {"no.such": 1}}, "bad_setting"),
    ("edit", {"without": ["everything"]}, "bad_setting"),
    ("edit", {"seed": -1}, "seed"),
    ("edit", {"words": []}, "words"),
    ("plan", {"image": "{folder}/none.png"}, "bad_image"),
    ("variations", {"out_dir": "{folder}/none"}, "bad_image"),
    ("variations", {"out_dir": "{folder}", "count": 1_000_000}, "count"),
    ("job_status", {"job": "0" * 32}, "unknown_job"),
    ("job_cancel", {"job": "none"}, "unknown_job"),
    ("jobs_list", {"limit": 0}, "limit"),
    ("detect", {"files": []}, "files"),
]


def test_wrong_input_gets_one_sentence_and_changes_nothing(
    agent: Callable[[Talk], None], picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.png").write_text("no picture")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    usual = {
        "edit": {**WISH, "image": str(picture), "output": str(tmp_path / "out.png")},
        "plan": {**WISH, "image": str(picture)},
        "variations": {**WISH, "image": str(picture), "out_dir": str(tmp_path)},
    }

    async def talk(client: Client) -> None:
        for tool, given, named in WRONG:
            put = {
                name: value.format(folder=tmp_path) if isinstance(value, str) else value
                for name, value in given.items()
            }
            words = refused(await client.call_tool(tool, {**usual.get(tool, {}), **put}))
            assert named in words, (tool, given, words)
        assert "jobs" in told(await client.call_tool("jobs_list", {})), "the server goes on"

    agent(talk)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_without_the_sdk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "mcp" else found(name))
    assert main(["mcp"]) == 3
    said = capsys.readouterr().err
    assert "pip install" in said
    assert "[mcp]" in said
