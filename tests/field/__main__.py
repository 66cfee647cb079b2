"""`python -m tests.field`: what was thrown at the product, and what came of it today.

Each folder here that has a module `thrown` with `rows() -> (group, thrown, outcome)…` is asked.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

import tests.field

for folder in sorted(module.name for module in pkgutil.iter_modules(tests.field.__path__) if module.ispkg):
    name = f"tests.field.{folder}.thrown"
    if importlib.util.find_spec(name) is None:
        continue
    group = ""
    for kind, thrown, outcome in importlib.import_module(name).rows():
        if kind != group:
            group = kind
            print(f"\n{folder}: {group}", flush=True)
        print(f"  {thrown:<48} {outcome}", flush=True)
