"""The plug-in in the real GIMP.

`gimp` runs it, `person` uses it with mouse and keyboard, `sight` looks at photographs of the screen, `inside/` holds
the scripts that run in GIMP's own Python. CI runs GIMP 3.0. In 3.2.6, on 2026-11-25, these passed, and their pictures
were looked at: main path and kill -9 of the daemon, every precision, the embedded model, and the edits that start
elsewhere than at the canvas (`S2EDIT_HOSTS_SUITE=forky pytest FILE`, with
`test_painter.py -k "paint_a_mask or kill_9"`, `test_every_image.py`, `test_embedded.py`, `test_starts.py`).
"""
