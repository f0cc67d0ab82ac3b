"""The page of a study: what it came to first, what it was made from and what it leaves out last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.qc.report import parts
from hydra.qc.report.html import Html, join, tag
from hydra.study.figures import Unit
from hydra.study.record import Recorder
from hydra.study.report import pictures, tables, told
from hydra.study.report.style import STYLE
from hydra.study.study import Study

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PRACTICE = "PRACTICE: simulated data around the clock. Results mean nothing."
NOTHING = "No look ever knew the account's equity: there is nothing to say."
LEFT_OUT = (
    "What was earned on past prices says little of what will be. The same policy was perhaps tried before, and this is the try that was kept.",
    "The rate without risk is zero: cash earns nothing here, and borrowing costs nothing beyond what the venue charged.",
    "Taxes are not counted.",
    "Between two looks nothing is seen: the deepest point of a drawdown may lie there.",
)
SIMULATED = (
    "Fills are the simulated exchange's: they move no price, and everybody else trades as if the orders had not been there.",
    "Only symbols that the data has could be traded: what had vanished before the data was made is not in it.",
)
_ASSUMED = {
    "starting_cash": "dollars in the account on the first day",
    "commission_per_share": "dollars a share, each way",
    "crypto_fee": "of a pair's fill, each way",
    "slippage": "of the price, against a market order",
    "half_spread": "of the price to either side, where there is no quote",
    "account": "kind of account",
}


def page(study: Study, *, title: str = "What it earned", facts: Mapping[str, Any] | None = None) -> str:
    """One self-contained file. ``facts`` are further names and what they are (data sets with their hashes, the journal)."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", title),
        tag("style", Html(STYLE)),
    ]
    body = tag(
        "main",
        _top(study, title),
        _middle(study),
        _made(study.record, facts or {}),
        _assumed(study.record),
        _foot(study.record),
    )
    lines = ["<!doctype html>", '<html lang="en">', tag("head", head), tag("body", body), "</html>"]
    return "\n".join(lines) + "\n"


def _top(study: Study, title: str) -> Html:
    practice = any(opened.practice for opened in study.record.opened)
    banner = tag("div", PRACTICE, class_="practice") if practice else None
    if study.track is None or study.began_at is None or study.ended_at is None:
        return join([banner, tag("h1", title), tag("p", NOTHING)])
    period = (
        f"{study.began_at:%Y-%m-%d %H:%M}Z to {study.ended_at:%Y-%m-%d %H:%M}Z: {study.track.days.told}, "
        f"{study.record.looks:,} looks"
        + (f", {study.record.passed_over:,} passed over" if study.record.passed_over else "")
    )
    moved = (
        f"{told.told(study.figures['equity_start'], Unit.DOLLARS)} became "
        f"{told.told(study.figures['equity_end'], Unit.DOLLARS)}"
    )
    return join(
        [
            banner,
            tag("h1", title),
            tag("p", moved, class_="big"),
            tag("p", period, class_="soft"),
            tables.headline(study),
        ]
    )


def _middle(study: Study) -> list[Html]:
    track, record = study.track, study.record
    made: list[Html] = []
    if track is not None:
        made.append(parts.section("Equity", pictures.equity(track), tag("h3", "Drawdown"), pictures.drawdown(track)))
        made.append(parts.section("Month by month", tables.months(study)))
        made.append(parts.section("Where it came from", tables.balance(study)))
        made.append(parts.section("By bot", pictures.bots(study, track), tables.bots(study)))
    drawn = pictures.prices(study)
    if drawn:
        legend = [tag("span", tag("i", class_=f"key {style}"), name) for style, name in pictures.LEGEND]
        hint = tag(
            "p",
            "Light candles rose, solid ones fell. Point at a candle or a mark to read it. Contracts stand on the price of what they are on.",
            class_="soft small",
        )
        made.append(parts.section("Trades on their prices", tag("p", legend, class_="legend"), drawn, hint))
    if study.trips:
        made.append(parts.section("Trades", tables.best_and_worst(study)))
    made += [
        parts.section(title, table(record))
        for title, known, table in (
            ("Why nothing was done", record.skips, tables.skips),
            ("Ceilings that bit", record.ceilings, tables.ceilings),
            (
                "Orders not taken, bots without an answer",
                (*record.refused.most_frequent(), *record.failures.most_frequent()),
                tables.refused,
            ),
            ("Halts", record.halts, tables.halts),
        )
        if len(known)
    ]
    if track is not None:
        made.append(parts.section("Every figure", tables.every(study)))
    return made


def _made(record: Recorder, facts: Mapping[str, Any]) -> Html:
    """What it was made from: data, policy and code by their hashes."""
    named: dict[str, Any] = {name: _fact(value) for name, value in facts.items()}
    for number, opened in enumerate(record.opened, start=1):
        suffix = f" ({number})" if len(record.opened) > 1 else ""
        named[f"policy{suffix}"] = tag("code", opened.policy_hash)
        named[f"code{suffix}"] = [tag("code", opened.code_hash), f", version {opened.version}"]
        named[f"market{suffix}"] = opened.market
        named[f"seed{suffix}"] = str(opened.seed)
    runs = [f"{run} ({command})" for run, command in record.runs.items()]
    if runs:
        named["runs"] = ", ".join(runs[:20]) + (f" and {len(runs) - 20:,} more" if len(runs) > 20 else "")
    if record.ended is not None:
        named["ended"] = f"{record.ended.reason} (exit {record.ended.exit_code})"
    return parts.section("What it was made from", parts.facts(named))


def _fact(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [tag("div", str(each)) for each in value]
    return "not known" if value is None else str(value)


def _assumed(record: Recorder) -> Html:
    """What the venue was told to charge, and what is left out."""
    broker: Mapping[str, Any] = record.opened[-1].policy.get("broker", {}) if record.opened else {}
    simulated = broker.get("name") == "sim"
    charged = (
        {name: f"{broker[name]} ({words})" for name, words in _ASSUMED.items() if name in broker} if simulated else {}
    )
    lines = (*LEFT_OUT, *(SIMULATED if simulated else ()))
    return parts.section("Assumptions", parts.facts(charged) if charged else None, parts.bullets(lines))


def _foot(record: Recorder) -> Html:
    version = record.opened[-1].version if record.opened else ""
    return tag("footer", f"Made by Hydra {version}. One file, no scripts, nothing loaded from anywhere.")
