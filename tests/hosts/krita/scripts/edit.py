"""One edit by the docker's own means, without a hand: what `test_colours` and the first smoke test look at."""

from __future__ import annotations

from typing import Any

from krita import Krita
from PyQt5.QtCore import QTimer


def run(report: dict[str, Any], done: Any) -> None:
    krita = Krita.instance()
    import s2edit_krita.docker as docker_module

    docker = next(d for d in krita.dockers() if d.objectName() == docker_module.DOCKER_ID)
    docker.setVisible(True)
    desk = docker.desk
    report["link"] = []
    desk.link_changed.connect(lambda *a: report["link"].append(a))
    report["said"] = []
    desk.complained.connect(lambda *a: report["said"].append(a))
    docker.form.source.setText("a portrait of a woman with a hat")
    docker.form.target.setText("a portrait of a woman with a crown")
    docker.form.objects.rows[0].word.setEditText("hat")
    document = krita.activeDocument()

    def added(job):
        report["tree"] = [
            (n.name(), n.type(), [(c.name(), c.type()) for c in n.childNodes()]) for n in document.topLevelNodes()
        ]
        report["annotations"] = document.annotationTypes()
        QTimer.singleShot(600, done)

    desk.layer_added.connect(added)
    QTimer.singleShot(1500, docker.form.edit_wanted.emit)
    QTimer.singleShot(20000, done)
