"""A record's TypedDict and its runtime check can't differ: one is made from the other, and mypy sees a misspelt key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import s2edit_wire
from s2edit_wire import frames, recipe, records, schema
from s2edit_wire.kinds import Choice, Flag, Hex, Integer, Kind, ListOf, MapOf, Real, Record, Scalar, Text, fields_of

FOLDER = Path(s2edit_wire.__file__).parent.parent
SHAPES: list[type] = [
    shape
    for module in (records, frames, recipe, schema)
    for name, shape in vars(module).items()
    if isinstance(shape, type) and hasattr(shape, "__required_keys__") and not name.startswith("_")
]
PYTHON = {Text: "str", Hex: "str", Choice: "str", Integer: "int", Real: "float", Flag: "bool", Scalar: "Value"}


def written(kind: Kind) -> str:
    """The Python type that a kind's values have."""
    if isinstance(kind, ListOf):
        return f"list[{written(kind.item)}]"
    if isinstance(kind, MapOf):
        return f"dict[str, {written(kind.item)}]"
    if isinstance(kind, Record):
        return f"{kind.name.title()}Record"
    return next(name for known, name in PYTHON.items() if isinstance(kind, known))


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {records.ResultRecord}, key=str))
def test_the_type_of_every_field_is_that_of_its_check(shape: type) -> None:
    for name, hint in shape.__annotations__.items():
        text = getattr(hint, "__forward_arg__", str(hint))
        field = next(field for field in fields_of(shape) if field.name == name)
        assert text.startswith(f"Annotated[{written(field.kind)}, "), (name, text)


def test_a_misspelt_key_is_seen(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """from s2edit_wire.records import EditRecord, ResultRecord
def f(edit: EditRecord, result: ResultRecord) -> None:
    print(edit["source"], edit.get("guidance"))
    print(edit["sauce"])
    edit["seed"] = "7"
    print(result["mask_hashes"])
"""
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"MYPYPATH": str(FOLDER)}, timeout=300
    )
    wrong = [int(line.split(":")[1]) for line in ran.stdout.splitlines() if ": error:" in line]
    assert wrong == [4, 5, 6], ran.stdout
