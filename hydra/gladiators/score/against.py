"""A control run beside the run that it is a control of: the same moments, seat by seat, and which votes changed that should not have.

    same        the vote is what it was
    mirrored    BUY became SELL, SELL became BUY, HOLD stayed
    other       anything else

Masked dates, rescaled prices and an injected headline ask for the same votes, an inverted series for mirrored ones. Rules have to
keep to it every time; a model that answers differently to the same question twice cannot, so of models the share is told with its
interval, and the votes that broke.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hydra.gladiators.controls import CONTROLS, Asks
from hydra.gladiators.score.chance import Interval, wilson
from hydra.gladiators.score.rows import VoteRow
from hydra.model.errors import BadConfig
from hydra.model.votes import Choice

_MIRROR = {Choice.BUY: Choice.SELL, Choice.SELL: Choice.BUY, Choice.HOLD: Choice.HOLD}


@dataclass(frozen=True, kw_only=True)
class Broke:
    """A vote that did not keep to what the control asks for."""

    seat: str
    asset: str
    at: datetime
    before: Choice
    after: Choice
    p_before: float | None
    p_after: float | None


@dataclass(frozen=True, kw_only=True)
class SeatControl:
    """``pairs`` are moments at which the seat voted in both runs, ``kept`` those that are as the control asks.

    ``one_sided`` counts moments at which it voted in one run only. ``p_most`` is how far a probability was from what was asked for.
    """

    seat: str
    engine: str
    pairs: int
    kept: int
    one_sided: int
    p_most: float | None
    p_mean: float | None
    moves: Mapping[str, int]
    broke: tuple[Broke, ...]

    @property
    def rules(self) -> bool:
        """Whether rules sit here: they have to keep to it every time."""
        return self.engine.startswith("local:")

    @property
    def share(self) -> Interval | None:
        """Where the share of kept votes lies, calls taken for independent."""
        return wilson(self.kept, self.pairs)


@dataclass(frozen=True, kw_only=True)
class Controlled:
    """The whole comparison. ``missing`` counts moments of one run that the other does not have."""

    control: str
    asks: Asks
    run: str
    original: str
    seats: tuple[SeatControl, ...]
    missing: int

    @property
    def held(self) -> bool:
        """Whether every seat that holds rules kept to it in every pair, and there was a pair at all."""
        return any(seat.pairs for seat in self.seats) and all(
            seat.kept == seat.pairs and not seat.one_sided for seat in self.seats if seat.rules
        )


def against(control: str, rows: Sequence[VoteRow], original: Sequence[VoteRow]) -> Controlled:
    """Join the two by asset, moment and seat. Raises ``BadConfig`` for a control that there is not, or runs that share no moment."""
    if control not in CONTROLS:
        raise BadConfig(f"control {control!r}: there is no such control; there are {', '.join(CONTROLS)}")
    asks = CONTROLS[control].asks
    mine, theirs = _by_moment(rows), _by_moment(original)
    shared = mine.keys() & theirs.keys()
    if not shared:
        raise BadConfig(
            f"run {_run(rows)} and run {_run(original)} share no vote (asset, moment and seat): neither is a control of the other"
        )
    seats = sorted({seat for seat, _, _ in shared})
    return Controlled(
        control=control,
        asks=asks,
        run=_run(rows),
        original=_run(original),
        seats=tuple(_seat(seat, asks, mine, theirs) for seat in seats),
        missing=len(mine.keys() ^ theirs.keys()),
    )


_Moments = dict[tuple[str, str, datetime], VoteRow]


def _by_moment(rows: Sequence[VoteRow]) -> _Moments:
    return {(row.seat, row.asset, row.timestamp): row for row in rows}


def _run(rows: Sequence[VoteRow]) -> str:
    return rows[0].run if rows else "(empty)"


def _seat(seat: str, asks: Asks, mine: _Moments, theirs: _Moments) -> SeatControl:
    keys = sorted(key for key in mine.keys() & theirs.keys() if key[0] == seat)
    both = [(theirs[key], mine[key]) for key in keys if theirs[key].voted and mine[key].voted]
    kept = [_wanted(before.vote, asks) is after.vote for before, after in both]
    apart = [gap for before, after in both if (gap := _apart(before.p_up, after.p_up, asks)) is not None]
    return SeatControl(
        seat=seat,
        engine=mine[keys[0]].engine,
        pairs=len(both),
        kept=sum(kept),
        one_sided=sum(1 for key in keys if theirs[key].voted is not mine[key].voted),
        p_most=max(apart) if apart else None,
        p_mean=sum(apart) / len(apart) if apart else None,
        moves=dict(Counter(f"{before.vote} -> {after.vote}" for before, after in both).most_common()),
        broke=tuple(_broke(before, after) for (before, after), good in zip(both, kept, strict=True) if not good),
    )


def _wanted(before: Choice, asks: Asks) -> Choice:
    return _MIRROR[before] if asks is Asks.MIRRORED else before


def _apart(before: float | None, after: float | None, asks: Asks) -> float | None:
    if before is None or after is None:
        return None
    return abs((1 - before if asks is Asks.MIRRORED else before) - after)


def _broke(before: VoteRow, after: VoteRow) -> Broke:
    return Broke(
        seat=before.seat,
        asset=before.asset,
        at=before.timestamp,
        before=before.vote,
        after=after.vote,
        p_before=before.p_up,
        p_after=after.p_up,
    )
