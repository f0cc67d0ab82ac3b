"""The tournament's records: lines that people and other programs read, worked out from the journal and from nothing else.

    runs.jsonl          what was settled before the first vote of a run
    vote_history.jsonl  every vote of every seat
    paper_trades.jsonl  every order of the tournament that has filled and is done

They are projections: the same events always give the same bytes. At every start the whole journal is read and a file that is not
exactly what comes out (missing, torn, edited) is written anew; from then on lines are appended after each iteration, without waiting for
the disk, for they can be made again. A record that cannot be written ends nothing: it is left as it is until the next start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from hydra.bootstrap.tournament_host import BOT
from hydra.engine.fold import fold
from hydra.guard import attempt
from hydra.model.events import Event, OrderSent, Recovered, Seated, Voted
from hydra.model.money import plain
from hydra.model.orders import Fill, Order, Purpose
from hydra.model.portfolio import Ledger, Trade, holding_key
from hydra.model.snapshot import Observed
from hydra.model.values import replace
from hydra.model.votes import SEATS, Vote
from hydra.ports import Files

RUNS, VOTES, TRADES = "runs.jsonl", "vote_history.jsonl", "paper_trades.jsonl"
NAMES = (RUNS, VOTES, TRADES)


class Lines:
    """Events in, lines out: each name's since they were last taken."""

    def __init__(self) -> None:
        self._lines: dict[str, list[bytes]] = {name: [] for name in NAMES}
        self._last: Voted | None = None
        self._settled: tuple[str, Seated] | None = None
        self._behind: dict[str, tuple[str, Voted]] = {}
        self._fills: dict[str, list[Fill]] = {}
        self._told: set[str] = set()
        self.trades = 0

    def take(self, event: Event, ledger: Ledger) -> None:
        """Add an event, in the journal's order, with the ledger after it."""
        data = event.data
        if isinstance(data, Voted):
            self._vote(event.run, data)
        elif isinstance(data, Seated):
            self._add(RUNS, _run_line(event.run, data, self._continues(data)))
            self._settled = (event.run, data)
        elif isinstance(data, OrderSent):
            self._sent(event.run, data.order, ledger)
        elif isinstance(data, Observed | Recovered):
            for fill in data.fills:
                self._fills.setdefault(fill.client_id, []).append(fill)
        self._done(ledger)

    def taken(self) -> Mapping[str, bytes]:
        """What has come since the last time, by name of the record."""
        found = {name: b"".join(lines) for name, lines in self._lines.items() if lines}
        self._lines = {name: [] for name in NAMES}
        return found

    def _add(self, name: str, line: Mapping[str, Any]) -> None:
        self._lines[name].append(orjson.dumps(line) + b"\n")

    def _continues(self, seated: Seated) -> str:
        """The run before, when everything was settled in the same way then."""
        if self._settled is None:
            return ""
        run, before = self._settled
        return run if replace(before, started=seated.started) == seated else ""

    def _vote(self, run: str, voted: Voted) -> None:
        if voted.skipped:
            return
        self._last = voted
        for vote in voted.votes:
            self._add(VOTES, _vote_line(run, voted, vote))

    def _sent(self, run: str, order: Order, ledger: Ledger) -> None:
        """An order goes back to votes: its own iteration's, or, where an exit of the engine decided it, those that opened the holding."""
        if order.bot != BOT:
            return
        if order.cause:
            held = ledger.holdings.get(holding_key(order.bot, order.symbol))
            behind = None if held is None else self._behind.get(held.entry)
            if behind is not None:
                self._behind[order.client_id] = behind
        elif self._last is not None:
            self._behind[order.client_id] = (run, self._last)

    def _done(self, ledger: Ledger) -> None:
        for order in ledger.orders.values():
            if order.bot != BOT or order.client_id in self._told or not order.status.terminal:
                continue
            if order.filled < order.venue_filled or not order.filled:
                continue
            self._told.add(order.client_id)
            fills = self._fills.pop(order.client_id, [])
            behind = self._behind.get(order.client_id) or self._behind.get(order.parent)
            if fills and behind is not None:
                self.trades += 1
                self._add(TRADES, _trade_line(order, fills, *behind, _closed(ledger, order, fills)))


