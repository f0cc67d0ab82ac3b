"""The page of a full check or of a storm, from its document: the verdict first, what it does not prove last.

The document: ``title``, ``ok``, ``verdict``, ``message``, ``practice``, ``asked`` (names and words), and as far as there are any ``checks``
(with ``question`` and ``remedy``), ``figures``, ``cycles`` (rows), ``trials`` (by name), ``again`` (commands) and ``limits`` (sentences).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.qc.report import parts
from hydra.qc.report.html import Html, join, tag
from hydra.qc.report.style import STYLE
from hydra.qc.report.trials import trial_sections

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PRACTICE = "PRACTICE: simulated data around the clock. Results mean nothing."
NOT_PROVEN = (
    "The venue is simulated. It misbehaves in every way that is listed here, and in no way that nobody thought of.",
    "The bad days are invented. The next real one will be another.",
    "Nothing is said about whether the bots earn money.",
    "A power loss is played by files that forget what was not synced. A disk that lies about syncing is not.",
    "Times hold for this machine, at this hour, with what else ran on it.",
    "The hostile bots try what they know. One that knows more may get further.",
    "It holds for this policy, this code and this host. Change one of them, and it has to be asked again.",
)


def page(document: Mapping[str, Any]) -> str:
    """One self-contained file. Raises nothing for a document whose keys are missing."""
    title = str(document.get("title") or "Hydra")
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"{'' if document.get('ok') else 'NO: '}{title}"),
        tag("style", Html(STYLE)),
    ]
    body = tag("main", _verdict(document, title), list(_parts(document)), _foot(document))
    lines = ["<!doctype html>", '<html lang="en">', tag("head", head), tag("body", body), "</html>"]
    return "\n".join(lines) + "\n"


def _parts(document: Mapping[str, Any]) -> list[Html]:
    asked, checks = document.get("asked") or {}, document.get("checks") or []
    trials, again = document.get("trials") or {}, document.get("again") or []
    made = [parts.section("What was asked", parts.facts({name: _asked(value) for name, value in asked.items()}))]
    if checks:
        made.append(parts.section("Checks", _checks(checks)))
    if document.get("cycles"):
        made.append(parts.section("Cycles and throughput", _cycles(document["cycles"])))
    made += trial_sections(trials)
    if again:
        made.append(parts.section("How to repeat it", parts.listing(again)))
    made.append(parts.section("What this does not prove", parts.bullets(document.get("limits") or NOT_PROVEN)))
    return made


def _verdict(document: Mapping[str, Any], title: str) -> Html:
    ok = bool(document.get("ok"))
    banner = tag("div", PRACTICE, class_="practice") if document.get("practice") else None
    told = tag(
        "div",
        tag("h1", str(document.get("verdict") or ("Passed" if ok else "Not passed"))),
        tag("p", document.get("message")) if document.get("message") else None,
        tag("p", title, class_="soft small"),
        class_=f"verdict {'pass' if ok else 'fail'}",
    )
    named = document.get("figures")
    return join([banner, told, parts.figures(named) if named else None])


def _asked(value: Any) -> Html | str:
    text = "not known" if value is None else parts.number(value)
    is_hash = len(text) >= 16 and all(mark in "0123456789abcdef" for mark in text)
    return tag("code", text) if is_hash else text


def _checks(checks: list[Mapping[str, Any]]) -> Html:
    """Every check; one that did not pass comes first, with what to do about it."""
    order = {"fail": 0, "warn": 1}
    body = [
        _check(one) for one in sorted(checks, key=lambda one: order.get(str(one.get("status")), 2))[: parts.ROWS_MOST]
    ]
    left_out = len(checks) - len(body)
    more = tag("tr", tag("td", f"and {left_out:,} more", colspan=4)) if left_out > 0 else None
    heads = tag("tr", [tag("th", name) for name in ("", "check", "found")], tag("th", "seconds", class_="n"))
    return tag("div", tag("table", tag("thead", heads), tag("tbody", body, more), class_="checks"), class_="wide")


def _check(one: Mapping[str, Any]) -> Html:
    status, remedy = str(one.get("status", "")), one.get("remedy")
    style = f"s {status}" if status in ("pass", "fail", "warn", "skip") else "s"
    question = one.get("question")
    return tag(
        "tr",
        tag("td", tag("span", status.upper(), class_=style)),
        tag(
            "td",
            tag("b", str(one.get("name", ""))),
            tag("div", question, class_="soft small") if question else None,
        ),
        tag(
            "td",
            str(one.get("reason", "")),
            tag("div", f"→ {remedy}", class_="remedy") if remedy else None,
            class_="found",
        ),
        tag("td", f"{float(one.get('ms') or 0) / 1000:,.2f}", class_="n took"),
    )


def _cycles(rows: list[Mapping[str, Any]]) -> Html:
    heads = tuple(dict.fromkeys(name for row in rows for name in row))
    cells = ([parts.number(row.get(name, "")) for name in heads] for row in rows)
    return parts.table(heads, cells, numbers=range(1, len(heads)), class_="plain")


def _foot(document: Mapping[str, Any]) -> Html:
    asked = document.get("asked") or {}
    made = asked.get("ended") or asked.get("began") or ""
    return tag(
        "footer",
        f"Made by Hydra {asked.get('version', '')} {made}. One file, no scripts, nothing loaded from anywhere.",
    )
