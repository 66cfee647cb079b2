"""An edit, then every way out of GIMP: exports as its dialog would make them, XCF, and a saved XCF opened again."""

from typing import Any

from common import GIVEN, Gimp, Gio, call, load, report

PROCEDURES = {
    "png": "file-png-export",
    "jpg": "file-jpeg-export",
    "tif": "file-tiff-export",
    "webp": "file-webp-export",
}


def export(image: Any, name: str, ending: str) -> None:
    """Write NAME.ENDING with XMP where GIMP's preference wants it, as it does from the start."""
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURES[ending])
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_property("file", Gio.File.new_for_path(f"{GIVEN['folder']}/{name}.{ending}"))
    config.set_property("include-xmp", Gimp.export_xmp())
    status = procedure.run(config).index(0).value_nick
    if status != "success":
        raise RuntimeError(f"{name}.{ending}: {status}")


def body() -> dict[str, Any]:
    image = load(GIVEN["picture"])
    for ending in PROCEDURES:
        export(image, "before", ending)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 16, 24, 24)
    words = {"source": GIVEN["source"], "target": GIVEN["target"], "object": GIVEN["word"], "mask": "selection"}
    status, message, _ = call("plug-in-s2edit", image, [image.get_layers()[-1]], **words)
    if status != "success":
        raise RuntimeError(message)
    saved = f"{GIVEN['folder']}/after.xcf"
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(saved), None)
    again = load(saved)
    for ending in PROCEDURES:
        export(image, "after", ending)
        export(again, "reopened", ending)
    return {"xmp": Gimp.export_xmp(), "layers": len(again.get_layers())}


report(body)
