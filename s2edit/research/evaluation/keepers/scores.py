"""An edit's score, with what its tables are sorted by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .cases import NativeCase
from .measure import Picture, is_keeper, measure


@dataclass(frozen=True)
class KeeperScore:
    """One edit judged; see `measure.Measured` for the first figures.

    Args:
        kind, edit, size, placing, painted, prompt: of the case. `painted` is the mask's manner, or "" for none; the
            prompt is the target's.
        crop: x, y, width, height of what the model was given.
        first_seconds: of the whole edit; 0 when something of it was known before. seconds: of a further edit of the
            same picture, which finds fine-tuning and inversion made.
        error: why there is no picture; the source then counts as the answer.
    """

    case: str
    method: str
    kind: str
    edit: str
    size: int
    placing: str
    painted: str
    prompt: str
    gain: float
    damage: float
    sharp: float
    beyond: float
    answer: int
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    seconds: float = 0.0
    first_seconds: float = 0.0
    error: str = ""

    @property
    def keeper(self) -> bool:
        """Whether a painter would keep it."""
        return is_keeper(self.gain, self.damage, self.sharp)


def judge(case: NativeCase, method: str, result: Picture, **facts: Any) -> KeeperScore:
    """Score a picture of the case's size; `facts` are the last fields of `KeeperScore`."""
    found = measure(case.image, result, case.truths, case.changes, case.portrait_box)
    scene = case.scene
    return KeeperScore(
        case=case.id,
        method=method,
        kind=case.kind,
        edit=case.edit.name,
        size=scene.size,
        placing=scene.placing,
        painted=case.manner or "",
        prompt=case.prompts[1],
        **asdict(found),
        **facts,
    )
