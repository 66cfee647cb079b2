"""The docker's list: variations, results that are deleted, and what a result's buttons do."""

from __future__ import annotations

import time
from typing import Any

from krita import Krita
from stage import OBJECT, Scene, choose, document_with, edit, is_result, layer, leave, names, press, questions, seen


def scene_variations(docker: Any) -> Scene:
    """Variations wait as thumbnails; the picked one becomes a layer."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    before = set(docker.desk.book.all)
    said: list[str] = []
    docker.desk.told.ended.connect(lambda _job, sentence: said.append(sentence))
    order, targets = docker.form.order(), [f"a portrait of a woman with a {word}" for word in ("crown", "bow")]
    docker.submit(order, order.wish.variations(targets, 2, []))

    def new(state: str) -> list[str]:
        return [name for name, job in docker.desk.book.all.items() if name not in before and job["state"] == state]

    yield lambda: len(new("done")) == 4
    waiting = names(document.rootNode())
    docker.desk.fetch(new("done")[0])
    yield lambda: len(names(document.rootNode())) > len(waiting)
    docker.desk.fetch(new("done")[0])
    docker.desk.fetch(new("done")[0])
    stop = time.monotonic() + 1
    yield lambda: time.monotonic() > stop
    picked = len(names(document.rootNode())) - len(waiting)
    yield from choose(document, node)
    press(docker, new("done")[1], "start").click()
    yield lambda: len(names(document.rootNode())) > len(waiting) + picked
    yield lambda: is_result(document.activeNode().name())
    return {"waiting": waiting, "picked": picked, "source": docker.form.source.text(), "said": list(said)}


def scene_undone(docker: Any) -> Scene:
    """A result is one step: what the next undo takes back is what the painter did before."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from edit(docker, document, node)
    found, undo = [names(document.rootNode())], Krita.instance().action("edit_undo")
    for _ in range(2):
        undo.trigger()
        document.waitForDone()
        found.append(names(document.rootNode()))
    return found


def scene_removed(docker: Any) -> Scene:
    """The ✕ of a result that no saved picture has: what is asked, and what becomes of the result by each answer.

    The last time the picture is closed while the question stands there.
    """
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    before, order = set(docker.desk.book.all), docker.form.order()
    docker.submit(order, order.wish.variations([], 2, []))

    def done() -> list[str]:
        return [name for name, job in docker.desk.book.all.items() if name not in before and job["state"] == "done"]

    yield lambda: len(done()) == 2
    kept, left = done()
    asked = []
    for job, answer, closing in ((kept, "Keep", None), (kept, "Delete", None), (left, "Delete", document)):
        asked.append((yield from removing(docker, job, answer, closing)))
    return asked


def removing(docker: Any, job: str, answer: str, closing: Any) -> Scene:
    """Press ✕ and answer; what was asked, and whether the daemon has the job then."""
    yield lambda: docker.jobs.row(job) is not None and press(docker, job, "remove") is not None
    press(docker, job, "remove").click()
    yield questions
    (box,) = questions()
    yield from seen(f"removed-{answer}-{closing is not None}")
    asked = [box.text(), box.informativeText(), box.defaultButton().text().replace("&", "")]
    if closing is not None:
        yield from leave(closing)
    next(one for one in box.buttons() if one.text().replace("&", "") == answer).click()
    if answer == "Delete":
        yield lambda: job not in docker.desk.book.all
    pongs: list[Any] = []
    docker.desk.request("ping", {}, lambda *_: pongs.append(1))
    yield lambda: pongs
    return [*asked, job in docker.desk.book.all]


def scene_history(docker: Any) -> Scene:
    """A result of this picture: again gives the fields back, and as a start its layer is what is edited next."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    target = docker.form.target.text()
    job = yield from edit(docker, document, node)
    yield lambda: docker.jobs.row(job) is not None and press(docker, job, "again") is not None
    docker.form.target.setText("")
    press(docker, job, "again").click()
    again = [docker.form.source.text(), docker.form.target.text()]
    press(docker, job, "start").click()
    yield lambda: is_result(document.activeNode().name())
    start = [docker.form.source.text(), docker.form.target.text()]
    for field in (docker.form.source, docker.form.target):
        field.clear()
    docker.begin()  # as by the menu of the result's layer
    recalled = [docker.form.source.text(), docker.form.target.text()]
    picture = press(docker, job, "picture")
    size = picture.icon().availableSizes()[0]
    yield from choose(document, node)
    picture.click()
    yield lambda: is_result(document.activeNode().name())
    found = {"again": again, "start": start, "recalled": recalled, "target": target}
    return found | {"picture": [size.width(), size.height()]}
