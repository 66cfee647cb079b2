"""Long work in Krita's own thread, a little at each turn of its event loop."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from s2edit_editor.text import _ as tr
from s2edit_editor.turns import T, Work
from s2edit_wire.errors import WireError

from .qt import QTimer


def in_turns(
    work: Work[T], done: Callable[[T], None], failed: Callable[[WireError], None], alive: Callable[[], bool]
) -> None:
    """Begin with `work` at the loop's next turn, and go on at each.

    Args:
        done: told what it returned in the end; failed: told its WireError, or one for what
            nobody foresaw: whoever waits for the end must not wait for ever.
        alive: whether what it works on is still there; else it is given up, and nobody told.
    """

    def turn() -> None:
        if not alive():
            work.close()
            return
        try:
            next(work)
        except StopIteration as end:
            done(end.value)
        except WireError as error:
            failed(error)
        except Exception:  # noqa: BLE001 - whoever waits has to hear of it, whatever it was
            traceback.print_exc()
            failed(WireError("internal", tr("Something went wrong inside S²Edit."), tr("Try again")))
        else:
            QTimer.singleShot(0, turn)

    QTimer.singleShot(0, turn)
