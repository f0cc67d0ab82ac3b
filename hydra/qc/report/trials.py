"""A section for every trial, from what it told. Every key may be missing; one that is not known here is shown all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hydra.qc.report import parts
from hydra.qc.report.html import Html, join, tag
from hydra.qc.report.plot import timing_plot

Told = Mapping[str, Any]
_BETWEEN = " / "


def trial_sections(trials: Mapping[str, Told]) -> list[Html]:
    """Every trial that told something, in the order of ``SECTIONS``; then those that are not known here."""
    known = [parts.section(title, tag("p", idea, class_="soft"), make(trials[name])) for name, (title, idea, make) in SECTIONS.items() if trials.get(name)]  # fmt: skip
    others = [
        parts.section(name.replace("_", " ").capitalize(), parts.anything(told))
        for name, told in trials.items()
        if name not in SECTIONS and told
    ]
    return [*known, *others]


def _rehearsal(told: Told) -> Html:
    crossed = crossed_of(told.get("crossed") or {})
    numbers = {
        "voyages": told.get("voyages"),
        "cycles": told.get("cycles"),
        "cycles a second and core": told.get("cycles_a_second"),
        "orders": told.get("orders"),
        "entries": told.get("entries"),
        "claims judged": sum((told.get("claims") or {}).values()) or None,
        "troubles that acted": sum(sum((told.get(name) or {}).values()) for name in TROUBLES) or None,
        "journals replayed": told.get("replayed"),
        "seconds": told.get("seconds"),
    }
    counted = [
        _titled("Claims, and how often each was judged", parts.counts, told.get("claims"), "claim"),
        *(_titled(title, parts.counts, told.get(name), what, how) for name, (title, what, how) in _COUNTED.items()),
    ]
    return join(
        [
            parts.figures(numbers),
            _listed("To be noted", told.get("warnings")),
            [_broken(one) for one in told.get("broken") or []],
            _titled("Market regimes and troubles: beats in which both were there", parts.grid, crossed, "trouble"),
            parts.side_by_side(counted),
            _bots_by_regime(told.get("bots") or {}),
            _never(told.get("never") or {}),
            _rest(told, (*_REHEARSED, *TROUBLES, *_COUNTED, *_PLAIN)),
        ]
    )


TROUBLES = ("faults", "troubles", "commands", "ended")
"""What stood in the way: the venue, the ports of ours, the operator, ends of the process."""
_COUNTED = {
    "faults": ("Faults of the venue", "fault", "times"),
    "troubles": ("Troubles of our own ports", "trouble", "times"),
    "commands": ("The operator's words", "word", "times"),
    "ended": ("How processes ended", "end", "times"),
    "regimes": ("Regimes", "regime", "beats"),
    "exits": ("Exits", "exit", "orders"),
    "option_exits": ("Exits of contracts", "exit", "orders"),
    "capped": ("Rules that made a wish smaller", "rule", "times"),
    "gates": ("Gates that refused", "gate", "times"),
    "halts": ("Halts", "halt", "times"),
}
_REHEARSED = ("broken", "crossed", "claims", "never", "warnings", "notes", "bots")
_PLAIN = ("voyages", "storms", "cycles", "cycles_a_second", "orders", "entries", "seconds", "replayed")


def _bots_by_regime(bots: Told) -> Html | None:
    """Entries by bot and regime: what never entered was not rehearsed."""
    entries = {
        bot: {regime: int(purposes.get("entry", 0)) for regime, purposes in regimes.items()}
        for bot, regimes in bots.items()
        if isinstance(regimes, Mapping)
    }
    regimes = sorted({regime for row in entries.values() for regime in row})
    crossed = {bot: {regime: row.get(regime, 0) for regime in regimes} for bot, row in entries.items()}
    return _titled("Entries by bot and regime", parts.grid, crossed, "bot")


def crossed_of(crossed: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Counts by fault and regime, from rows of either shape: ``"regime / fault": n`` or ``regime: {fault: n}``."""
    pairs: list[tuple[str, str, int]] = []
    for name, told in crossed.items():
        if isinstance(told, Mapping):
            pairs += [(name, fault, int(many)) for fault, many in told.items()]
        else:
            regime, _, fault = name.partition(_BETWEEN)
            pairs.append((regime, fault or "none", int(told)))
    regimes = sorted({regime for regime, _, _ in pairs})
    found: dict[str, dict[str, int]] = {}
    for fault in sorted({fault for _, fault, _ in pairs}):
        found[fault] = dict.fromkeys(regimes, 0)
    for regime, fault, many in pairs:
        found[fault][regime] += many
    return found


def _broken(one: Told) -> Html:
    problems = list(one.get("problems") or ["not told"])
    told = one.get("told") or []
    name = one.get("name") or f"voyage {one.get('voyage', '?')}"
    return join(
        [
            tag("h3", f"Broken: {name}", class_="bad"),
            parts.bullets(problems),
            tag("p", f"The shortest schedule found that breaks it, {one.get('beats', len(told))} beats:")
            if told
            else None,
            parts.listing(told) if told else None,
            _again([one["again"]]) if one.get("again") else None,
        ]
    )


def _never(never: Mapping[str, Iterable[str]]) -> Html | None:
    if not never:
        return None
    rows = {group.replace("_", " "): ", ".join(names) for group, names in never.items()}
    return join([tag("h3", "Configured, and never acted"), parts.facts(rows)])


