"""A study as JSON-ready data: stable names, money as decimal strings, times in RFC 3339, spans in seconds, ``None`` for unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from hydra.model.money import plain
from hydra.study.figures import Amount
from hydra.study.record import Recorder
from hydra.study.study import Study


def document(study: Study) -> dict[str, Any]:
    """The whole study, without the envelope that every command adds. Trades are in a file of their own."""
    record, track = study.record, study.track
    return {
        "period": {
            "from": _told(study.began_at),
            "to": _told(study.ended_at),
            "days": 0 if track is None else len(track.days.dates),
            "first_day": track.days.dates[0].isoformat() if track is not None and track.days.dates else None,
            "last_day": track.days.dates[-1].isoformat() if track is not None and track.days.dates else None,
            "basis": None if track is None else track.days.basis,
            "looks": record.looks,
            "passed_over": record.passed_over,
        },
        "figures": figures(study.figures),
        "bots": [{"bot": one.bot, **figures(one.figures)} for one in study.bots],
        "balance": [{"what": line.what, "dollars": plain(line.dollars)} for line in study.balance],
        "months": [{"month": f"{year}-{month:02}", "return": grown} for (year, month), grown in study.months.items()],
        "orders": {purpose: counted.count for (purpose,), counted in record.sent.most_frequent()},
        "fills": len(record.fills),
        "trades_of_legs": len(study.legs),
        **reasons(record),
        "made_by": programs(record),
    }


def figures(named: Mapping[str, Amount]) -> dict[str, Any]:
    """Figures by name."""
    return {name: _told(amount) for name, amount in named.items()}


def reasons(record: Recorder) -> dict[str, Any]:
    """Why nothing was done, what bit, who was refused, what halted."""
    return {
        "skips": [
            {"code": code, **_subject(subject), "count": one.count, "last_reason": one.last}
            for (code, subject), one in record.skips.most_frequent()
        ],
        "ceilings": [
            {"rule": rule, "bot": bot, "count": one.count, "last_reason": one.last}
            for (rule, bot), one in record.ceilings.most_frequent()
        ],
        "gates": [
            {"gate": gate, "verdict": verdict.value, "count": one.count, "last_reason": one.last}
            for (gate, verdict), one in record.gates.most_frequent()
        ],
        "refused": [
            {"what": what, "bot": bot, "symbol": symbol, "count": one.count, "last_reason": one.last}
            for (what, bot, symbol), one in record.refused.most_frequent()
        ],
        "failures": [
            {"bot": bot, "kind": kind, "count": one.count, "last_reason": one.last}
            for (bot, kind), one in record.failures.most_frequent()
        ],
        "halts": [msgspec.to_builtins(halt) for halt in record.halts],
        "resumes": record.resumes,
    }


def programs(record: Recorder) -> list[dict[str, Any]]:
    """Which program ran under which policy on which market, in the order in which they were met."""
    return [
        {
            "version": opened.version,
            "code_hash": opened.code_hash,
            "policy_hash": opened.policy_hash,
            "seed": opened.seed,
            "market": opened.market,
            "practice": opened.practice,
        }
        for opened in record.opened
    ]


def _subject(subject: str) -> dict[str, str]:
    bot, _, symbol = subject.partition("|")
    return {"bot": bot, "symbol": symbol}


def _told(amount: Amount) -> Any:
    if isinstance(amount, Decimal):
        return plain(amount)
    if isinstance(amount, datetime):
        return amount.isoformat().replace("+00:00", "Z")
    return amount.total_seconds() if isinstance(amount, timedelta) else amount
