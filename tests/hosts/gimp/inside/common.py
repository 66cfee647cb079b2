# Runs inside GIMP, before each of the scripts beside this one; GIVEN holds the test's parameters.
import os
import traceback

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp, Gio


def report(body):
    """Run `body` and write what it returns, or its traceback, where the test looks for it."""
    try:
        value = body()
    except BaseException:
        value = {"error": traceback.format_exc()}
    with open(GIVEN["report"] + ".new", "w") as file:
        json.dump(value, file)
    os.rename(GIVEN["report"] + ".new", GIVEN["report"])


def call(name, image, drawables, **values):
    """Run a procedure without windows; returns (status, message, value)."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for key, value in values.items():
        config.set_property(key.replace("_", "-"), value)
    answer = procedure.run(config)
    status = answer.index(0).value_nick
    value = answer.index(1) if answer.length() > 1 else None
    return status, value if isinstance(value, str) else "", value


def pixels(drawable, encoding, box=None):
    """Bytes of a drawable, or of a box of it."""
    box = box or (0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(Gegl.Rectangle.new(*box), 1.0, encoding, Gegl.AbyssPolicy.NONE))


def load(path):
    """The image in a file."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
