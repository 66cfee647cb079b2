"""The plug-in as GIMP sees it: its procedures, their arguments and menus, and what each run answers."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from gi.repository import Gimp, GLib, GObject
from s2edit_editor.choices import Choices, as_start, made_again
from s2edit_editor.masks import edited, mask_layer
from s2edit_editor.text import _, language
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.translations import told

from . import keeping, marks
from .arguments import add_edit_arguments
from .choices import from_config
from .host import GimpHost

EDIT, PAINT_MASK = "plug-in-s2edit", "plug-in-s2edit-paint-mask"
AGAIN, JOBS = "plug-in-s2edit-again", "plug-in-s2edit-jobs"
KEEP = "extension-s2edit-marks"
"""Started by GIMP itself, since it is persistent and takes nothing."""
SUBMENU = "<Image>/Filters/S²Edit"
# The canvas' and the Layers dialog's own context menus; "<Layers>" alone would replace that menu.
CANVAS, LAYERS = "<Image>", "<Layers>/Layers Menu"

EXPECTED = (WireError, Unreachable, OSError)
"""Errors whose text is meant for the painter."""


def labels() -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Label, explanation and menus of each procedure."""
    return {
        EDIT: (
            _("S²_Edit…"),
            _("Change an object in the picture by describing it in words"),
            (CANVAS, LAYERS, SUBMENU),
        ),
        PAINT_MASK: (
            _("Paint _Object Mask"),
            _("Make a layer on which to paint over the object that S²Edit is to change"),
            (SUBMENU, LAYERS),
        ),
        AGAIN: (
            _("S²Edit _Again…"),
            _("Run the edit that made this layer again, with other words or settings"),
            (SUBMENU, LAYERS),
        ),
        JOBS: (_("S²Edit _Jobs"), _("See running edits and fetch results that are waiting"), (SUBMENU,)),
    }


class S2Edit(Gimp.PlugIn):  # type: ignore[misc]  # GIMP's classes come from typelibs and have no types
    """GIMP's handle on the plug-in."""

    def do_set_i18n(self, _name: str) -> bool:
        """No: the texts are translated by `text`, which needs no installed domain."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Names of the procedures."""
        return [*labels(), KEEP]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """One procedure with its menus and arguments."""
        if name == KEEP:
            procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PERSISTENT, keeping.run, None)
            procedure.set_attribution("S²Edit", "S²Edit", "2026")
            return procedure
        label, blurb, menus = labels()[name]
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label(label)
        procedure.set_documentation(blurb, blurb, name)
        procedure.set_attribution("S²Edit", "S²Edit", "2026")
        for menu in menus:
            procedure.add_menu_path(menu)
        if name == JOBS:
            kinds = Gimp.ProcedureSensitivityMask
            procedure.set_sensitivity_mask(kinds.DRAWABLE | kinds.DRAWABLES | kinds.NO_DRAWABLES)
        else:
            flags = GObject.ParamFlags.READWRITE
            procedure.add_layer_return_value("layer", _("Layer"), _("The new layer"), True, flags)
        if name == EDIT:
            add_edit_arguments(procedure)
        return procedure


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: Sequence[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: object,
) -> Gimp.ValueArray:
    """Run one procedure; every error becomes an error value with a sentence, never a crash."""
    name, interactive = procedure.get_name(), run_mode == Gimp.RunMode.INTERACTIVE
    try:
        if name == JOBS:
            return _answer(procedure, kept=_show_jobs(image, interactive=interactive))
        if interactive and image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            from .interactive import offer_conversion

            if not offer_conversion(image):
                return _answer(procedure, kept=False)
        host = GimpHost(image)
        layer = _edited(host, drawables)
        if name == PAINT_MASK:
            return _answer(procedure, host.layer(mask_layer(host, layer, "")))
        if interactive:
            return _answer(procedure, kept=_with_windows(name, host, layer, config))
        script = run_mode == Gimp.RunMode.NONINTERACTIVE
        return _answer(procedure, host.layer(_without_windows(name, host, layer, config, script=script)))
    except EXPECTED as error:
        message = told(" ".join(filter(None, (str(error), getattr(error, "hint", "")))), language())
    except Exception as error:  # noqa: BLE001 - GIMP must get an answer whatever went wrong
        traceback.print_exc()
        message = _("S²Edit stopped because of an error of its own: {error}").format(error=error)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(message))


def _answer(procedure: Gimp.Procedure, layer: Gimp.Layer | None = None, *, kept: bool = True) -> Gimp.ValueArray:
    """What GIMP is told in the end: the new layer, if the run was to make one, or that the painter gave it up."""
    status = Gimp.PDBStatusType.SUCCESS if kept else Gimp.PDBStatusType.CANCEL
    values = procedure.new_return_values(status, None)
    if layer is not None:
        values.remove(1)
        values.insert(1, GObject.Value(Gimp.Layer, layer))
    return values


def _edited(host: GimpHost, drawables: Sequence[Gimp.Drawable]) -> str:
    """The one layer to edit: a layer's mask stands for the layer, a painted mask for the one it was made for.

    Raises WireError for none, several, channels, and images that can't take a result.
    """
    if len(drawables) != 1:
        raise WireError("bad_image", _("S²Edit works on one layer at a time. Select a single layer."))
    drawable = Gimp.Layer.from_mask(drawables[0]) if drawables[0].is_layer_mask() else drawables[0]
    if not drawable.is_layer():
        raise WireError("bad_image", _("S²Edit works on layers. Select a layer instead of a channel."))
    refusal = host.refusal()
    if refusal:
        raise WireError("bad_image", refusal)
    return edited(host.layers(), str(drawable.get_tattoo()))


def _show_jobs(image: Gimp.Image, *, interactive: bool) -> bool:
    if not interactive:
        raise WireError("bad_request", _("“S²Edit Jobs” is a window: call it interactively."))
    from .interactive import open_windows

    return open_windows(GimpHost(image), "", None, None)


def _with_windows(name: str, host: GimpHost, layer: str, config: Gimp.ProcedureConfig) -> bool:
    # GTK takes half a second to load, which scripts need not wait for.
    from .interactive import open_windows

    if name == AGAIN:
        source, choices = made_again(host, layer)
        return open_windows(host, source, choices, None)
    if host.note(RECIPE, layer):
        return open_windows(host, layer, as_start(host, layer), config)
    # Words, mask and reference are this picture's own; only habits come from wherever S²Edit was used last.
    choices = (
        Choices.from_note(host, marks.read_text(host.image, marks.FORM)) or from_config(config, host.image).habits()
    )
    return open_windows(host, layer, choices, config)


def _without_windows(name: str, host: GimpHost, layer: str, config: Gimp.ProcedureConfig, *, script: bool) -> str:
    from s2edit_editor.batch import edit

    layer, choices = made_again(host, layer) if name == AGAIN else (layer, from_config(config, host.image))
    Gimp.progress_init(_("S²Edit"))
    new = edit(host, layer, choices, lambda _phase, part: Gimp.progress_update(part), taken=script)
    Gimp.progress_end()
    return new


def main(arguments: list[str]) -> None:
    """Hand over to GIMP."""
    Gimp.main(S2Edit.__gtype__, arguments)
