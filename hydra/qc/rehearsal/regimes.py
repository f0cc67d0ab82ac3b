"""Weather: what markets do, each by name, and the moves of every symbol while it lasts.

A regime is a function of chance, the symbols and how many beats it has; it gives steps: seconds, a leap of the clock, and a move for each
symbol. Moves are counted in what the symbol itself does in a usual five seconds (``unit_of``), so that a share and a coin are in the same
weather; a crash, a gap and a halt have their size in hundredths of a percent. ``REGIMES`` has them all; each is followed by a recovery.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from hydra.model.market import AssetClass, asset_class_of
from hydra.qc.rehearsal.beats import Leap, Manner, Move
from hydra.qc.rehearsal.market import unit_of

USUAL_SECONDS = 5
_ODD_SECONDS = (1, 2, 7, 12, 30, 60)
_ODD = 0.08
"""How many beats are not of the usual length."""
_CRASH_POINTS, _CRASH_BETA = -1_000, (1.0, 1.3)
_GAPS, _REOPENINGS = (150, 800), (100, 600)


class Step(NamedTuple):
    """A beat's market."""

    seconds: int
    moves: tuple[Move, ...]
    leap: Leap = Leap.NOT


Path: TypeAlias = Callable[["Sky", int], Iterator[Step]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A name, what it is in plain words, and its path."""

    name: str
    meaning: str
    path: Path


class Sky:
    """Chance, and the symbols under it. ``moved`` is what a symbol does in a step."""

    def __init__(self, chance: random.Random, symbols: Sequence[str]) -> None:
        self.chance = chance
        self.symbols = tuple(symbols)
        self.units = tuple(map(unit_of, symbols))
        self._owed = [0.0] * len(self.symbols)

    def seconds(self) -> int:
        """Five, and now and then another number."""
        return self.chance.choice(_ODD_SECONDS) if self.chance.random() < _ODD else USUAL_SECONDS

    def walk(self, seconds: int, *, drift: float = 0.0, noise: float = 1.0) -> list[int]:
        """One step of every symbol; most of the chance is the same for all of them. What rounding leaves is owed to the next step."""
        together, long = self.chance.gauss(0, 1), seconds / USUAL_SECONDS
        found = []
        for place, unit in enumerate(self.units):
            own = 0.75 * together + 0.66 * self.chance.gauss(0, 1)
            wanted = unit * (drift * long + noise * own * long**0.5) + self._owed[place]
            found.append(round(wanted))
            self._owed[place] = wanted - found[-1]
        return found

    def shares(self) -> list[int]:
        """The places of the symbols that have sessions; all, when none has."""
        found = [n for n, symbol in enumerate(self.symbols) if asset_class_of(symbol) is AssetClass.EQUITY]
        return found or list(range(len(self.symbols)))

    def signed(self, reach: tuple[int, int]) -> int:
        """A size within a reach, up or down."""
        return self.chance.choice((1, -1)) * self.chance.randint(*reach)


def drifting(drift: float, noise: float) -> Path:
    """A market that goes one way, or none."""

    def path(sky: Sky, beats: int) -> Iterator[Step]:
        for _ in range(beats):
            seconds = sky.seconds()
            yield Step(seconds, _all(sky.walk(seconds, drift=drift, noise=noise)))

    return path


def crash(sky: Sky, beats: int) -> Iterator[Step]:
    """Ten percent and more within two or three minutes, quotes far apart now and then, then a wild market that takes some of it back."""
    falling = min(beats, sky.chance.randint(24, 36))
    betas = [sky.chance.uniform(*_CRASH_BETA) for _ in sky.symbols]
    left = [_CRASH_POINTS * beta for beta in betas]
    for beat in range(falling):
        noise = sky.walk(USUAL_SECONDS, noise=3)
        parts = [one / (falling - beat) * sky.chance.uniform(0.4, 1.6) for one in left]
        left = [one - part for one, part in zip(left, parts, strict=True)]
        moves = [round(part) + one for part, one in zip(parts, noise, strict=True)]
        manner = Manner.WIDE if sky.chance.random() < 0.1 else Manner.USUAL
        yield Step(USUAL_SECONDS, _all(moves, manner))
    for _ in range(beats - falling):
        seconds = sky.seconds()
        yield Step(seconds, _all(sky.walk(seconds, drift=0.5, noise=4)))


def gap(way: int) -> Path:
    """The night between two sessions, and an opening somewhere else. Some nights are met without having seen the close."""

    def path(sky: Sky, beats: int) -> Iterator[Step]:
        evening: list[Step] = []
        if sky.chance.random() < 0.6:
            evening.append(Step(USUAL_SECONDS, _all(sky.walk(600)), Leap.BEFORE_CLOSE))
            evening += [Step(60, _all(sky.walk(60))) for _ in range(min(14, beats // 3))]
        evening.append(Step(USUAL_SECONDS, _all(sky.walk(60)), Leap.AFTER_CLOSE))
        yield from evening
        leap = [round(way * sky.chance.randint(*_GAPS) * sky.chance.uniform(0.7, 1.3)) for _ in sky.symbols]
        yield Step(USUAL_SECONDS, _all(leap), Leap.NEXT_OPEN)
        morning = beats - len(evening) - 1
        for beat in range(morning):
            seconds = 60 if beat < morning // 3 else sky.seconds()
            yield Step(seconds, _all(sky.walk(seconds, drift=0.4 * way, noise=2)))

    return path


def halt(sky: Sky, beats: int) -> Iterator[Step]:
    """Trading of some symbols is halted: no bids, no offers, no bars, or nothing at all; it reopens elsewhere, with quotes far apart."""
    shares = sky.shares()
    halted = set(shares if sky.chance.random() < 0.4 else sky.chance.sample(shares, 1))
    manner = sky.chance.choice((Manner.PAUSED, Manner.SILENT))
    closed = beats // 6, beats * 2 // 3
    reopens = {place: sky.signed(_REOPENINGS) for place in halted}
    for beat in range(beats):
        seconds = sky.seconds()
        moves = sky.walk(seconds, noise=2)
        manners = [Manner.USUAL] * len(moves)
        for place in halted:
            if closed[0] <= beat < closed[1]:
                moves[place], manners[place] = 0, manner
            elif beat == closed[1]:
                moves[place] = reopens[place]
            if closed[1] <= beat < closed[1] + 3:
                manners[place] = Manner.WIDE
        yield Step(seconds, tuple(map(Move, moves, manners)))


def wide(sky: Sky, beats: int) -> Iterator[Step]:
    """Bid and ask far apart, for minutes at a time."""
    for beat in range(beats):
        seconds = sky.seconds()
        blown = beat % 24 < 16
        yield Step(seconds, _all(sky.walk(seconds, noise=2), Manner.WIDE if blown else Manner.USUAL))


def outage(*, every: bool) -> Path:
    """Nothing is heard of a symbol, or of any, while prices go on; for minutes, now and then for a quarter of an hour."""

    def path(sky: Sky, beats: int) -> Iterator[Step]:
        silent = set(range(len(sky.symbols))) if every else {sky.chance.randrange(len(sky.symbols))}
        long = sky.chance.random() < 0.4
        dark = beats // 6, beats * 2 // 3
        for beat in range(beats):
            out = dark[0] <= beat < dark[1]
            seconds = 30 if long and out else sky.seconds()
            manners = [Manner.SILENT if out and n in silent else Manner.USUAL for n in range(len(sky.symbols))]
            yield Step(seconds, tuple(map(Move, sky.walk(seconds, noise=1.5), manners)))

    return path


def flat(sky: Sky, beats: int) -> Iterator[Step]:
    """Prices stand still and hardly anything is traded; at times bid and ask are the same."""
    still = [0] * len(sky.symbols)
    locked = sky.chance.randrange(max(1, beats))
    for beat in range(beats):
        manner = Manner.LOCKED if locked <= beat < locked + 14 else Manner.IDLE
        yield Step(sky.seconds(), _all(still, manner))


def _all(moves: Sequence[int], manner: Manner = Manner.USUAL) -> tuple[Move, ...]:
    return tuple(Move(points, manner) for points in moves)


RECOVERY = Regime(name="recovery", meaning="after each of the others: a calm market again", path=drifting(0.0, 0.8))
REGIMES: Mapping[str, Regime] = {
    regime.name: regime
    for regime in (
        Regime(name="calm", meaning="small moves around nothing", path=drifting(0.0, 1.0)),
        Regime(name="trend_up", meaning="a steady climb", path=drifting(0.9, 0.8)),
        Regime(name="trend_down", meaning="a steady fall", path=drifting(-0.9, 0.8)),
        Regime(name="crash", meaning="ten percent and more lost within three minutes", path=crash),
        Regime(name="gap_up", meaning="a night, and an opening 1.5 to 8 percent higher", path=gap(1)),
        Regime(name="gap_down", meaning="a night, and an opening 1.5 to 8 percent lower", path=gap(-1)),
        Regime(name="halt", meaning="trading is halted for minutes and reopens up to 6 percent away", path=halt),
        Regime(name="wide_spread", meaning="bid and ask 8 percent apart, for minutes at a time", path=wide),
        Regime(name="outage_one", meaning="no data of one symbol, for minutes", path=outage(every=False)),
        Regime(name="outage_all", meaning="no data at all, for minutes", path=outage(every=True)),
        Regime(name="flat_line", meaning="prices stand still; bid and ask are the same for a while", path=flat),
    )
}
