"""A journal of an earlier version: read to its end, folded, and executed again to the same.

``old_journal/`` was written before anything kept bots apart: its segments and its policies have no word of ``isolation``, nobody was
ever released, and what was latched in a cycle stands behind its plan. It holds a preflight, a night of sixteen cycles with one
entry, a halt and a resume, out of the simulated exchange. It cannot be made again; a change of what bots decide may end it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.store.store import SqlStore
from hydra.cli.commands import replay
from hydra.cli.frame import Frame
from hydra.engine.fold import fold, fold_all
from hydra.engine.recover import catch_up
from hydra.model.events import Event, SegmentOpened
from hydra.model.isolation import INLINE
from hydra.model.portfolio import Ledger
from hydra.model.values import replace

OLD = Path(__file__).parent / "old_journal"


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(read_journal(RealFiles(), OLD))


def test_it_is_executed_again_to_the_same() -> None:
    told = replay.command(Frame(command="replay", options={"log": [OLD], "json": True, "debug": False}))
    assert (told.exit_code, told.document["difference"]) == (0, None)
    assert (told.document["cycles"], told.document["orders"], len(told.document["segments"])) == (16, 1, 4)


def test_of_what_kept_its_bots_apart_nothing_is_known_until_a_segment_says_so(
    events: list[Event], tmp_path: Path
) -> None:
    opened = [event for event in events if isinstance(event.data, SegmentOpened)]
    assert {event.data.isolation for event in opened if isinstance(event.data, SegmentOpened)} == {None}
    store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}")
    ledger, head = catch_up(store, lambda after: [event for event in events if event.seq > after.seq])
    assert (ledger, head.seq) == (fold_all(Ledger(), events), events[-1].seq)
    assert ledger.isolation is None
    assert store.load()[0] == ledger
    store.close()
    (*_, last) = opened
    assert isinstance(last.data, SegmentOpened)
    said = replace(last, data=replace(last.data, ledger=ledger, isolation=INLINE))
    assert fold(ledger, said).isolation == INLINE
