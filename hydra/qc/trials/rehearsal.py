"""The rehearsal: the user's own policy through bad days, in voyages that follow from (seed, number), on every core.

It ends at its number of voyages, when its time is over (which is said), or at the first claim that is broken: that voyage is made
small and told, with the one command that repeats it. What never happened is said too: a bot that never entered was not rehearsed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from hydra.qc.check import Finding
from hydra.qc.crew import Crew, Job, Lost
from hydra.qc.rehearsal.limits import CHECKS
from hydra.qc.rehearsal.plan import PAIRS, planned
from hydra.qc.rehearsal.play import TRY_SECONDS, Again, Played, again, play
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.trial import Trial
from hydra.qc.trials.tools import few

NAME = "rehearsal"
STORMS = 60
"""Voyages by default: every kind of trouble in every regime, twice."""
SECONDS = 80.0
"""What so many voyages may take; more may take longer in proportion."""
_VOYAGE_SECONDS = 120.0
"""After so long a voyage hangs."""
_TRY = "play more of them (--storms), or look at each bot's signal and hours, and at the rule that capped it"
_KEPT = 12
"""How many journals are kept for whoever decides them again."""


def ask(trial: Trial, seconds: float | None = None) -> Finding:
    """Play ``trial.storms`` voyages, at most so many seconds. Raises ``BadConfig`` when no world can be made of the policy."""
    notes = trial.world(trial.policy, trial.seed, 1).notes
    began = monotonic()
    total, answers = Tally(), dict[int, Played | Lost]()
    voyages = max(1, trial.storms)
    limit = SECONDS * max(1.0, voyages / STORMS) if seconds is None else seconds
    for number, answer in _played(trial, voyages, began + limit):
        answers[number] = answer
        if isinstance(answer, Played):
            total.add(Tally.of(answer.tally))
        trial.progress(NAME, len(answers), voyages)
    told = trial.told[NAME] = _told(trial, total, sorted(answers), monotonic() - began)
    told["notes"] = list(notes)
    told["warnings"] = [*notes, *_warnings(trial, told)]
    broken = [(number, answer) for number, answer in sorted(answers.items()) if _is_broken(answer)]
    if broken:
        return _broken(trial, *broken[0])
    nothing = _nothing_shown(told)
    if nothing:
        shown = f"{nothing}: nothing was shown; {_TRY}"
        return Finding(good=False, reason="; ".join([shown, _said(told), *told["warnings"]]))
    return Finding(good=True, reason="; ".join([_said(told), *told["warnings"]]))


def command(trial: Trial, voyage: int) -> str:
    """What repeats a voyage."""
    return f"hydra qc --full --config {shlex.quote(str(trial.config))} --seed {trial.seed} --voyage {voyage}"


# -- playing


def _played(trial: Trial, voyages: int, until: float) -> Iterator[tuple[int, Played | Lost]]:
    """Every voyage as it ends; none is begun after the first that broke something, or when time is over."""
    stopped = False

    def jobs() -> Iterator[Job]:
        for number in range(1, voyages + 1):
            if stopped or (number > 1 and monotonic() > until):
                return
            yield Job(play, (trial.world, trial.policy, trial.seed, number, _kept(trial, number)))

    done = [0]
    with Crew(trial.cores, deadline_seconds=_VOYAGE_SECONDS) as crew:
        for job, answer in crew.play(jobs(), lambda: trial.progress(NAME, done[0], voyages)):
            done[0] += 1
            stopped = stopped or _is_broken(answer)
            yield job.arguments[3], answer


def _kept(trial: Trial, number: int) -> str:
    if number > _KEPT:
        return ""
    folder = trial.folder / NAME
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / f"{number}.journal")


def _is_broken(answer: Played | Lost) -> bool:
    return isinstance(answer, Lost) or bool(answer.problems)


def _broken(trial: Trial, voyage: int, answer: Played | Lost) -> Finding:
    if isinstance(answer, Lost):
        trial.told[NAME]["broken"] = [{"voyage": voyage, "problems": [answer.reason], "again": command(trial, voyage)}]
        return Finding(good=False, reason=f"voyage {voyage} has no answer: {answer.reason}; {_repeat(trial, voyage)}")
    finding = _again(trial, voyage)
    if finding.good:
        reason = f"voyage {voyage} broke a claim, and did not when it was repeated: {'; '.join(answer.problems)}"
        return Finding(good=False, reason=f"{reason}; {_repeat(trial, voyage)}")
    return finding


def _again(trial: Trial, voyage: int) -> Finding:
    """A voyage alone, in a process of its own."""
    job = Job(again, (trial.world, trial.policy, trial.seed, voyage))
    with Crew(1, deadline_seconds=_VOYAGE_SECONDS + TRY_SECONDS) as crew:
        answers = [answer for _, answer in crew.play([job], lambda: trial.progress(f"{NAME} {voyage}", 0, 1))]
    answer: Again | Lost = answers[0]
    if isinstance(answer, Lost):
        return Finding(good=False, reason=f"voyage {voyage} has no answer: {answer.reason}")
    if not answer.problems:
        return Finding(good=True, reason=f"voyage {voyage} of seed {trial.seed}: every claim held")
    trial.told[NAME]["broken"] = [
        {
            "voyage": voyage,
            "problems": answer.problems,
            "beats": answer.beats,
            "told": answer.told,
            "tries": answer.tries,
            "again": command(trial, voyage),
        }
    ]
    reason = f"{answer.problems[0]} (voyage {voyage}, shown by {answer.beats} beats); {_repeat(trial, voyage)}"
    return Finding(good=False, reason=reason)


def _repeat(trial: Trial, voyage: int) -> str:
    return f"again: {command(trial, voyage)}"


# -- telling


def _told(trial: Trial, total: Tally, numbers: list[int], seconds: float) -> dict[str, Any]:
    """What a report may show, JSON-ready."""
    counts, document = total.counts, total.document()
    crossed: dict[str, dict[str, int]] = {}
    for pair, many in total.crossed.items():
        regime, _, kind = pair.partition(" / ")
        crossed.setdefault(regime, {})[kind] = many
    held = list(planned(trial.seed, numbers))
    missed = [f"{regime} / {kind}" for regime, kind in held if not crossed.get(regime, {}).get(kind)]
    return {
        "voyages": len(numbers),
        "storms": max(1, trial.storms),
        "cycles": counts["cycles"],
        "seconds": round(seconds, 1),
        "cycles_a_second": round(counts["cycles"] / max(seconds, 0.001) / max(1, trial.cores)),
        "orders": counts["orders"],
        "entries": counts["orders entry"],
        "replayed": counts["voyages replayed"],
        "pairs": {"all": len(PAIRS), "planned": len(held), "met": len(held) - len(missed), "missed": missed},
        "crossed": crossed,
        "bots": _by_bot(total),
        "broken": [],
        **{name: document[name] for name in ("faults", "troubles", "commands", "ended", "regimes", "claims")},
        **{name: document[name] for name in ("exits", "option_exits", "halts", "gates", "capped")},
    }


def _by_bot(total: Tally) -> dict[str, dict[str, dict[str, int]]]:
    """Orders by bot, regime and purpose."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for place, many in sorted(total.trades.items()):
        bot, regime, purpose = place.split(" / ")
        found.setdefault(bot, {}).setdefault(regime, {})[purpose] = many
    return found


