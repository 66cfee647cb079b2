"""All marks that say “made with AI”: writing them, reading them, and clearing what speaks of the picture before.

Of the standard library only, and carried by the editors' plug-ins (`VENDORED`): `terms` what is said, `xmp` an XMP
packet. For the other programs: `previews` what a file still shows of the picture before, `carriers` where files keep
marks, `pictures` both for a `pyvips.Image`, `credential` and `manifests` C2PA, `watermark`, `detection`.
"""

VENDORED = ("__init__.py", "terms.py", "xmp.py")
"""The files that an editor's plug-in carries."""
