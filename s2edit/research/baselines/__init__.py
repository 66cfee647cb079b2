"""What S²Edit is compared with: other published ways to edit a picture by a prompt, on the same checkpoint.

Each is a thin recombination of the method's own parts (`sampling`, `recombined`) or a diffusers pipeline (`pipelines`).
`BASELINES` has them by name, `workbench.Workbench` runs them as it runs an edit; read `recombined`, then `workbench`.
"""

from __future__ import annotations

from .workbench import BASELINES, Workbench

__all__ = ["BASELINES", "Workbench"]
