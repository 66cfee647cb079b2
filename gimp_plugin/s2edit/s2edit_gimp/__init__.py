"""The GIMP 3 plug-in: procedures and menus, dialog, masks, pixels, layers, and the window that follows jobs.

Only `pixels` touches GEGL buffers; only `inserting` adds layers. Needs GIMP's own Python, nothing besides the wire.
"""

VERSION = "0.1.0"
