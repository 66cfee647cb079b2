"""`python -m tests.field.files`: the table of what was thrown, and what came of it today."""

from __future__ import annotations

from tests.field.files.thrown import rows

group = ""
for kind, thrown, outcome in rows():
    if kind != group:
        group = kind
        print(f"\n{group}")
    print(f"  {thrown:<48} {outcome}")
