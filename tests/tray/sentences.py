"""The sentences that reach people over the wire, read out of the programs that say them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from s2edit_wire.session import __file__ as wire_file

ROOT = Path(wire_file).parents[2]
_WIRE = ["client", "connection", "launcher", "link", "no_line", "paths", "private_files", "remote", "session", "zmtp"]
_MARKS = ["detection", "xmp"]
_METHOD = ["engine", "errors", "profiles", "settings", "picture/imaging", "picture/region"]
_METHOD += ["model/checkpoints", "model/device", "model/levels", "method/alignment", "method/composition"]
_METHOD += ["instruct", "model/instructed_weights", "picture/registration"]
_METHOD += ["method/chat", "model/abilities", "model/folders"]
_METHOD += ["method/editing", "method/identity", "method/masks", "method/prompts"]
_PROGRAMS_ONLY = {"envelope.py", "framewalk.py", "front_door.py", "router.py"}
"""What these say is heard by programs that don't speak the protocol, never by a painter."""
_NOT_SAID = {"Field", "Record", "Message", "add_argument", "ArgumentParser", "execute", "executescript"}
_SENTENCE = re.compile(
    r"[A-Z“{].* .*(?:[.!?…)]|s2edit daemon \w+)"  # from its capital to its full stop, or to the command to type
    r"|(?:: | | \().*{}.*",  # what is hung on to one: a figure, a reason
    re.DOTALL,
)
_QUERY = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|BEGIN) ")


def templates() -> set[str]:
    """Every sentence, with `{}` where a value comes."""
    files = [path for path in (ROOT / "server/s2edit_server").rglob("*.py") if path.name not in _PROGRAMS_ONLY]
    files += [ROOT / "server/s2edit_wire" / f"{name}.py" for name in _WIRE]
    files += [ROOT / "server/s2edit_marks" / f"{name}.py" for name in _MARKS]
    files += [ROOT / "s2edit" / f"{name}.py" for name in _METHOD]
    found = {template for path in files for template in _said(ast.parse(path.read_text("utf-8")))}
    catalogue = json.loads((ROOT / "server/s2edit_server/weights/catalogue.json").read_text("utf-8"))
    return found | {model["purpose"] for model in catalogue["models"]}


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        name = node.func if isinstance(node, ast.Call) else None
        if getattr(name, "attr", getattr(name, "id", "")) in _NOT_SAID or _from_log(name):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # A docstring.
        template = _template(node)
        if template is None:
            yield from _said(node)
        elif _SENTENCE.fullmatch(template) and not _QUERY.match(template) and "=" not in template:
            yield template


def _from_log(name: ast.expr | None) -> bool:
    return isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "LOG"


def _template(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None
