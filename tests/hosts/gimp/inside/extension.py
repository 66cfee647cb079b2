"""A file opened as File, Open does, and the names of S²Edit's procedures that GIMP knows."""

from common import GIVEN, Gimp, Gio, report


def body() -> dict[str, object]:
    """A GIMP extension is no picture: GIMP unpacks it and gives none."""
    if GIVEN["path"]:
        Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(GIVEN["path"]))
    return {"procedures": Gimp.get_pdb().query_procedures(".*s2edit.*", *[".*"] * 7)}


report(body)
