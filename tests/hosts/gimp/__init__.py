"""The plug-in in the real GIMP.

`gimp` runs it, `person` uses it with mouse and keyboard, `inside/` holds the scripts that run in GIMP's own Python.
CI runs GIMP 3.0. In 3.2.6 (S2EDIT_HOSTS_SUITE=forky), on 2026-11-24, the main path and kill -9 of the daemon
(`pytest tests/hosts/gimp/test_painter.py -k "paint_a_mask or kill_9"`) were run and their pictures looked at, and
every precision (`tests/hosts/gimp/test_every_image.py`).
"""
