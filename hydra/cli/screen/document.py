"""The documents behind ``--json``: stable names, money as decimal strings, times in RFC 3339, ``None`` for unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from hydra.cli.screen import words
from hydra.cli.screen.figures import working_orders
from hydra.cli.screen.histogram import Histogram
from hydra.cli.screen.tally import Reason, Tally
from hydra.model.money import plain
from hydra.model.orders import Purpose
from hydra.model.portfolio import Halt

if TYPE_CHECKING:
    from hydra.engine.run import Ending


def summary_document(tally: Tally, ending: Ending, *, journal: str, practice: bool, mode_label: str) -> dict[str, Any]:
    """The summary of a run as JSON-ready data, without the envelope that every command adds."""
    figures = tally.by_bot()
    return {
        "run": tally.ledger.run,
        "mode": mode_label,
        "practice": practice,
        "ending": {"reason": ending.reason, "exit_code": ending.exit_code, "cycles": ending.cycles},
        "journal": journal,
        "period": {
            "from": _time(tally.began_at),
            "to": _time(tally.ended_at),
            "days": tally.days,
            "first_day": tally.first_day.isoformat() if tally.first_day else None,
            "last_day": tally.last_day.isoformat() if tally.last_day else None,
        },
        "cycles": tally.cycles,
        "cycles_sent": tally.cycles_sent,
        "equity": _equity(tally),
        "orders": _orders(tally),
        "fills": tally.fills,
        "trades": {
            "closed": tally.trades.count,
            "won": tally.trades.won,
            "lost": tally.trades.lost,
            "profit": plain(tally.trades.profit),
            "best": _money(tally.trades.best),
            "worst": _money(tally.trades.worst),
        },
        "bots": [
            {
                "bot": one.bot,
                "trades": one.trades,
                "won": one.won,
                "lost": one.lost,
                "realized": plain(one.realized),
                "fees": plain(one.fees),
                "open": _money(one.open),
                "net": _money(one.net),
            }
            for one in figures
        ],
        "skips": [
            {"code": code, "words": words.in_words(code), **_reason(reason), "subjects": dict(reason.subjects)}
            for code, reason in by_count(tally.skips)
        ],
        "gates": [
            {"gate": gate, "verdict": verdict.value, **_reason(reason)}
            for (gate, verdict), reason in by_count(tally.gates)
        ],
        "failures": [{"bot": bot, "kind": kind, **_reason(reason)} for (bot, kind), reason in by_count(tally.failures)],
        "halts": [halt_document(halt) for halt in tally.halts],
        "halts_latched": tally.halts_latched,
        "halts_now": [halt_document(halt) for halt in tally.ledger.halts],
        "resumes": tally.resumes,
        "releases": tally.releases,
        "cycle_micros": {
            **_times(tally.times),
            "stages": {stage: _times(histogram) for stage, histogram in tally.stages.items()},
        },
    }


def halt_document(halt: Halt) -> dict[str, Any]:
    """A halt as JSON-ready data."""
    document: dict[str, Any] = msgspec.to_builtins(halt)
    return document


def by_count(reasons: Mapping[Any, Reason]) -> list[tuple[Any, Reason]]:
    """The most frequent first; equals in the order in which they were first met."""
    return sorted(reasons.items(), key=lambda item: -item[1].count)


def _equity(tally: Tally) -> dict[str, Any]:
    start, end = tally.equity_start, tally.equity_end
    known = start is not None and end is not None
    moved = end - start if start is not None and end is not None else None
    share = plain(round(moved / start, 8)) if known and moved is not None and start else None
    return {
        "start": _money(start),
        "end": _money(end),
        "change": _money(moved),
        "change_fraction": share,
        "open_at_start": _money(tally.open_at_start),
        "charged_to_no_bot": _money(tally.beside()),
    }


def _orders(tally: Tally) -> dict[str, Any]:
    return {
        "sent": tally.orders,
        "by_purpose": {purpose.value: tally.sent[purpose] for purpose in Purpose if tally.sent[purpose]},
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "unknown": tally.unknown,
        "still_unknown": len(tally.ledger.unresolved),
        "held_back": tally.held_back,
        "cancels": tally.cancels,
        "working": working_orders(tally.ledger),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"count": reason.count, "cycles": reason.cycles, "last_reason": reason.last}


def _times(histogram: Histogram) -> dict[str, int | None]:
    largest = histogram.largest if histogram.count else None
    return {"median": histogram.quantile(0.5), "p99": histogram.quantile(0.99), "max": largest}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
