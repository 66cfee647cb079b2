"""The plug-in in the real GIMP: scripts that run inside GIMP (`inside/`), the scripted user, and what both must show."""
