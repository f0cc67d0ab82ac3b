"""What a tournament left behind: its votes, the terms that were fixed beforehand, and the candles that its journal saw.

A folder holds ``vote_history.jsonl``, ``runs.jsonl`` and the journal's segments. A run that goes on where another stopped is scored
together with it. Prices come from the run's own journal, so a report needs no market data; where they are named, recorded prices
take the journal's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import segments
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.gladiators.score.prices import Prices
from hydra.gladiators.score.rows import VoteRow, rows_of, runs_of
from hydra.gladiators.score.terms import SeatTerms, Terms
from hydra.model.errors import BadConfig, Corrupt, Invalid
from hydra.model.market import Bar
from hydra.model.snapshot import Observed
from hydra.study.tournament.trades import Traded, traded

VOTES, RUNS = "vote_history.jsonl", "runs.jsonl"
PLAIN = "tournament"
"""The folder of runs without a control; a control's is beside it, with the control's name behind a hyphen."""
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
_FIXED = ("granularity", "horizon", "hold_band", "cost", "hold_counts", "needed", "seed", "seats")


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``runs.jsonl``; a key that is not there was not written down."""

    run: str
    continues: str = ""
    market: str = ""
    control: str = ""
    granularity: int | None = None
    horizon: int | None = None
    hold_band: float | None = None
    cost: float | None = None
    hold_counts: bool | None = None
    needed: int | None = None
    seed: int | None = None
    seats: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Tournament:
    """A run with those it continues. ``prices`` by asset; ``prices_from`` says where they come from; ``others`` are the folder's other runs, ``traded`` what the account did."""

    folder: Path
    runs: tuple[str, ...]
    rows: tuple[VoteRow, ...]
    terms: Terms
    prices: Mapping[str, Prices]
    prices_from: str
    others: tuple[str, ...]
    traded: Traded | None


def folder_and_run(named: str | None, default: Path) -> tuple[Path, str | None]:
    """Where to look, and for which run (``None``: the last). A folder is a folder that is there; anything else is a run.

    A run is looked for in ``default``, and in the folders of controls beside it.
    """
    if named is None:
        return default, None
    path = Path(named)
    if path.is_dir():
        inside = path / PLAIN
        return (inside if not (path / VOTES).exists() and (inside / VOTES).exists() else path), None
    if path.exists() or len(path.parts) > 1:
        raise BadConfig(f"{named}: is neither a folder with {VOTES} nor a run")
    for folder in sorted(default.parent.glob(f"{PLAIN}-*")):
        if (folder / VOTES).is_file() and named in runs_of(history(folder)):
            return folder, named
    return default, named


def history(folder: Path) -> tuple[VoteRow, ...]:
    """Every vote in the folder. Raises ``BadConfig`` when there is none, ``Corrupt`` for a line that is no vote."""
    path = folder / VOTES
    try:
        with path.open("rb") as file:
            rows = rows_of(file, str(path))
    except FileNotFoundError:
        raise BadConfig(f"{folder}: no {VOTES} here; `hydra tournament --paper` writes one") from None
    if not rows:
        raise BadConfig(f"{path}: no vote in it yet")
    return rows


def run_lines(folder: Path) -> dict[str, RunLine]:
    """What was fixed beforehand, by run; empty where nothing was written down. A torn last line is not there."""
    path = folder / RUNS
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return {}
    found: dict[str, RunLine] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=RunLine)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if number == len(lines) and not line.endswith(b"\n"):
                continue
            raise Corrupt(f"{path}: line {number}: {error}") from error
        found[one.run] = one
    return found


def tournament(folder: Path, run: str | None = None, data: Sequence[Path] = ()) -> Tournament:
    """A run (the folder's last when none is named) with its terms and prices. Raises ``BadConfig`` for one that is not there."""
    every, lines = history(folder), run_lines(folder)
    runs = runs_of(every)
    last = run or runs[-1]
    if last not in runs:
        raise BadConfig(f"{folder}: no run {last!r} in {VOTES}; there are {_some(runs)}")
    chain = _chain(last, lines, every)
    rows = _joined(every, chain)
    terms = terms_of(last, lines)
    assets = sorted({row.asset for row in rows})
    prices, where = (
        (recorded_prices(data, assets, terms.granularity), "recorded: " + ", ".join(str(path) for path in data))
        if data
        else (journal_prices(folder, chain, terms.granularity), "the journal of the run")
    )
    others = tuple(one for one in runs if one not in chain)
    return Tournament(
        folder=folder,
        runs=chain,
        rows=rows,
        terms=terms,
        prices=prices,
        prices_from=where,
        others=others,
        traded=traded(folder, chain),
    )


