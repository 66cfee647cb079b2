"""The plug-in in the real GIMP.

`gimp` runs it, `person` uses it with mouse and keyboard, `inside/` holds the scripts that run in GIMP's own Python.
CI runs GIMP 3.0. In 3.2.6 (S2EDIT_HOSTS_SUITE=forky) the main path was run and looked at once, and a crop in mid-edit.
"""
