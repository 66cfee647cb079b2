"""The docker's upper part: what the picture shows, what it should show, which objects, which model."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence

from s2edit_editor import models
from s2edit_editor.form import Shown
from s2edit_editor.host import AUTOMATIC, PAINTED, MaskChoice
from s2edit_editor.order import Order
from s2edit_editor.text import _ as tr
from s2edit_editor.text import hover, is_right_to_left
from s2edit_editor.view import Fields
from s2edit_editor.wish import DEFAULT_PROFILE, Wish, one_sentence, target_of
from s2edit_editor.words import profiles

from .advanced import Advanced
from .modelrow import ModelRow
from .objects import ObjectRows, heading
from .presets import PresetButton
from .prompt import PromptEdit
from .qt import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
    pyqtSignal,
)
from .room import room_for
from .wheel import scrolls_by

_COLOURS = {
    "wrong": {"dark": "#f08070", "bright": "#b3261e"},
    "doubt": {"dark": "#d8b45a", "bright": "#8a6500"},
}
"""Red of what stops an edit and ochre of what is only doubted, for Krita's dark and bright themes."""
_LINES = 3
"""Lines of what is said above the buttons; more are scrolled to, so that the buttons keep their place."""


class Form(QWidget):
    """All fields of an edit.

    Attributes:
        taken: what the reference of the composition that was filled in shows, and the word of what was taken from it.

    Signals:
        changed(), filled(Wish), model_chosen(model id), edit_wanted(), propose_wanted(), paint_wanted(),
        automatic_wanted(), variations_wanted(), compose_wanted().
    """

    changed = pyqtSignal()
    filled = pyqtSignal(object)
    model_chosen = pyqtSignal(str)
    edit_wanted = pyqtSignal()
    propose_wanted = pyqtSignal()
    paint_wanted = pyqtSignal()
    automatic_wanted = pyqtSignal()
    variations_wanted = pyqtSignal()
    compose_wanted = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._example, self._instructs = tr("a portrait of a woman with a hat"), False
        self.source = PromptEdit(self._example, "s2edit_source", self)
        self.target = PromptEdit(tr("a portrait of a woman with a crown"), "s2edit_target", self)
        self.propose = QToolButton(self)
        self.propose.setText(tr("Propose"))
        self.propose.setObjectName("s2edit_propose")
        self.propose.setToolTip(tr("Let S²Edit describe the picture"))
        self.objects = ObjectRows(self)
        self.paint = _button(tr("Paint object mask"), "s2edit_paint", self)
        self.automatic = _button(tr("Show automatic mask"), "s2edit_automatic", self)
        self.more = _button("+", "s2edit_more", self)
        self.more.setToolTip(tr("Add object"))
        self.more.setMaximumWidth(32)
        self.model = QComboBox(self)
        self.model.setObjectName("s2edit_model")
        self.profile = QComboBox(self)
        for name, label in profiles().items():
            self.profile.addItem(label, name)
        self.profile.setCurrentIndex(self.profile.findData(DEFAULT_PROFILE))
        self.profile.setObjectName("s2edit_profile")
        self.profile.setToolTip(tr("How much work goes into an edit"))
        self.model.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        scrolls_by(self.model, self.profile)
        self.model_row = ModelRow(self)
        self.taken: tuple[str, ...] = ()
        self.presets = PresetButton(self)
        self.fold = QToolButton(self)
        self.fold.setObjectName("s2edit_fold")
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.advanced = Advanced(self)
        self._unfold(shown=False)
        self.below_masks = QVBoxLayout()
        self.footer = QWidget(parent)
        self.forecast = _sentence(self.footer)
        self.forecast.setObjectName("s2edit_says")
        self.edit = _button(tr("Edit"), "s2edit_edit", self.footer)
        self.edit.setDefault(True)
        self.edit.setToolTip(tr("Ctrl+Enter or Shift+Enter"))
        self.variations = _button(tr("Variations…"), "s2edit_variations", self.footer)
        self.compose = _button(tr("Compose…"), "s2edit_compose", self)
        self._lay_out()
        self._connect()

    def order(self, kind: str = "edit") -> Order:
        """What the fields say."""
        targets = self.objects.targets()
        if self._instructs:
            targets = tuple(row.target() for row in self.objects.rows)
        # What is hidden is not read: an instruction is not carried out on a description.
        source = "" if self._instructs else one_sentence(self.source.text())
        wish = Wish(
            kind=kind,
            model=str(self.model.currentData() or ""),
            profile=str(self.profile.currentData()),
            source=source,
            target=target_of(source, self.target.text()),
            words=tuple(target.word for target in targets),
            seed=self.advanced.seed_value(),
            settings=self.advanced.settings(),
        )
        masks = tuple(target.mask for target in targets)
        return Order(wish, masks, self.advanced.chosen_mask(), self.advanced.whole.isChecked())

    def fields(self) -> Fields:
        """The same, with what is not sent of it."""
        targets = [row.target() for row in self.objects.rows]
        painted = sum(target.mask.kind == PAINTED for target in targets)
        return Fields(self.order(), one_sentence(self.target.text()), targets[0].word, painted)

    def fill(self, wish: Wish) -> None:
        """Show an earlier edit."""
        self.source.setText(wish.source)
        self.target.setText(wish.target)
        words_ = wish.words
        if wish.kind == "compose":
            # The second word is one of the reference's prompt, which the composition's own dialog asks for.
            self.taken = (wish.reference_prompt, *words_[1:2])
            words_ = words_[:1]
        self.objects.fill(words_)
        self.fill_settings(wish)
        self.filled.emit(wish)
        self.changed.emit()

    def fill_settings(self, wish: Wish) -> None:
        """Show its profile, seed and numbers."""
        self.advanced.fill(wish)
        self.profile.setCurrentIndex(max(0, self.profile.findData(wish.profile)))

    def show_models(self, line: models.ChosenModel, *, listed: bool) -> None:
        """The models that edit, those that are not installed say so; and what is to be said of the chosen one."""
        self.model.blockSignals(True)
        if listed:
            self.model.clear()
            for place, (name, title) in enumerate(line.titles.items()):
                self.model.addItem(title, name)
                self.model.setItemData(place, hover(line.known[name]["purpose"]), Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(max(0, self.model.findData(line.chosen)))
        self.model.blockSignals(False)
        model = line.known.get(line.chosen)
        self.model.setToolTip(hover(f"{model['title']}\n{model['purpose']}") if model else "")
        example = models.example(line.known, line.chosen)
        self.source.setPlaceholderText(example or self._example)
        if self._instructs != line.instructs:
            self._instructs = line.instructs
            self._wished.setText(tr("What should change") if line.instructs else tr("Should show"))
            for widget in (self._shows, self.propose, self.source, self.automatic, self.compose):
                widget.setVisible(not line.instructs)
            self.objects.ask_words(asked=not line.instructs)
        self.model_row.show_remark(line.remark)

    def offer_masks(self, sources: Sequence[MaskChoice]) -> None:
        """Where masks can come from in the active document."""
        self.objects.offer(sources)
        self.advanced.offer(sources)

    def painted(self) -> list[MaskChoice]:
        """All chosen masks that are not left to the model, also those of objects without a word."""
        chosen = [row.target().mask for row in self.objects.rows] + [self.advanced.chosen_mask()]
        return [mask for mask in chosen if mask is not None and mask.kind != AUTOMATIC]

    def show_state(self, shown: Shown) -> None:
        """Mark the fields that are wrong or doubted, and say why below; nothing moves while somebody types or aims."""
        self.edit.setEnabled(shown.pressable)
        for kind, button in (("caption", self.propose), ("mask", self.automatic)):
            button.setEnabled(kind not in shown.asking)
        words_ = [row.word_box for row in self.objects.rows]
        meant = next((box for box in words_ if box.currentText().strip() == shown.word), words_[0])
        for name, field in (("source", self.source), ("target", self.target), ("object", meant)):
            said = shown.marks.get(name, "")
            colour = _colour(self, "doubt" if name in shown.doubted else "wrong")
            rule = f"border: 1px solid {colour};" if said else ""
            field.setStyleSheet(rule if field is meant else f"QPlainTextEdit {{ {rule} }}")  # not its bar
            field.setToolTip(hover(said))
        for box in words_:
            if box is not meant:
                box.setStyleSheet("")
        self.forecast.setText("\n".join(filter(None, (shown.text, shown.time))))
        self.forecast.setToolTip(hover(shown.text))
        self.forecast.setStyleSheet(f"color: {_colour(self, 'wrong')};" if shown.bad else "")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 4)
        top = QHBoxLayout()
        self._shows, self._wished = heading(tr("Picture shows"), self), heading(tr("Should show"), self)
        top.addWidget(self._shows, 1)
        top.addWidget(self.propose)
        layout.addLayout(top)
        layout.addWidget(self.source)
        layout.addWidget(self._wished)
        layout.addWidget(self.target)
        layout.addWidget(heading(tr("The object and its mask"), self))
        layout.addWidget(self.objects)
        row = QHBoxLayout()
        row.addWidget(self.paint, 1)
        row.addWidget(self.more)
        layout.addLayout(row)
        layout.addWidget(self.automatic)
        layout.addLayout(self.below_masks)
        row = QHBoxLayout()
        row.addWidget(self.model, 1)  # gives way
        row.addWidget(self.presets)
        layout.addLayout(row)
        layout.addWidget(self.model_row)
        row = QHBoxLayout()
        row.addWidget(self.fold)
        row.addStretch(1)
        row.addWidget(self.profile)
        layout.addLayout(row)
        layout.addWidget(self.advanced)
        layout.addWidget(self.compose)
        below = QVBoxLayout(self.footer)
        below.setContentsMargins(6, 0, 6, 0)
        below.addWidget(room_for(self.forecast, _LINES))
        row = QHBoxLayout()
        row.addWidget(self.edit, 2)
        row.addWidget(self.variations, 1)
        below.addLayout(row)

    def _connect(self) -> None:
        for field in (self.source, self.target):
            field.textChanged.connect(self.changed.emit)
            field.submitted.connect(self.edit_wanted.emit)
        for box in (self.model, self.profile):
            box.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.model.currentIndexChanged.connect(lambda _index: self.model_chosen.emit(str(self.model.currentData())))
        self.objects.changed.connect(self.changed.emit)
        self.advanced.changed.connect(self.changed.emit)
        self.fold.toggled.connect(self._unfold)
        self.propose.clicked.connect(self.propose_wanted)
        self.paint.clicked.connect(self.paint_wanted)
        self.automatic.clicked.connect(self.automatic_wanted)
        self.more.clicked.connect(lambda *_: self.objects.add())
        self.edit.clicked.connect(self.edit_wanted)
        self.variations.clicked.connect(self.variations_wanted)
        self.compose.clicked.connect(self.compose_wanted)

    def _unfold(self, shown: bool) -> None:
        self.advanced.setVisible(shown)
        # A sign in the text, since Qt draws its own arrow over the text where that runs from right to left.
        self.fold.setText(("▾ " if shown else ("◂ " if is_right_to_left() else "▸ ")) + tr("Advanced"))


def _button(label: str, name: str, parent: QWidget) -> QPushButton:
    button = QPushButton(label, parent)
    button.setObjectName(name)
    button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
    return button


def _sentence(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _colour(widget: QWidget, name: str) -> str:
    return _COLOURS[name]["dark" if widget.palette().window().color().lightness() < 128 else "bright"]
