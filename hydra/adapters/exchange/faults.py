"""Faults on demand: rules that say what fails, where and when, and the plan that counts.

Both doors ask one ``FaultPlan`` at every request, message and execution; it says which fault is due, if any. Rules are asked
in their order and each counts for itself what it is about; the first that is due acts. Chance comes from a seed, one stream
for each rule, so the same requests in the same order meet the same faults. Counters begin at nothing with every start.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase

from hydra.adapters.exchange.fault_table import (
    ANY,
    BY_EXECUTION,
    MEANINGS,
    OTHER_NAMES,
    WITH_SYMBOLS,
    FaultKind,
    Operation,
)
from hydra.model.errors import Invalid
from hydra.model.values import Value, aware_utc, finite

RULES_MAX = 1000
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "*")


class Rule(Value, frozen=True, kw_only=True):
    """One rule: ``fault`` happens at ``on``, when.

    ``on`` names operations, ``*``, or requests such as ``POST /v2/orders*``; empty stands for the fault's own operations.
    Of what it is about, ``symbol`` and the venue's time from ``after`` to before ``until`` included, it is due at the
    ``nth`` (from 1), at ``every`` so-manieth, or with ``probability`` (a fraction); with none of these at each. ``times``
    ends it after so many. ``seconds``, ``ms`` and ``fraction`` belong to some faults.
    """

    fault: FaultKind
    on: tuple[str, ...] = ()
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    after: datetime | None = None
    until: datetime | None = None
    symbol: str = ""
    probability: Decimal | None = None
    seconds: Decimal | None = None
    ms: Decimal | None = None
    fraction: Decimal | None = None

    def __post_init__(self) -> None:
        _check_places(self)
        _check_occurrences(self)
        _check_numbers(self)

    @property
    def meaning(self) -> str:
        """The fault and where it happens, in few words."""
        return f"{self.fault} on {', '.join(self.on) or ', '.join(sorted(MEANINGS[self.fault].own))}"

    def number(self, name: str) -> Decimal:
        """A parameter of its fault, as given or by default."""
        given = getattr(self, name)
        default = MEANINGS[self.fault].numbers[name].default
        number = default if given is None else given
        assert number is not None, name
        return Decimal(number)


class Asked(Value, frozen=True, kw_only=True):
    """Something a rule may be about: a request, a message or an execution, at a time of the venue.

    ``request`` is the method and the path at HTTP, empty in-process; ``operation`` is ``None`` for a request that has no
    word of its own. ``symbols`` are those it is about; empty when it is about none or about all.
    """

    operation: Operation | None
    at: datetime
    symbols: tuple[str, ...] = ()
    request: str = ""


class Tally(Value, frozen=True, kw_only=True):
    """How often a rule's subject came by, and how often it acted."""

    seen: int = 0
    acted: int = 0


class _Standing:
    """A rule and its counters. Fills are counted on the stream and in the list each for itself."""

    def __init__(self, rule: Rule, seed: str) -> None:
        self.rule = rule
        self._chance = None if rule.probability is None else random.Random(seed)
        self._seen: dict[Operation | None, int] = {}
        self._acted: dict[Operation | None, int] = {}
        self._places, self._requests = _places(rule)

    def is_about(self, asked: Asked) -> bool:
        rule = self.rule
        if asked.operation not in self._places and not any(
            asked.request and fnmatchcase(asked.request, pattern) for pattern in self._requests
        ):
            return False
        if rule.symbol and rule.symbol not in asked.symbols:
            return False
        if rule.after is not None and asked.at < rule.after:
            return False
        return rule.until is None or asked.at < rule.until

    def count(self, asked: Asked) -> bool:
        """Count one occurrence; whether the rule is due at it."""
        key = asked.operation if self.rule.fault in BY_EXECUTION else None
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        acted = self._acted.get(key, 0)
        if self.rule.fault is FaultKind.MUTE_STREAM and acted:
            return True
        if self.rule.times is not None and acted >= self.rule.times:
            return False
        return self._falls_on(seen)

    def act(self, asked: Asked) -> None:
        key = asked.operation if self.rule.fault in BY_EXECUTION else None
        self._acted[key] = self._acted.get(key, 0) + 1

    def tally(self) -> Tally:
        return Tally(seen=sum(self._seen.values()), acted=sum(self._acted.values()))

    def _falls_on(self, seen: int) -> bool:
        rule = self.rule
        if rule.nth is not None:
            return seen == rule.nth
        if rule.every is not None:
            return seen % rule.every == 0
        return rule.probability is None or self._chance is None or self._chance.random() < rule.probability


