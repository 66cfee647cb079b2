"""The docker's form: masks, objects, values, presets, composition, proposals, and what it refuses."""

from __future__ import annotations

import time
from typing import Any

from krita import Selection
from PyQt5.QtCore import QByteArray
from PyQt5.QtWidgets import QApplication
from stage import (
    BOX,
    OBJECT,
    OTHER,
    Scene,
    automatic,
    choose,
    document_with,
    edit,
    is_result,
    layer,
    leave,
    names,
    picture_file,
    pixel,
    press,
    questions,
    seen,
)

OWN_CONTEXT = 4.0
"""What the embedded model's recommended.json says: the whole portrait."""


def scene_automatic_mask(docker: Any) -> Scene:
    """“Show automatic mask” becomes a mask layer that the next edit uses."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.form.automatic.click()
    yield lambda: any(name.startswith("Object mask") for name in names(document.rootNode()))
    mask = document.nodeByName("Object mask: hat")
    yield lambda: docker.form.objects.rows[0].target().mask.kind == "layer"
    return {"middle": pixel(mask, 32, 32), "corner": pixel(mask, 1, 1)}


def scene_selected(docker: Any) -> Scene:
    """What is selected when S²Edit… is chosen is the mask, and stays turned down where it was turned down."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.canvasChanged(None)
    row = docker.form.objects.rows[0]
    row.choose_mask(automatic())
    seen = [row.target().mask.kind]
    selection = Selection()
    selection.select(*BOX, 255)
    document.setSelection(selection)
    document.waitForDone()
    docker.canvasChanged(None)
    seen.append(row.target().mask.kind)
    yield docker.preview.isVisible
    row.choose_mask(automatic())
    docker.canvasChanged(None)
    seen.append(row.target().mask.kind)
    shown = docker.preview.isVisible()
    return {"kinds": seen, "preview": shown}


def scene_several_objects(docker: Any) -> Scene:
    """Two objects, each with a mask layer of its own: the first row is painted first, the second is a new one."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    for place, word in ((4, "hat"), (36, "woman")):
        yield from choose(document, node)
        docker.paint_mask()
        yield lambda: document.activeNode().name().startswith("Object mask")
        document.activeNode().setPixelData(QByteArray(bytes((40, 40, 230, 255)) * (24 * 24)), place, 16, 24, 24)
        docker.form.objects.rows[-1].word_box.setEditText(word)
    document.waitForDone()
    job = yield from edit(docker, document, node)
    found = {"objects": docker.desk.book.all[job]["edit"]["objects"], "layers": names(document.rootNode())}
    known = set(docker.desk.book.all)
    yield from choose(document, node)
    docker.form.automatic.click()  # asks for the first object's, however many masks are painted
    yield lambda: [name for name in docker.desk.book.all if name not in known and docker.desk.delivered(name)]
    docker.form.objects.fill(["hat"])
    return found


def scene_dials(docker: Any) -> Scene:
    """Dials show the model's own values, which are not sent; what is turned by hand is, until it is given back."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    advanced = docker.form.advanced
    context = advanced.dials["blend.context"]
    yield from choose(document, node)
    yield lambda: context.box.value() == OWN_CONTEXT
    own = advanced.settings()
    context.box.setValue(0.5)
    docker.form.profile.setCurrentIndex(0)
    job = yield from edit(docker, document, node)
    turned = [docker.desk.book.all[job]["edit"]["settings"], context.back.isVisibleTo(advanced), context.box.value()]
    context.back.click()
    docker.form.profile.setCurrentIndex(1)
    return {"own": own, "turned": turned, "back": [advanced.settings(), context.box.value()]}


