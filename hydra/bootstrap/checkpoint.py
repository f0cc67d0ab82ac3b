"""Is the store what the journal says, since the journal's last checkpoint?

Every segment opens with the ledger that the store had then. So a store that was changed by hand becomes the truth with the next segment:
whoever opens one looks first. The last segment is folded from its own checkpoint to its end and must come to the store's ledger, to the last
field. That costs as long as the last segment is: milliseconds after ``hydra qc``, seconds after a day of trading.

What came before the checkpoint was looked at when that segment was opened. History that no start resumes from (fills and trades in the
store's own tables) is not looked at here; ``hydra doctor`` folds everything.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hydra.adapters.journal.reader import read_journal, read_segment
from hydra.adapters.journal.segments import segments
from hydra.engine.fold import fold_all
from hydra.model.errors import Corrupt
from hydra.model.portfolio import Ledger
from hydra.ports import Files, Head
from hydra.qc.same import FACTS, difference


def refuse_edited(files: Files, log_dir: Path, ledger: Ledger, store: str) -> None:
    """Raise ``Corrupt`` when the ledger at the journal's end, as ``store`` has it, is not what the last segment folds to.

    Nothing is said where there is no segment yet. Raises ``Corrupt`` for a damaged one too.
    """
    last = folded(files, log_dir)
    found = None if last is None else difference(last.ledger, ledger, FACTS)
    if last is not None and found is not None:
        raise Corrupt(
            f"{store} is not what the journal says: {found.field} is {found.other} in the store, and {found.one} by the journal, at "
            f"event {last.head.seq} ({last.segment}); somebody has changed it. `hydra doctor --fix` rebuilds it from the journal"
        )


class Folded(NamedTuple):
    """The ledger at the journal's end, by its last segment alone."""

    ledger: Ledger
    head: Head
    segment: str


def folded(files: Files, log_dir: Path) -> Folded | None:
    """The last segment folded from its own checkpoint; ``None`` while there is no segment. Raises ``Corrupt``."""
    whole = [info for info in segments(files, log_dir) if info.first_seq is not None]
    if not whole:
        return None
    reading = read_segment(files, whole[-1].path)
    ledger = fold_all(Ledger(), reading)
    return Folded(ledger, reading.tail.head, whole[-1].path.name)


def fold_whole(files: Files, log_dir: Path) -> tuple[Ledger, Head]:
    """The whole journal folded from its first event, and its end. Raises ``Corrupt``."""
    reading = read_journal(files, log_dir)
    return fold_all(Ledger(), reading), reading.tail.head
