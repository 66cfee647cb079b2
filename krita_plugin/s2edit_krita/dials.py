"""The numbers of the method in the folded part: each shows the model's own value until it is turned by hand."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from s2edit_editor.text import _ as tr
from s2edit_editor.words import knob_hint
from s2edit_wire.knobs import Knob

from .qt import QDoubleSpinBox, QHBoxLayout, QToolButton, QWidget, pyqtSignal
from .wheel import scrolls_by


class DialBox(QWidget):
    """A setting's number, and once it was turned the button that gives it back to the model.

    Signals:
        changed(): it was turned by hand, or given back.
    """

    changed = pyqtSignal()

    def __init__(self, knob: Knob, parent: QWidget) -> None:
        super().__init__(parent)
        self._own = float(knob.default or 0)
        self._whole = knob.kind == "whole"
        self._turned = False
        self.box = QDoubleSpinBox(self)
        self.box.setDecimals(knob.decimals)
        self.box.setRange(knob.low, knob.high)
        self.box.setSingleStep(knob.step)
        self.box.setValue(self._own)
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
        self.box.valueChanged.connect(lambda _value: self._turn(by_hand=True))
        self.back.clicked.connect(lambda *_: self._turn(by_hand=False))

    def value(self) -> float | int | None:
        """The number, None where it is the model's own."""
        number = round(float(self.box.value()), 3)
        return None if not self._turned else round(number) if self._whole else number

    def show_own(self, value: float) -> None:
        """What the model works with; passed over while a number chosen by hand is in force."""
        if not self._turned:
            self._own = value
            self._put(value)

    def choose(self, value: float | None) -> None:
        """As if turned to this number, None for the model's own; emits nothing."""
        self._turned = value is not None
        self._put(self._own if value is None else value)
        self.back.setVisible(self._turned)

    def _turn(self, *, by_hand: bool) -> None:
        self.choose(float(self.box.value()) if by_hand else None)
        self.changed.emit()

    def _put(self, value: float) -> None:
        self.box.blockSignals(True)
        self.box.setValue(value)
        self.box.blockSignals(False)
