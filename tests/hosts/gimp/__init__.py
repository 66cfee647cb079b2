"""The plug-in in the real GIMP.

`gimp` runs it, `person` uses it with mouse and keyboard, `inside/` holds the scripts that run in GIMP's own Python.
"""
