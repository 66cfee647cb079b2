"""How the embedded checkpoint is trained, stage by stage: `python -m s2edit.research.training`. In no wheel."""
