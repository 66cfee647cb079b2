"""Finds editors, vendors the wire into plug-ins, installs, uninstalls, examines, and makes the environment itself.

`environment`, `torch_choice` and `pip_run` are standard library only: `../quickstart.py` runs them before anything is
there. `first_run` and the rest run inside the environment.
"""
