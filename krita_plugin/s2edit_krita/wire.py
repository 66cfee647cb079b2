"""The wire as this plug-in sees it: the copy that the installer puts inside this folder, and nothing outside it.

In the source tree there is no copy; type checkers look at the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2edit_wire import frames, limits, records
    from s2edit_wire.client import Client, new_job_id
    from s2edit_wire.errors import Unreachable, WireError
    from s2edit_wire.recipe import Recipe
    from s2edit_wire.session import Session
    from s2edit_wire.told import RIGHT_TO_LEFT
else:
    from .s2edit_wire import frames, limits, records
    from .s2edit_wire.client import Client, new_job_id
    from .s2edit_wire.errors import Unreachable, WireError
    from .s2edit_wire.recipe import Recipe
    from .s2edit_wire.session import Session
    from .s2edit_wire.told import RIGHT_TO_LEFT

__all__ = [
    "RIGHT_TO_LEFT",
    "Client",
    "Recipe",
    "Session",
    "Unreachable",
    "WireError",
    "frames",
    "limits",
    "new_job_id",
    "records",
]
