"""The numbers of the method in the folded part (`s2edit_editor.dials`)."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from s2edit_editor.dials import Dial
from s2edit_editor.text import _ as tr
from s2edit_editor.words import knob_hint

from .qt import QDoubleSpinBox, QHBoxLayout, QToolButton, QWidget, pyqtSignal
from .wheel import scrolls_by


class DialBox(QWidget):
    """A setting's number, and once it was turned the button that gives it back to the model.

    Signals:
        changed(): it was turned by hand, or given back.
    """

    changed = pyqtSignal()

    def __init__(self, dial: Dial, parent: QWidget) -> None:
        super().__init__(parent)
        self._dial, knob = dial, dial.knob
        self.box = QDoubleSpinBox(self)
        self.box.setDecimals(knob.decimals)
        self.box.setRange(knob.low, knob.high)
        self.box.setSingleStep(knob.step)
        self.box.setToolTip(knob_hint(knob))
        self.box.setObjectName(f"s2edit_{knob.name}")
        self.back = QToolButton(self)
        self.back.setText("↺")
        self.back.setToolTip(tr("Back to the model's own value"))
        self.back.setAutoRaise(True)
        self.back.setObjectName(f"s2edit_{knob.name}_back")
        # Numbers stay in one column, whether or not there is something to give back.
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self.back.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box, 1)
        layout.addWidget(self.back)
        self.setFocusProxy(self.box)
        scrolls_by(self.box)
        dial.on_show = self._show
        self._show()
        self.box.valueChanged.connect(self._turn)
        self.back.clicked.connect(lambda *_: self._turn(None))

    def _turn(self, value: float | None) -> None:
        self._dial.choose(value)
        self.changed.emit()

    def _show(self) -> None:
        shown = self._dial.shown
        self.back.setVisible(self._dial.chosen is not None)
        self.box.blockSignals(True)
        self.box.setValue(float(self._dial.knob.default or 0) if shown is None else shown)
        self.box.blockSignals(False)
