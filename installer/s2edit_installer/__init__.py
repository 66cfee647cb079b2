"""Finds editors, vendors the wire into plug-ins, installs, uninstalls and examines.

`quickstart.py` beside this package is standard library only and makes the environment that this package runs in.
"""
