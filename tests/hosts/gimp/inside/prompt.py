"""A prompt's field in a window of its own, without GIMP: prints whether its example is seen, step by step."""

import importlib
import json
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gtk  # noqa: E402 - the version comes first

sys.path[:0] = sys.argv[1:]
Prompt = importlib.import_module("s2edit_gimp.prompt").Prompt

told = []
changes: list[str] = []
for before in ("a man", ""):
    prompt = Prompt(lambda: changes.append(""))
    prompt.show_example("a smiling man with glasses and a beard on a blue background")
    prompt.text = before
    window = Gtk.Window()
    window.add(prompt.widget)
    window.show_all()
    told.append(prompt._example.get_visible())
    prompt.show_example("a woman with long red hair")
    told.append(prompt._example.get_visible())
    prompt.text = "" if before else "a man"
    told.append(prompt._example.get_visible())
    window.destroy()
print(json.dumps({"seen": told, "changes": len(changes)}))
