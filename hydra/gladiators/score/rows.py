"""A line of ``vote_history.jsonl``: who voted what on which candle, for how much. Checked by name; keys that are not known are passed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from math import isfinite

import msgspec

from hydra.model.errors import Corrupt, Invalid
from hydra.model.values import aware_utc, named, not_negative
from hydra.model.votes import Choice

LINE_BYTES_MOST = 1 << 20
_DECISIONS = frozenset({Choice.BUY, Choice.SELL, Choice.HOLD})


class VoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One vote. ``timestamp`` is the close of the last candle that was seen (UTC), ``cost`` in dollars, ``latency_ms`` milliseconds.

    Raises ``Invalid`` for what cannot be: a probability outside [0, 1], NaN, an ABSTAIN with a probability, a negative count.
    """

    run: str
    iteration: int
    timestamp: datetime
    asset: str
    seat: str
    vote: Choice
    confidence: float = 0.0
    p_up: float | None = None
    why: str = ""
    detail: str = ""
    engine: str = ""
    model: str = ""
    prompt: str = ""
    brief: str = ""
    regime: str = ""
    attempts: int = 0
    latency_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    shadow: bool = False

    def __post_init__(self) -> None:
        """The invariants."""
        for name in ("run", "asset", "seat"):
            named(name, getattr(self, name))
        aware_utc("timestamp", self.timestamp)
        not_negative("cost", self.cost)
        for name in ("iteration", "attempts", "latency_ms", "tokens_in", "tokens_out"):
            if getattr(self, name) < 0:
                raise Invalid(f"{name} must be at least 0, got {getattr(self, name)}")
        _share("confidence", self.confidence)
        if self.p_up is not None:
            _share("p_up", self.p_up)
            if self.vote is Choice.ABSTAIN:
                raise Invalid(f"p_up must be absent from an ABSTAIN, got {self.p_up}")

    @property
    def voted(self) -> bool:
        """Whether it is a vote at all."""
        return self.vote in _DECISIONS


def _share(name: str, value: float) -> None:
    if not (isfinite(value) and 0 <= value <= 1):
        raise Invalid(f"{name} must be within 0 and 1, got {value}")


_decoder = msgspec.json.Decoder(VoteRow)


def rows_of(lines: Iterable[bytes], where: str = "vote_history.jsonl") -> tuple[VoteRow, ...]:
    """The rows of these lines, in their order. A last line that was torn (no line end, no JSON) is not there.

    Raises ``Corrupt``, naming the line, for what is no vote, and for a seat that voted twice in an iteration.
    """
    rows: list[VoteRow] = []
    seen: set[tuple[str, int, str]] = set()
    torn = ""
    for number, line in enumerate(lines, start=1):
        if torn:
            raise Corrupt(torn)
        if not line.strip():
            continue
        if len(line) > LINE_BYTES_MOST:
            raise Corrupt(f"{where}: line {number}: {len(line):,} bytes; a vote has at most {LINE_BYTES_MOST:,}")
        try:
            row = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
            fault = f"{where}: line {number}: {error}"
            if line.endswith(b"\n"):
                raise Corrupt(fault) from error
            torn = fault
            continue
        key = (row.run, row.iteration, row.seat)
        if key in seen:
            raise Corrupt(
                f"{where}: line {number}: seat {row.seat} voted twice in iteration {row.iteration} of run {row.run}"
            )
        seen.add(key)
        rows.append(row)
    return tuple(rows)


def runs_of(rows: Iterable[VoteRow]) -> tuple[str, ...]:
    """The runs in these rows, in the order in which they began."""
    return tuple(dict.fromkeys(row.run for row in rows))