def scene_presets(docker: Any) -> Scene:
    """Settings are saved under a name that people choose, put back, and deleted after a yes."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    form, context = docker.form, docker.form.advanced.dials["blend.context"]
    menu, found = form.presets.choices, {}
    context.box.setValue(0.5)
    form.profile.setCurrentIndex(2)
    form.presets.click()
    found["empty"] = [entry.text() for entry in menu.actions()]
    yield from entered(menu, "Save as preset…")
    yield lambda: QApplication.activeModalWidget() is not None
    dialog = QApplication.activeModalWidget()
    dialog.setTextValue("Soft & <b>wide</b>")
    yield from seen("preset-name")
    dialog.accept()
    yield lambda: "Saved as preset" in form.forecast.text()
    context.back.click()
    form.profile.setCurrentIndex(1)
    form.target.setText("make the hat red")
    form.presets.click()
    yield from seen("presets")
    found["entries"] = [entry.text() for entry in menu.actions()]
    yield from entered(menu, found["entries"][0])
    found["put"] = [form.advanced.settings(), form.profile.currentIndex(), form.target.text()]
    form.presets.click()
    deleting = next(entry.menu() for entry in menu.actions() if entry.text() == "Delete preset")
    yield from entered(deleting, found["entries"][0])
    menu.close()
    yield questions
    (box,) = questions()
    found["asked"] = [box.text(), box.defaultButton().text().replace("&", "")]
    next(one for one in box.buttons() if one.text().replace("&", "") == "Delete").click()
    form.presets.click()
    found["left"] = [entry.text() for entry in menu.actions()]
    menu.close()
    context.back.click()
    form.profile.setCurrentIndex(1)
    return found


def entered(menu: Any, label: str) -> Scene:
    """Choose an entry of a menu, which closes."""
    next(entry for entry in menu.actions() if entry.text() == label).trigger()
    menu.close()
    yield lambda: not menu.isVisible()


def scene_compose(docker: Any) -> Scene:
    """Composition with another layer, and with a file, as reference."""
    from s2edit_krita.composing import ComposeDialog

    document = document_with(docker)
    layer(document, "Reference", OTHER)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    prompts = []
    for file in ("", picture_file("reference.png")):
        dialog = ComposeDialog(docker.form.order("compose"), (), docker)
        if file:
            dialog.add_file(file)
        else:
            labels = [dialog.reference.itemText(index) for index in range(dialog.reference.count())]
            dialog.reference.setCurrentIndex(next(i for i, label in enumerate(labels) if label.startswith("Reference")))
        dialog.shows.setText("a woman with makeup")
        dialog.attribute.setText("makeup")
        dialog.mix.setText("a portrait of a woman with a hat with makeup")
        job = yield from edit(docker, document, node, dialog.order())
        prompts.append(docker.desk.book.all[job]["edit"]["reference_prompt"])
    yield lambda: docker.jobs.row(job) is not None and press(docker, job, "again") is not None
    press(docker, job, "again").click()
    again = ComposeDialog(docker.form.order("compose"), docker.form.taken, docker).order()
    docker.form.taken = ()
    return {
        "prompts": prompts,
        "layers": names(document.rootNode()),
        "again": [again.wish.reference_prompt, list(again.wish.words), again.wish.target],
    }


def scene_references(docker: Any) -> Scene:
    """Another open picture is offered whole and by layers; neither what is edited nor its mask are references."""
    from s2edit_krita.composing import ComposeDialog

    other = document_with(docker)
    layer(other, "Elsewhere", OTHER)
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.paint_mask()
    yield lambda: document.activeNode().name().startswith("Object mask")
    row = docker.form.objects.rows[0]
    row.choose_mask(automatic())
    box = row.mask_box.currentText()
    yield from choose(document, node)

    def order(of: str) -> Any:
        dialog = ComposeDialog(docker.form.order("compose"), (), docker)
        empty = dialog.take.isEnabled()
        for field, words in ((dialog.shows, "makeup"), (dialog.attribute, "makeup"), (dialog.mix, "a hat with makeup")):
            field.setText(words)
        labels = [dialog.reference.itemText(index) for index in range(dialog.reference.count())]
        dialog.reference.setCurrentIndex(next(i for i, label in enumerate(labels) if of in label))
        return labels, [empty, dialog.take.isEnabled()], dialog.order()

    labels, enabled, whole = order("whole picture")
    yield from edit(docker, document, node, whole)
    _, _, late = order("Elsewhere")
    yield from leave(other)
    yield from choose(document, node)
    docker.submit(late)
    yield lambda: "is gone" in docker.form.forecast.text()
    return {"labels": labels, "enabled": enabled, "box": box}


def scene_gone(docker: Any) -> Scene:
    """A result that is nowhere any more says so when it is asked for, and then offers itself no longer."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    job = yield from edit(docker, document, node)
    docker.desk.remove(job)  # off the list; then the daemon forgets it, as after a month
    docker.desk.request("remove", {"job": job}, lambda *_: None)
    yield lambda: job not in docker.desk.book.all
    yield lambda: docker.jobs.row(job) is not None and press(docker, job, "remove") is None
    next(one for one in document.topLevelNodes() if is_result(one.name())).remove()
    document.waitForDone()
    press(docker, job, "apply").click()
    yield lambda: "no longer keeps" in docker.form.forecast.text()
    yield lambda: press(docker, job, "apply") is None
    return {"left": press(docker, job, "again") is not None}


def scene_empty_mask(docker: Any) -> Scene:
    """A mask layer on which nothing was painted is refused in words, before anything is sent."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.paint_mask()
    yield lambda: document.activeNode().name().startswith("Object mask")
    before = len(docker.desk.book.all)
    docker.submit(docker.form.order())
    stop = time.monotonic() + 1
    yield lambda: time.monotonic() > stop
    return {"sent": len(docker.desk.book.all) - before, "words": docker.form.forecast.text()}


def scene_propose(docker: Any) -> Scene:
    """“Propose” fills in what the picture shows; the caption becomes no layer."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.form.source.clear()
    docker.form.propose.click()
    yield docker.form.source.text
    return {"words": docker.form.source.text(), "layers": names(document.rootNode())}


def scene_preview(docker: Any) -> Scene:
    """The preview shows the painted mask over the picture, and more of it after more was painted."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.paint_mask()
    yield lambda: document.activeNode().name().startswith("Object mask")
    mask = document.activeNode()
    seen: list[Any] = []
    for width in (8, 24):
        mask.setPixelData(QByteArray(bytes((40, 40, 230, 255)) * (width * 24)), 16, 16, width, 24)
        document.waitForDone()
        docker.extension.menus.stroke_ended.emit()  # as after a stroke by hand, see `test_main`
        yield lambda: docker.preview.isVisible() and red(docker.preview) > (seen or [0])[-1]
        seen.append(red(docker.preview))
    return {"red": seen}


def red(preview: Any) -> int:
    """How many pixels of the preview are tinted."""
    image = preview.pixmap().toImage()
    colours = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(colour.red() > 150 > colour.green() for colour in colours)