class FaultPlan:
    """Rules with their counters. Threads may share it; rules may be changed while it is asked."""

    def __init__(self, rules: Sequence[Rule] = (), seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._standings: list[_Standing] = []
        self._met: dict[tuple[Operation, str], Rule | None] = {}
        self.replace(rules, seed)

    @property
    def seed(self) -> int:
        """What its chance comes from."""
        return self._seed

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        with self._lock:
            return tuple(standing.rule for standing in self._standings)

    @property
    def idle(self) -> bool:
        """Whether there is no rule at all: then nothing can be due, and nothing is counted."""
        return not self._standings

    def tallies(self) -> tuple[tuple[Rule, Tally], ...]:
        """Every rule with its counters."""
        if self.idle:
            return ()
        with self._lock:
            return tuple((standing.rule, standing.tally()) for standing in self._standings)

    def replace(self, rules: Sequence[Rule], seed: int | None = None) -> None:
        """Other rules instead of these, counted from nothing. Raises ``Invalid`` for more than ``RULES_MAX``."""
        if len(rules) > RULES_MAX:
            raise Invalid(f"at most {RULES_MAX} rules, got {len(rules)}")
        with self._lock:
            self._seed = self._seed if seed is None else seed
            self._standings = [self._standing(number, rule) for number, rule in enumerate(rules)]
            self._met = {}

    def add(self, rule: Rule) -> None:
        """One more rule, asked after the others. Raises ``Invalid`` when there are ``RULES_MAX`` already."""
        with self._lock:
            if len(self._standings) >= RULES_MAX:
                raise Invalid(f"at most {RULES_MAX} rules, and there are {len(self._standings)}")
            self._standings.append(self._standing(len(self._standings), rule))

    def due(self, asked: Asked, among: Iterable[FaultKind]) -> Rule | None:
        """The rule whose fault is due at this, among these kinds; ``None`` when nothing fails."""
        kinds = frozenset(among)
        with self._lock:
            return self._due(asked, kinds)

    def due_at_execution(self, asked: Asked, execution: str) -> Rule | None:
        """What becomes of the news of an execution with this id: asked again, the answer is the same."""
        assert asked.operation is not None
        key = (asked.operation, execution)
        with self._lock:
            if key not in self._met:
                self._met[key] = self._due(asked, BY_EXECUTION)
            return self._met[key]

    def concerns(self, kinds: Iterable[FaultKind]) -> bool:
        """Whether any rule is of one of these kinds."""
        wanted = frozenset(kinds)
        with self._lock:
            return any(standing.rule.fault in wanted for standing in self._standings)

    def names_symbols(self) -> bool:
        """Whether any rule is about one symbol."""
        with self._lock:
            return any(standing.rule.symbol for standing in self._standings)

    def _standing(self, number: int, rule: Rule) -> _Standing:
        return _Standing(rule, f"{self._seed}/{number}")

    def _due(self, asked: Asked, kinds: frozenset[FaultKind]) -> Rule | None:
        """All rules count; the first that is due acts."""
        chosen: _Standing | None = None
        for standing in self._standings:
            if standing.rule.fault in kinds and standing.is_about(asked) and standing.count(asked) and chosen is None:
                chosen = standing
        if chosen is None:
            return None
        chosen.act(asked)
        return chosen.rule


def _places(rule: Rule) -> tuple[frozenset[Operation], tuple[str, ...]]:
    """The operations and the requests a rule names."""
    meaning = MEANINGS[rule.fault]
    if not rule.on:
        return meaning.own, ()
    operations: set[Operation] = set()
    requests: list[str] = []
    for place in rule.on:
        if " " in place:
            requests.append(place)
        elif place == ANY:
            operations |= meaning.at
        else:
            operations.add(OTHER_NAMES[place] if place in OTHER_NAMES else Operation(place))
    return frozenset(operations), tuple(requests)


def _check_places(rule: Rule) -> None:
    meaning = MEANINGS[rule.fault]
    if not rule.on and not meaning.own:
        raise Invalid(f"on: missing; {rule.fault} can happen at {_listed(meaning.at)}, or *")
    for place in rule.on:
        if " " in place:
            _check_request(rule, place)
            continue
        if place != ANY and place not in OTHER_NAMES and place not in set(Operation):
            raise Invalid(
                f"on: {place!r} is no operation; accepted: *, {_listed(Operation)}, {', '.join(OTHER_NAMES)}, "
                f"or a request such as 'POST /v2/orders'"
            )
    operations, requests = _places(rule)
    for operation in sorted(operations - meaning.at):
        raise Invalid(f"on: {rule.fault} cannot happen at {operation}; accepted: *, {_listed(meaning.at)}")
    unnamed = set(Operation) - WITH_SYMBOLS | (set() if rule.fault in BY_EXECUTION else {Operation.FILLS})
    without = sorted(operations & unnamed) if ANY not in rule.on else []
    if rule.symbol and without and not requests:
        raise Invalid(
            f"symbol: {', '.join(without)} is about no symbol; accepted at {_listed(set(Operation) - unnamed)}"
        )


def _check_request(rule: Rule, place: str) -> None:
    method, _, path = place.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise Invalid(
            f"on: {place!r} is no request; accepted: one of {', '.join(METHODS)}, a blank, and a path with * for anything"
        )
    if not MEANINGS[rule.fault].by_path:
        raise Invalid(f"on: {rule.fault} cannot be asked for by a path; accepted: {_listed(MEANINGS[rule.fault].at)}")


def _check_occurrences(rule: Rule) -> None:
    for name in ("nth", "every", "times"):
        count = getattr(rule, name)
        if count is not None and not 1 <= count <= 10**9:
            raise Invalid(f"{name}: expected a whole number, 1 to 1000000000, got {count}")
    if rule.probability is not None:
        finite("probability", rule.probability)
        if not 0 < rule.probability <= 1:
            raise Invalid(f"probability: expected a fraction above 0, at most 1, got {rule.probability}")
    chosen = [name for name in ("nth", "every", "probability") if getattr(rule, name) is not None]
    if len(chosen) > 1:
        raise Invalid(f"{chosen[1]}: stands beside {chosen[0]}; accepted: one of nth, every, probability, or none")
    if rule.fault is FaultKind.MUTE_STREAM and (rule.every is not None or rule.times is not None):
        raise Invalid(f"{'every' if rule.every is not None else 'times'}: a mute stream stays mute; use nth or until")
    if rule.nth is not None and rule.times is not None:
        raise Invalid("times: stands beside nth, which happens once")
    for name in ("after", "until"):
        if getattr(rule, name) is not None:
            aware_utc(name, getattr(rule, name))
    if rule.after is not None and rule.until is not None and rule.after >= rule.until:
        raise Invalid(f"until: {rule.until.isoformat()} is not later than after, {rule.after.isoformat()}")


def _check_numbers(rule: Rule) -> None:
    accepted = MEANINGS[rule.fault].numbers
    for name in ("seconds", "ms", "fraction"):
        given, limits = getattr(rule, name), accepted.get(name)
        if limits is None:
            if given is not None:
                raise Invalid(f"{name}: {rule.fault} has no such number; accepted: {', '.join(accepted) or 'none'}")
            continue
        wanted = f"a {'whole ' if limits.whole else ''}number, {limits.least} to {limits.most}"
        if given is None:
            if limits.default is None:
                raise Invalid(f"{name}: missing; {rule.fault} needs {wanted}")
            continue
        finite(name, given)
        if not limits.least <= given <= limits.most or (limits.whole and given != given.to_integral_value()):
            raise Invalid(f"{name}: expected {wanted}, got {given}")
    if rule.fault is FaultKind.CLOCK_OFF and rule.seconds == 0:
        raise Invalid("seconds: a clock that is off by 0 is right; expected a number above or below 0")


def _listed(operations: Iterable[Operation]) -> str:
    """Operations in the table's order."""
    wanted = set(operations)
    return ", ".join(operation for operation in Operation if operation in wanted)
