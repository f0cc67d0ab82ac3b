"""The whole: rows, prices and terms in, every figure of the report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan

import numpy as np

from hydra.gladiators.score import players
from hydra.gladiators.score.agreement import Agreement, agreement
from hydra.gladiators.score.chance import Bootstrap, Interval, binomial_test
from hydra.gladiators.score.measure import LEAST, Kind, Measured, Player, measure
from hydra.gladiators.score.pooling import Learnt, equal_pool, learn
from hydra.gladiators.score.prices import Fate, Prices
from hydra.gladiators.score.quorum import Luck, Quorum, as_silent, luck, own_frequencies
from hydra.gladiators.score.rows import VoteRow
from hydra.gladiators.score.shadow import Duel, duel
from hydra.gladiators.score.sums import Read, Sums, before_cutoff, sums
from hydra.gladiators.score.table import BUY, SELL, Table, table_of
from hydra.gladiators.score.terms import SeatTerms, Terms


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """How often the seats came to a direction, beside how often chance would. ``bias``: the exact test of BUY against SELL.

    ``uniform``: seats that abstain as often as these and say BUY, SELL and HOLD alike; ``own``: seats that vote as often for each as these did, without regard to
    one another. ``interval`` keeps neighbours together.
    """

    iterations: int
    buy: int
    sell: int
    rate: float | None
    interval: Interval | None
    uniform: Quorum
    own: Quorum | None
    luck: Luck
    bias: float | None


@dataclass(frozen=True, kw_only=True)
class SeatScore:
    """A seat: what it was, what it came to, and the same over the bars that its model cannot have read (``None``: all, or none is known to be)."""

    sums: Sums
    measured: Measured
    clean: Measured | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """Everything that the report says. ``baselines`` are in a fixed order; ``held`` is buy and hold by asset, before costs."""

    terms: Terms
    table: Table
    seats: tuple[SeatScore, ...]
    challengers: tuple[SeatScore, ...]
    duels: tuple[Duel, ...]
    consensus: Measured
    baselines: tuple[Measured, ...]
    agreed: Agreed
    agreement: Agreement
    learnt: Learnt
    fates: Mapping[Fate, int]
    regimes: Mapping[str, int]
    block: int

    @property
    def iterations(self) -> int:
        """All of them."""
        return len(self.table)

    @property
    def began_at(self) -> datetime | None:
        """The first decision."""
        return datetime.fromtimestamp(int(self.table.at[0]), UTC) if len(self.table) else None

    @property
    def ended_at(self) -> datetime | None:
        """The last."""
        return datetime.fromtimestamp(int(self.table.at[-1]), UTC) if len(self.table) else None

    @property
    def standings(self) -> list[Measured]:
        """The seats, best Brier score first, the challengers, the consensus, and what they are held against."""

        def order(one: Measured) -> tuple[float, str]:
            return (1.0 if one.forecasts.parts is None else one.forecasts.parts.brier, one.name)

        seats = sorted((one.measured for one in self.seats), key=order)
        return [*seats, *(one.measured for one in self.challengers), self.consensus, *self.baselines]

    @property
    def buy_and_hold(self) -> float | None:
        """A dollar split equally over the assets from the first fill to the last end, after costs, as a fraction."""
        held = self.table.held
        return sum(held.values()) / len(held) - 2 * self.terms.cost if held else None


def score(rows: Sequence[VoteRow], prices: Mapping[str, Prices], terms: Terms) -> Score:
    """The score of one run's rows. Raises ``Invalid`` for rows that cannot be of one run."""
    table, shadow = table_of(rows, prices, terms), table_of(rows, prices, terms, shadow=True)
    bootstrap = Bootstrap(len(table), table.block, terms.seed)
    learnt = learn(table, bootstrap)
    pools = (
        players.pooled(players.EQUAL_POOL, equal_pool(table.p_up), "the mean of the log odds of those who voted"),
        players.pooled(players.LEARNT_POOL, learnt.p_up, "weights learnt from what was known by then"),
    )
    hindsight = players.best_in_hindsight(table)
    held_against = (
        players.always_buy(table), players.momentum(table), players.best_so_far(table), *([hindsight] if hindsight else []), *pools,
    )  # fmt: skip
    by_seat = _by_seat(rows)
    return Score(
        terms=terms,
        table=table,
        seats=tuple(_seat(one, table, by_seat, terms, bootstrap) for one in players.seats(table)),
        challengers=tuple(
            _seat(one, shadow, by_seat, terms, bootstrap) for one in players.seats(shadow, Kind.CHALLENGER)
        ),
        duels=tuple(duel(table, shadow, one, terms.seats.get(one, SeatTerms()), bootstrap) for one in shadow.seats),
        consensus=measure(players.consensus(table), table, bootstrap),
        baselines=tuple(measure(one, table, bootstrap) for one in held_against),
        agreed=_agreed(table, bootstrap),
        agreement=agreement(table, bootstrap),
        learnt=learnt,
        fates=Counter(table.fates),
        regimes=dict(Counter({row.iteration: row.regime for row in rows if row.regime}.values()).most_common()),
        block=bootstrap.block,
    )


def _by_seat(rows: Sequence[VoteRow]) -> dict[str, list[VoteRow]]:
    found: dict[str, list[VoteRow]] = {}
    for row in rows:
        found.setdefault(row.seat, []).append(row)
    return found


def _seat(
    player: Player, table: Table, rows: Mapping[str, list[VoteRow]], terms: Terms, bootstrap: Bootstrap
) -> SeatScore:
    mine, sitting = rows[player.name], terms.seats.get(player.name, SeatTerms())
    counted = sums(player.name, mine, sitting)
    clean = None
    if counted.read is Read.PARTLY:
        read = {row.iteration for row in mine if before_cutoff(row, sitting)}
        kept = np.array([iteration not in read for iteration in table.iteration.tolist()])
        clean = Player(player.name, player.kind, np.where(kept, player.side, 0.0), np.where(kept, player.p_up, nan))
    return SeatScore(
        sums=counted,
        measured=measure(player, table, bootstrap),
        clean=None if clean is None else measure(clean, table, bootstrap),
    )


def _agreed(table: Table, bootstrap: Bootstrap) -> Agreed:
    buy, sell = int((table.consensus == BUY).sum()), int((table.consensus == SELL).sum())
    enough = len(table) >= LEAST
    came = np.isin(table.consensus, (BUY, SELL)).astype(np.float64)
    uniform = as_silent(table)
    return Agreed(
        iterations=len(table),
        buy=buy,
        sell=sell,
        rate=(buy + sell) / len(table) if enough else None,
        interval=bootstrap.mean(came) if enough else None,
        uniform=uniform,
        own=own_frequencies(table),
        luck=luck(table, uniform),
        bias=binomial_test(buy, buy + sell),
    )
