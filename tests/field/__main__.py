"""`python -m tests.field > tests/field/THROWN.md`: what was thrown at the product, and what came of it today.

Each folder here that has a module `thrown` with `rows() -> (group, thrown, outcome)…` is asked; what has to be said of
its table is its `NOTE`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections import Counter

import tests.field

END = re.compile(r"(held|broken|refused|told|taken|exit \d+)\b")
LONGEST = 160
"""Characters of an outcome that are printed."""

print("# What was thrown at S²Edit, and what came of it\n\nPrinted by `python -m tests.field`.")
for folder in sorted(module.name for module in pkgutil.iter_modules(tests.field.__path__) if module.ispkg):
    name = f"tests.field.{folder}.thrown"
    if importlib.util.find_spec(name) is None:
        continue
    group, ends = "", Counter[str]()
    print(f"\n## {folder}\n\n```")
    module = importlib.import_module(name)
    for kind, thrown, outcome in module.rows():
        if kind != group:
            print(f"{'' if not group else chr(10)}{kind}", flush=True)
            group = kind
        print(f"  {thrown:<48} {outcome if len(outcome) <= LONGEST else outcome[:LONGEST] + '…'}", flush=True)
        end = END.match(outcome)
        ends[end[0] if end else "other"] += 1
    said = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    print(f"```\n\n{ends.total()} thrown: {said}.{getattr(module, 'NOTE', '')}", flush=True)