class Records:
    """The files. ``take`` is deaf until ``load`` has read the journal; ``flush`` appends what came since."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder
        self._lines = Lines()
        self._live, self._before = False, 0
        self.rebuilt: tuple[str, ...] = ()
        self.failure = ""

    @property
    def trades(self) -> int:
        """How many trades were written since ``load``."""
        return self._lines.trades - self._before

    def take(self, event: Event, ledger: Ledger) -> None:
        """An event of the running engine."""
        if self._live:
            self._lines.take(event, ledger)

    def load(self, events: Iterable[Event]) -> None:
        """Read the whole journal, and write anew what is not what comes out of it. Raises ``Corrupt`` for a damaged journal."""
        ledger = Ledger()
        for event in events:
            ledger = fold(ledger, event)
            self._lines.take(event, ledger)
        made = self._lines.taken()
        anew: list[str] = []
        for name in NAMES:
            lines, there = made.get(name, b""), self._read(name)
            if there == lines or (there is None and not lines):
                continue
            self._files.write_whole(self._folder / name, lines)
            if (there is None and lines.count(b"\n") > 1) or not lines.startswith(there or b""):
                anew.append(name)  # what is new, or only goes on, is nobody's news
        self.rebuilt = tuple(anew)
        self._before, self._live = self._lines.trades, True

    def flush(self) -> None:
        """Append what came since the last time."""
        made = self._lines.taken()
        if not made or self.failure:
            return
        outcome = attempt("records", lambda: self._append(made))
        if outcome.failure is not None:
            self.failure = (
                f"{self._folder}: {outcome.failure.kind}: {outcome.failure.reason}; the next start makes them again"
            )

    def _append(self, made: Mapping[str, bytes]) -> None:
        for name, lines in made.items():
            file = self._files.append_to(self._folder / name)
            try:
                file.write(lines)
            finally:
                file.close()

    def _read(self, name: str) -> bytes | None:
        path = self._folder / name
        return path.read_bytes() if path.exists() else None


def lines_of(events: Iterable[Event], run: str) -> Mapping[str, bytes]:
    """The lines of one run, out of all the events of a journal: what a later run closed is its as well."""
    lines, ledger = Lines(), Ledger()
    for event in events:
        ledger = fold(ledger, event)
        lines.take(event, ledger)
    made = lines.taken()
    return {name: of_run(made.get(name, b""), run) for name in NAMES}


def of_run(lines: bytes, run: str) -> bytes:
    """The lines of a record that are a run's."""
    mark = f'"run":"{run}"'.encode()  # inside of a text the quotes would be escaped
    return b"".join(line for line in lines.splitlines(keepends=True) if mark in line)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _run_line(run: str, seated: Seated, continues: str) -> dict[str, Any]:
    seats = {
        seat: {
            "engine": sitter.engine,
            "model": sitter.model,
            "role": sitter.role,
            "cutoff": sitter.cutoff or None,
            "shadow": sitter.shadow,
            "against": sitter.against,
            "calls": sitter.calls,
        }
        for seat, sitter in sorted(seated.seats.items())
    }
    return {
        "run": run,
        "continues": continues,
        "started": _stamp(seated.started),
        "assets": list(seated.assets),
        "granularity": seated.granularity,
        "market": seated.market,
        "control": seated.control,
        "horizon": seated.horizon,
        "hold_band": seated.hold_band,
        "cost": seated.cost,
        "hold_counts": seated.hold_counts,
        "needed": seated.needed,
        "seed": seated.seed,
        "seats": seats,
    }


def _vote_line(run: str, voted: Voted, vote: Vote) -> dict[str, Any]:
    return {
        "run": run,
        "iteration": voted.iteration,
        "timestamp": _stamp(voted.closed or voted.at),
        "asset": voted.asset,
        "seat": vote.seat,
        "vote": vote.vote.value,
        "confidence": vote.confidence,
        "p_up": vote.p_up,
        "reasoning": vote.reasoning,
        "why": vote.why.value,
        "detail": vote.detail,
        "engine": vote.engine,
        "model": vote.model,
        "prompt": vote.prompt,
        "brief": voted.brief,
        "regime": voted.regime,
        "attempts": vote.attempts,
        "latency_ms": vote.latency_ms,
        "tokens_in": vote.tokens_in,
        "tokens_out": vote.tokens_out,
        "cost": plain(vote.cost),
        "recordings": list(vote.recordings),
        "shadow": vote.seat not in SEATS,
    }


def _closed(ledger: Ledger, order: Order, fills: list[Fill]) -> Trade | None:
    """The round trip that the order's last fill has closed, if it has closed one."""
    closing = [trade for trade in ledger.trades if trade.symbol == order.symbol and trade.closed_at == fills[-1].at]
    return closing[-1] if closing and order.purpose is not Purpose.ENTRY else None


def _trade_line(order: Order, fills: list[Fill], run: str, voted: Voted, closed: Trade | None) -> dict[str, Any]:
    decided = order.purpose in (Purpose.ENTRY, Purpose.EXIT) and not order.cause
    agreement = voted.consensus
    return {
        "timestamp": _stamp(voted.closed or voted.at) if decided else _stamp(fills[-1].at),
        "asset": order.symbol,
        "direction": order.side.value.upper(),
        "confidence": 0.0 if agreement is None else agreement.confidence,
        "votes": {
            vote.seat: {"vote": vote.vote.value, "confidence": vote.confidence}
            for vote in voted.votes
            if vote.seat in SEATS
        },
        "consensus": "" if agreement is None else agreement.told,
        "run": run,
        "iteration": voted.iteration,
        "engines": {vote.seat: vote.engine for vote in voted.votes if vote.seat in SEATS},
        "cause": "consensus" if decided else order.cause or order.purpose.value,
        "intent": f"{order.run}:{order.cycle}:{order.symbol}" if decided else "",
        "order": order.client_id,
        "fills": [fill.fill_id for fill in fills],
        "quantity": plain(order.filled),
        "price": None if order.average_price is None else plain(order.average_price),
        "fee": plain(order.fees),
        "result": None if closed is None else _result(closed),
    }


def _result(closed: Trade) -> dict[str, Any]:
    return {
        "trade": closed.trade_id,
        "quantity": plain(closed.quantity),
        "entry_price": plain(closed.entry_price),
        "exit_price": plain(closed.exit_price),
        "opened_at": _stamp(closed.opened_at),
        "closed_at": _stamp(closed.closed_at),
        "fees": plain(closed.fees),
        "profit": plain(closed.profit),
        "reason": closed.reason,
    }
