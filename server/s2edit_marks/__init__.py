"""All marks that say “made with AI”: writing them, reading them, and clearing what speaks of the picture before.

Of the standard library only, and carried by the editors' plug-ins (`VENDORED`): `terms` what is said, `xmp` an XMP
packet, `carriers` where files keep marks, `embedding` a packet put into a finished file, `gimp_metadata` GIMP's own
form. For the other programs: `previews` what a file still shows of the picture before, `pictures` a `pyvips.Image`
made ready, `credential` and `manifests` C2PA, `watermark`, `marking` all of one file, `detection`.
"""

VENDORED = ("__init__.py", "terms.py", "xmp.py", "carriers.py", "embedding.py", "gimp_metadata.py")
"""The files that an editor's plug-in carries."""
