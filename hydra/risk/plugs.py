"""What the rule book is made of: the shapes of gates, rules, exits and kills, and the book that holds the chosen ones.

Each is a plain function with a name and, for gates, a scope. The policy names which of them run; the composition root
finds them and hands the finished ``RuleBook`` down. A plug that raises, or answers with anything but the value its shape
asks for, has said no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from hydra.model.market import Instrument, OptionQuote, Quote
from hydra.model.orders import Ceiling, Intent
from hydra.model.portfolio import Holding, Ledger
from hydra.model.snapshot import Scope, Sight, Snapshot, Tighten, Verdict
from hydra.model.structures import Structure
from hydra.model.values import Value
from hydra.policy import BotPolicy, Policy
from hydra.risk.standing import Standing


class Reply(Value, frozen=True, kw_only=True):
    """A gate's answer about one key of its scope."""

    verdict: Verdict
    reason: str


_KEPT = 1024
"""Replies that are kept: most cycles hear the same ones again, and what is made of the very same reply is kept too."""


@lru_cache(maxsize=_KEPT, typed=True)
def yes(reason: str) -> Reply:
    """The gate is open."""
    return Reply(verdict=Verdict.PASS, reason=reason)


@lru_cache(maxsize=_KEPT, typed=True)
def no(reason: str) -> Reply:
    """The gate is shut, because something is wrong."""
    return Reply(verdict=Verdict.REFUSE, reason=reason)


@lru_cache(maxsize=_KEPT, typed=True)
def not_now(reason: str) -> Reply:
    """The gate is shut, and nothing is wrong: a session is closed."""
    return Reply(verdict=Verdict.SKIP, reason=reason)


GateQuestion: TypeAlias = Callable[[Snapshot, Policy, str], Reply]
"""(snapshot, policy, key) -> reply. The key is an asset class or a symbol in those scopes, empty in the system's."""


GateDoubts: TypeAlias = Callable[[Snapshot, Policy, tuple[str, ...]], list[str]]
"""(snapshot, policy, keys) -> those of the keys for which the gate may not be open. It is open for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A yes/no question about health, asked once for every key of its scope.

    ``sees`` names all of the snapshot that a reply depends on, beside key and policy, as ``ledger.halts`` or ``sight.probes``: while
    each of these is the very same object, the reply is kept. A gate that names nothing is asked in every cycle; so is one that
    depends on the time, for it must not name anything. Raises ``ValueError`` for a name that is no part of a snapshot.

    ``doubts`` is the same question in short, for a gate whose words cost more than its judgement: it is then asked key by key only
    where it is in doubt, and for the words of an open one when somebody reads them, about the same snapshot. Both have to judge
    alike. Whatever it does but list some of the keys, every key is in doubt.
    """

    name: str
    scope: Scope
    ask: GateQuestion
    sees: tuple[str, ...] = ()
    doubts: GateDoubts | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.sees if name not in _PARTS]
        if unknown:
            raise ValueError(f"gate {self.name} sees what is no part of a snapshot: {', '.join(unknown)}")


_PARTS = frozenset(
    [f"ledger.{name}" for name in Ledger.__struct_fields__] + [f"sight.{name}" for name in Sight.__struct_fields__]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One entry intent before the rules. ``price`` is the worst price it is expected to fill at, in dollars.

    ``risk_per_unit`` is what one unit loses from ``price`` to the stop, or, of a structure, at the worst price at expiry.
    ``unit_cost`` is what one unit binds: its price times the multiplier, or a structure's collateral. All above zero. A
    structure's ``price`` is its net price, and ``leg_quotes`` are the quotes of its legs, in their order; ``quote`` is the
    underlying's.
    """

    snapshot: Snapshot
    policy: Policy
    bot: BotPolicy
    intent: Intent
    instrument: Instrument
    quote: Quote
    price: Decimal
    unit_cost: Decimal
    risk_per_unit: Decimal
    asked: Decimal
    equity: Decimal
    standing: Standing
    leg_quotes: tuple[OptionQuote, ...] = ()


Rule: TypeAlias = Callable[[Case], Ceiling]
"""How much of the ask a limit admits. Never more than was asked."""

Exit: TypeAlias = Callable[[Holding, Snapshot, Policy, BotPolicy], "str | Tighten | None"]
"""Why a holding should be closed now (with numbers), where its stop should move closer, or ``None`` to leave it."""

OptionExit: TypeAlias = Callable[[Structure, Snapshot, Policy, BotPolicy], "str | None"]
"""Why a structure should be closed now (with numbers), or ``None`` to keep it."""

Kill: TypeAlias = Callable[[Snapshot, Policy], "str | None"]
"""Why all trading must stop now (with numbers), or ``None``. The name of the kill is the kind of the halt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """A policy with its plugs resolved: what ``decide`` is given beside the snapshot."""

    policy: Policy
    gates: tuple[Gate, ...]
    rules: Mapping[str, Rule]
    exits: Mapping[str, Exit]
    option_exits: Mapping[str, OptionExit]
    kills: Mapping[str, Kill]
    bots: Mapping[str, BotPolicy]
