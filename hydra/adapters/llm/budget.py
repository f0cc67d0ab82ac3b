"""What calls may cost: the worst case is reserved before a call, and what it did cost is settled after it.

A reservation is on the disk before its call leaves, so nothing that ends the process can lose it: one without a settlement counts as
spent in full. So do a call that timed out and one that was answered without saying what it used. Nothing is spent by one that found
no connection, and by one that was turned away for good (a used-up account, a refused key). Caps hold for one brief (an
iteration), one UTC day, and all there is in the file. Money is in USD.

The file is JSONL, append-only. A last line without its end was torn by the end of a process and is cut off; the call behind it never
left. Any other bad line is damage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import ROUND_UP, Decimal
from pathlib import Path
from threading import Lock

from hydra.model.errors import Corrupt, Invalid
from hydra.model.money import plain
from hydra.model.values import Value, decode, encode, not_negative
from hydra.policy.tournament import MILLION, BudgetSection, PriceSection
from hydra.ports import AppendFile, Files

CENT_PARTS = Decimal("0.000001")
"""Costs are rounded up to a millionth of a dollar."""


class Line(Value, frozen=True, kw_only=True):
    """A line of the file: a reservation (``reserved``), or the settlement of one (``spent``)."""

    call: int
    seat: str
    model: str
    brief: str
    day: str
    reserved: Decimal | None = None
    spent: Decimal | None = None
    known: bool = False
    """Settlements: the vendor said what was used."""
    tokens_in: int = 0
    tokens_out: int = 0

    def __post_init__(self) -> None:
        if (self.reserved is None) == (self.spent is None):
            raise Invalid("a line reserves or settles")
        for name in ("reserved", "spent"):
            if getattr(self, name) is not None:
                not_negative(name, getattr(self, name))


class Spending(Value, frozen=True, kw_only=True):
    """What was spent: ``known`` by what vendors said they used, ``assumed`` in full because nobody said."""

    calls: int
    known: Decimal
    assumed: Decimal
    today: Decimal
    total: Decimal
    tokens_in: int
    tokens_out: int
    by_seat: Mapping[str, Decimal]
    by_model: Mapping[str, Decimal]
    by_day: Mapping[str, Decimal]
    cap_iteration: Decimal
    cap_day: Decimal
    cap_total: Decimal


class Budget:
    """The purse of all seats. Safe to use from many threads. Raises ``Corrupt`` for a damaged file, ``OSError`` from the disk."""

    def __init__(
        self,
        files: Files,
        path: Path,
        caps: BudgetSection,
        prices: Mapping[str, PriceSection],
        now: Callable[[], datetime],
    ) -> None:
        self._caps = caps
        self._prices = prices
        self._now = now
        self._lock = Lock()
        self._lines: dict[int, Line] = {}
        self._days: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._briefs: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._total = Decimal(0)
        self._next = 1
        files.make_dir(path.parent)
        self._load(files, path)
        self._file: AppendFile = files.append_to(path)

    def worst_case(self, model: str, tokens_in: int, tokens_out: int) -> Decimal | None:
        """What so many tokens cost, rounded up; None for a model without a price."""
        price = self._prices.get(model)
        if price is None:
            return None
        return ((price.input * tokens_in + price.output * tokens_out) / MILLION).quantize(CENT_PARTS, ROUND_UP)

    def reserve(self, seat: str, model: str, brief: str, tokens: tuple[int, int]) -> Line | str:
        """Set aside what a call with at most ``tokens`` (in, out) can cost; or the sentence that says why it may not be made."""
        worst = self.worst_case(model, *tokens)
        if worst is None:
            return f"the price of {model} is not known"
        with self._lock:
            day = self._now().date().isoformat()
            for name, cap, spent in (
                ("this iteration", self._caps.iteration, self._briefs[brief]),
                ("today", self._caps.day, self._days[day]),
                ("all", self._caps.total, self._total),
            ):
                if spent + worst > cap:
                    return (
                        f"a call may cost {plain(worst)} USD, and of {plain(cap)} USD for {name} "
                        f"{plain(max(cap - spent, Decimal(0)))} is left"
                    )
            line = Line(call=self._next, seat=seat, model=model, brief=brief, day=day, reserved=worst)
            self._next += 1
            self._count(line)
            self._file.write(encode(line) + b"\n")
            self._file.sync()
            return line

    def settle(self, reservation: Line, tokens: tuple[int, int] | None) -> Decimal:
        """What a call cost: by the tokens that were used (in, out), or in full when they are not known (None)."""
        assert reservation.reserved is not None
        cost = self.worst_case(reservation.model, *tokens) if tokens is not None else reservation.reserved
        assert cost is not None
        with self._lock:
            line = Line(
                call=reservation.call,
                seat=reservation.seat,
                model=reservation.model,
                brief=reservation.brief,
                day=reservation.day,
                spent=cost,
                known=tokens is not None,
                tokens_in=tokens[0] if tokens else 0,
                tokens_out=tokens[1] if tokens else 0,
            )
            self._count(line)
            # Not synced: without this line the reservation counts in full, which errs on the right side.
            self._file.write(encode(line) + b"\n")
        return cost

    def spending(self) -> Spending:
        """The report of everything in the file."""
        with self._lock:
            lines = tuple(self._lines.values())
            today = self._days[self._now().date().isoformat()]
            days = dict(sorted(self._days.items()))
        known = [line for line in lines if line.known]
        return Spending(
            calls=len(lines),
            known=sum((_cost(line) for line in known), Decimal(0)),
            assumed=sum((_cost(line) for line in lines if not line.known), Decimal(0)),
            today=today,
            total=self._total,
            tokens_in=sum(line.tokens_in for line in known),
            tokens_out=sum(line.tokens_out for line in known),
            by_seat=_summed((line.seat, _cost(line)) for line in lines),
            by_model=_summed((line.model, _cost(line)) for line in lines),
            by_day={day: spent for day, spent in days.items() if spent},
            cap_iteration=self._caps.iteration,
            cap_day=self._caps.day,
            cap_total=self._caps.total,
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def _count(self, line: Line) -> None:
        before = self._lines.get(line.call)
        change = _cost(line) - (_cost(before) if before else Decimal(0))
        self._lines[line.call] = line
        self._days[line.day] += change
        self._briefs[line.brief] += change
        self._total += change

    def _load(self, files: Files, path: Path) -> None:
        if not path.exists():
            return
        data = b"".join(files.chunks(path))
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            files.truncate(path, whole)
        for number, text in enumerate(data[:whole].splitlines(), 1):
            try:
                line = decode(text, Line)
            except Invalid as error:
                raise Corrupt(f"{path}:{number}: not a line of the budget: {error}") from None
            if line.spent is not None and line.call not in self._lines:
                raise Corrupt(f"{path}:{number}: settles call {line.call}, which was never reserved")
            self._count(line)
            self._next = max(self._next, line.call + 1)


def _cost(line: Line) -> Decimal:
    return line.spent if line.spent is not None else line.reserved or Decimal(0)


def _summed(parts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, cost in parts:
        sums[name] += cost
    return dict(sorted(sums.items()))