def _outages(told: Told) -> Html:
    numbers = {
        "kills (SIGKILL)": told.get("kills"),
        "power losses": told.get("losses"),
        "of these on the sending of an order": told.get("on_orders"),
        "comparisons": sum((told.get("comparisons") or {}).values()) or None,
        "seconds": told.get("seconds"),
    }
    return join(
        [
            parts.figures(numbers),
            [_broken(one) for one in told.get("broken") or []],
            _problems(told),
            parts.side_by_side(
                [
                    _titled("Where it was struck", parts.counts, told.get("places"), "place"),
                    _titled("What was there to compare", parts.counts, told.get("found"), "what", "how many"),
                    _titled("Compared", parts.counts, told.get("comparisons"), "when"),
                    _titled("Excused, because nothing could have been done", parts.counts, told.get("excuses"), "what"),
                ]
            ),
            _listed("Held after every one of them", told.get("held")),
            _rest(told, ("kills", "losses", "on_orders", "broken", "problems", "places", "comparisons", "found", "excuses", "held", "seconds")),
        ]
    )  # fmt: skip


def _replays(told: Told) -> Html:
    numbers = {name: told.get(name) for name in ("journals", "events", "cycles", "answers", "seconds")}
    shown = ("differences", *numbers)
    return join([parts.figures(numbers), _listed("Differences", told.get("differences")), _rest(told, shown)])


def _bots(told: Told) -> Html:
    numbers = {"hostile bots": told.get("bots"), "cycles": told.get("cycles"), "seconds": told.get("seconds")}
    return join(
        [
            parts.figures(numbers),
            _problems(told),
            _titled("What became of their attempts", parts.counts, told.get("attempts"), "outcome"),
            _listed("Kept from them", told.get("held")),
            _listed("Open on this machine", told.get("open")),
            _rest(told, ("bots", "cycles", "seconds", "problems", "attempts", "held", "open")),
        ]
    )


def _timing(told: Told) -> Html:
    micros = {str(name): float(value) for name, value in (told.get("micros") or {}).items() if value is not None}
    interval_ms = told.get("interval_ms")
    interval = None if interval_ms is None else float(interval_ms) * 1000
    stages = told.get("stages") or {}
    names = list(dict.fromkeys(name for row in stages.values() for name in row))
    rows = ([stage, *(parts.number(row.get(name, "")) for name in names)] for stage, row in stages.items())
    heads = ("stage", *(f"{name}, µs" for name in names))
    return join(
        [
            parts.figures({"cycles": told.get("cycles"), "interval, ms": interval_ms, **{f"{name}, µs": value for name, value in micros.items()}}),
            timing_plot(micros, interval, told.get("histogram") or ()),
            parts.table(heads, rows, numbers=range(1, len(heads)), class_="plain") if stages else None,
            _rest(told, ("cycles", "interval_ms", "micros", "stages", "histogram")),
        ]
    )  # fmt: skip


def _backup(told: Told) -> Html:
    numbers = {name: told.get(name) for name in ("files", "bytes", "events", "seconds")}
    return join(
        [
            parts.figures(numbers),
            _problems(told),
            _titled("Compared after the restore", parts.counts, told.get("compared"), "what", "how many"),
            _rest(told, ("problems", "compared", *numbers)),
        ]
    )


def _titled(title: str, make: Callable[..., Html], told: Any, *more: str) -> Html | None:
    return join([tag("h3", title), make(told, *more)]) if told else None


def _listed(title: str, told: Iterable[Any] | None) -> Html | None:
    lines = list(told or [])
    return join([tag("h3", title), parts.bullets(lines)]) if lines else None


def _problems(told: Told) -> Html | None:
    problems = list(told.get("problems") or [])
    return join([tag("h3", "Broken", class_="bad"), parts.bullets(problems)]) if problems else None


def _again(commands: Iterable[str]) -> Html:
    return join([tag("p", "Again:"), parts.listing(commands)])


def _rest(told: Told, shown: Iterable[str]) -> Html | None:
    known = set(shown)
    return parts.anything({name: value for name, value in told.items() if name not in known})


SECTIONS: Mapping[str, tuple[str, str, Callable[[Told], Html]]] = {
    "rehearsal": (
        "Rehearsal",
        "This policy in the simulated exchange, through invented bad days, while the venue and the machine misbehave. What must hold was "
        "looked at from outside, in every cycle and at every order.",
        _rehearsal,
    ),
    "kill_and_recover": (
        "Kill and recover",
        "The engine was killed, or lost its power with everything it had not synced, at chosen and at random moments. After each, journal, "
        "store and the exchange's books were compared, and again after the next process had recovered.",
        _outages,
    ),
    "replay_identity": (
        "Replay identity",
        "The rehearsal's journals were decided again from their bytes; every decision must come out as it was written.",
        _replays,
    ),
    "bot_stress": (
        "Bot stress",
        "Hostile bots beside a good one: they hang, crash, flood, lie and reach for what is not theirs. The good one must do exactly what "
        "it does alone.",
        _bots,
    ),
    "timing": (
        "Timing",
        "How long a cycle takes on this machine and this disk, held against the interval of the loop.",
        _timing,
    ),
    "backup_and_restore": (
        "Backup and restore",
        "The state was backed up, lost, restored and compared.",
        _backup,
    ),
}
"""By the trial's name: title, idea, and what makes the section."""