def _nothing_shown(told: Mapping[str, Any]) -> str:
    """Why voyages in which no claim was broken prove nothing; empty when they prove something."""
    if not told["cycles"]:
        return f"no cycle came about in {told['voyages']} voyages"
    if not told["entries"]:
        return f"no bot entered in {told['voyages']} voyages"
    return ""


def _warnings(trial: Trial, told: Mapping[str, Any]) -> Iterator[str]:
    voyages, wanted = told["voyages"], told["storms"]
    if voyages < wanted and not told["broken"]:
        yield f"a warning: ended by time after {voyages} of {wanted} voyages"
    for bot in trial.policy.enabled_bots:
        regimes = told["bots"].get(bot.id, {})
        if not any(purposes.get("entry") for purposes in regimes.values()):
            yield f"a warning: {bot.id} never entered in {voyages} voyages, so its trading was not rehearsed"
    unknown = [rule for rule in trial.policy.risk.rules if rule not in CHECKS]
    if unknown:
        yield f"a warning: nobody here can work out the limit of {few(unknown, ', ')}, so it was not judged"
    idle = [claim for claim, many in told["claims"].items() if not many]
    if idle:
        yield f"a warning: never put to the test: {few(idle, ', ')}"


def _said(told: Mapping[str, Any]) -> str:
    pairs, claims = told["pairs"], told["claims"]
    troubles = sum(sum(told[name].values()) for name in ("faults", "troubles", "commands", "ended"))
    judged = [many for many in claims.values() if many]
    held = f"; {len(judged)} claims held {sum(judged)} times" if judged else ""
    return (
        f"{told['voyages']} voyages, {told['cycles']} cycles ({told['cycles_a_second']} a second and core), "
        f"{told['orders']} orders, {troubles} troubles, {pairs['met']} of {pairs['all']} pairs of regime and trouble{held}"
    )
