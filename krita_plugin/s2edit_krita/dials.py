"""The numbers of the method in the folded part: each shows the model's own value until it is turned by hand."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import NamedTuple

from .qt import QDoubleSpinBox, QHBoxLayout, QToolButton, QWidget, pyqtSignal
from .text import tr
from .wheel import scrolls_by

GUIDANCE = "edit.guidance"


class Dial(NamedTuple):
    """One number: its setting's name, its label, range, step, the method's default, and its help.

    The default is shown only until the daemon has told the model's own value.
    """

    setting: str
    label: str
    low: float
    high: float
    step: float
    default: float
    hint: str


def dials() -> tuple[Dial, ...]:
    """The settings that a painter may want; the daemon knows more."""
    return (
        Dial(GUIDANCE, tr("Guidance"), 1, 20, 0.5, 4.5, tr("How strongly the text is followed")),
        Dial("edit.guidance_until", tr("Guided part"), 0, 1, 0.05, 1, tr("Share of the steps that follow the text")),
        Dial("blend.feather", tr("Feather"), 0, 64, 1, 8, tr("Width of the soft edge, in pixels of the model")),
        Dial("blend.grow", tr("Grow"), 0, 64, 1, 0, tr("How far the edit may reach beyond the mask")),
        Dial("blend.context", tr("Context"), 0, 4, 0.05, 0.35, tr("Surroundings of the mask that the model sees")),
        Dial("edit.cross_replace", tr("Keep layout"), 0, 1, 0.05, 0.8, tr("Share of the steps that keep the layout")),
        Dial("edit.self_replace", tr("Keep shapes"), 0, 1, 0.05, 0.4, tr("Share of the steps that keep the shapes")),
    )


class DialBox(QWidget):
    """A dial's number, and once it was turned the button that gives it back to the model.

    Signals:
        changed(): it was turned by hand, or given back.
    """

    changed = pyqtSignal()

    def __init__(self, dial: Dial, parent: QWidget) -> None:
        super().__init__(parent)
        self._own = dial.default
        self._turned = False
        self.box = QDoubleSpinBox(self)
        self.box.setDecimals(2 if dial.step < 0.5 else 1)
        self.box.setRange(dial.low, dial.high)
        self.box.setSingleStep(dial.step)
        self.box.setValue(dial.default)
        self.box.setToolTip(dial.hint)
        self.box.setObjectName(f"s2edit_{dial.setting}")
        self.back = QToolButton(self)
        self.back.setText("↺")
        self.back.setToolTip(tr("Back to the model's own value"))
        self.back.setAutoRaise(True)
        self.back.setObjectName(f"s2edit_{dial.setting}_back")
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

    def value(self) -> float | None:
        """The number, None where it is the model's own."""
        return round(float(self.box.value()), 3) if self._turned else None

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