def original_of(control: Tournament, folder: Path | None = None, run: str | None = None) -> tuple[VoteRow, ...]:
    """The votes that a control run is held against: those of the run named, or of the latest without a control that shares a moment with it.

    Looked for in ``folder``, or else where the control is and in ``PLAIN`` beside it. Raises ``BadConfig`` when there is none.
    """
    beside = control.folder.with_name(PLAIN)
    places = [folder] if folder is not None else [control.folder, *([beside] if (beside / VOTES).is_file() else [])]
    moments = {(row.asset, row.timestamp) for row in control.rows}
    for place in dict.fromkeys(places):
        every, lines = history(place), run_lines(place)
        runs = runs_of(every)
        wanted = [run] if run is not None else [one for one in reversed(runs) if not _controlled(one, lines)]
        for one in wanted:
            chain = _chain(one, lines, every)
            rows = _joined(every, chain)
            if any((row.asset, row.timestamp) in moments for row in rows):
                return rows
    told = "without a control" if run is None else repr(run)
    raise BadConfig(
        f"{', '.join(map(str, places))}: no run {told} shares a moment with {control.runs[-1]}; name the original with --against"
    )


def terms_of(run: str, lines: Mapping[str, RunLine]) -> Terms:
    """What was fixed; what nobody wrote down is assumed, and named."""
    line = lines.get(run, RunLine(run=run))
    fixed: dict[str, Any] = {name: getattr(line, name) for name in _FIXED if getattr(line, name) is not None}
    assumed = tuple(name for name in _FIXED if name not in fixed)
    seats = {name: _seat(name, written) for name, written in fixed.pop("seats", {}).items()}
    try:
        return Terms(
            run=run,
            market=line.market,
            control=line.control,
            seats=seats,
            assumed=assumed,
            **fixed,
        )
    except Invalid as error:
        raise Corrupt(f"{RUNS}: run {run}: {error}") from error


def journal_prices(folder: Path, runs: Sequence[str], granularity: int) -> dict[str, Prices]:
    """The candles of this length that the journal's looks saw in these runs. Raises ``Corrupt`` for a damaged journal."""
    found: dict[str, list[tuple[datetime, float, float]]] = {}
    for bar in _journaled(folder, frozenset(runs)):
        if bar.seconds == granularity:
            found.setdefault(bar.symbol, []).append((bar.at, float(bar.open), float(bar.close)))
    return {symbol: Prices(candles, granularity) for symbol, candles in found.items()}


def recorded_prices(data: Sequence[Path], assets: Sequence[str], granularity: int) -> dict[str, Prices]:
    """The same from recorded files. Raises ``BadConfig`` as they do, and when an asset has no candle of this length."""
    feed = RecordedFeed.open(data, symbols=assets, some=True)
    found: dict[str, list[tuple[datetime, float, float]]] = {}
    for bar in feed.bars(_EARLIEST, _LATEST):
        if bar.seconds == granularity:
            found.setdefault(bar.symbol, []).append((bar.at, float(bar.open), float(bar.close)))
    missing = [asset for asset in assets if asset not in found]
    if missing:
        raise BadConfig(f"--data: no candles of {granularity} s for {', '.join(missing)}")
    return {symbol: Prices(candles, granularity) for symbol, candles in found.items()}


def _journaled(folder: Path, runs: frozenset[str]) -> Iterator[Bar]:
    files = RealFiles()
    for event in Reading(files, [info.path for info in segments(files, folder)]):
        if event.run in runs and isinstance(event.data, Observed):
            yield from event.data.bars


def _chain(run: str, lines: Mapping[str, RunLine], every: Sequence[VoteRow]) -> tuple[str, ...]:
    """The run and those it continues, oldest first. One whose iterations do not come before is none of them: it began anew."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for row in every:
        first[row.run] = min(row.iteration, first.get(row.run, row.iteration))
        last[row.run] = max(row.iteration, last.get(row.run, row.iteration))
    chain = [run]
    while (before := lines[chain[0]].continues if chain[0] in lines else "") in last and last[before] < first[chain[0]]:
        chain.insert(0, before)
    return tuple(chain)


def _joined(rows: Iterable[VoteRow], chain: Sequence[str]) -> tuple[VoteRow, ...]:
    """The rows of a chain under the name of its last run."""
    mine = [row for row in rows if row.run in chain]
    return tuple(row if row.run == chain[-1] else msgspec.structs.replace(row, run=chain[-1]) for row in mine)


def _controlled(run: str, lines: Mapping[str, RunLine]) -> bool:
    return run in lines and bool(lines[run].control)


def _seat(name: str, written: Mapping[str, Any]) -> SeatTerms:
    known = {key: value for key, value in written.items() if key in SeatTerms.__struct_fields__ and value is not None}
    try:
        return msgspec.convert({key: value for key, value in known.items() if value != ""}, SeatTerms)
    except msgspec.ValidationError as error:
        raise Corrupt(f"{RUNS}: seat {name}: {error}") from error


def _some(runs: Sequence[str]) -> str:
    shown = ", ".join(runs[-5:])
    return f"{len(runs):,}, the last are {shown}" if len(runs) > 5 else shown
