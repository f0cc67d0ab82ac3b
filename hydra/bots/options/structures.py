"""What is built of contracts: a cash-secured put, two spreads, an iron condor, a long straddle.

Everything in a structure expires on one day. What is sold has the delta nearest to the one wanted (equal ones: by symbol); what
is bought against it lies exactly ``width`` further out. The price is what the quotes give at once: sold at the bid, bought at
the ask, rounded to the cent so that it still fills (less for a credit, more for a debit). So the most it can lose is known, and
said, before anything is ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from hydra.bots.options.contracts import Contract
from hydra.model.market import Right
from hydra.model.money import ZERO, plain, to_increment
from hydra.model.orders import Leg, Side
from hydra.model.structures import most_lost_of
from hydra.model.values import Value
from hydra.policy import OptionPolicy, StructureName

_CENT = Decimal("0.01")
_HALF = Decimal("0.5")
_SHOWN = 5
_PUT, _CALL = Right.PUT, Right.CALL


class Priced(Value, frozen=True, kw_only=True):
    """A contract that passed the rules, with its delta: below zero for a put."""

    contract: Contract
    delta: Decimal

    @property
    def strike(self) -> Decimal:
        """In dollars."""
        return self.contract.terms.strike

    @property
    def right(self) -> Right:
        """Call or put."""
        return self.contract.terms.right


class Part(Value, frozen=True, kw_only=True):
    """One contract of a structure, bought or sold, one for each unit."""

    priced: Priced
    side: Side

    @property
    def price(self) -> Decimal:
        """What it trades at now: the bid when it is sold, the ask when it is bought."""
        return self.priced.contract.bid if self.side is Side.SELL else self.priced.contract.ask

    def __str__(self) -> str:
        did = "sold" if self.side is Side.SELL else "bought"
        return f"{did} {plain(self.priced.strike)} {self.priced.right} (delta {self.priced.delta:.2f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A structure at the prices of the moment. ``parts`` are in the order of their strikes."""

    name: StructureName
    parts: tuple[Part, ...]

    @property
    def legs(self) -> tuple[Leg, ...]:
        """As an order has them."""
        return tuple(
            Leg(symbol=part.priced.contract.symbol, side=part.side, ratio=1, opens=True) for part in self.parts
        )

    @property
    def paid(self) -> Decimal:
        """Dollars a share paid for one unit, to the cent that still fills; below zero for a credit."""
        exactly = sum((part.side.sign * part.price for part in self.parts), ZERO)
        return to_increment(exactly, _CENT, "up" if exactly > 0 else "down")

    @property
    def round_trip(self) -> Decimal:
        """Dollars a share lost when it is closed again at once: its spreads, all together."""
        spreads = (part.priced.contract.ask - part.priced.contract.bid for part in self.parts)
        return sum(spreads, ZERO)

    @property
    def most_lost(self) -> Decimal | None:
        """Dollars one unit can lose until expiry at that price; ``None`` when nothing bounds it."""
        return most_lost_of(self.legs, self.paid)

    def __str__(self) -> str:
        expiry = self.parts[0].priced.contract.terms.expiry
        what = "debit" if self.paid > 0 else "credit"
        lost = self.most_lost
        return (
            f"{_words(self.name)} of {expiry}: {', '.join(map(str, self.parts))}; {what} {plain(abs(self.paid))}, "
            f"can lose {'any sum' if lost is None else plain(lost)} dollars a unit"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing was built: the rule that refuses, and its reason, with numbers."""

    rule: str
    reason: str


Builder: TypeAlias = Callable[[Sequence[Priced], OptionPolicy], "tuple[Part, ...] | Refusal"]
"""The parts of a structure of these contracts, which expire on one day; or what is missing."""


def build(contracts: Sequence[Priced], policy: OptionPolicy) -> Proposal | Refusal:
    """The structure that the policy wants, of contracts that passed its rules and expire on one day; or why there is none."""
    parts = _BUILDERS[policy.structure](contracts, policy)
    if isinstance(parts, Refusal):
        return parts
    proposal = Proposal(name=policy.structure, parts=parts)
    return _wrong_price(proposal, policy) or _too_dear(proposal, policy) or proposal


def _too_dear(proposal: Proposal, policy: OptionPolicy) -> Refusal | None:
    """It would be closed again at once: its spreads alone cost what ``loss_multiple`` allows it to lose."""
    if policy.loss_multiple is None:
        return None
    most = policy.loss_multiple * abs(proposal.paid)
    if proposal.round_trip < most:
        return None
    told = f"closing it again would lose {plain(proposal.round_trip)}, and loss_multiple closes it at {plain(most)}"
    return Refusal(rule="loss_multiple", reason=f"{proposal}; {told}")


def _wrong_price(proposal: Proposal, policy: OptionPolicy) -> Refusal | None:
    """Its loss is not bounded, or its credit too small."""
    lost = proposal.most_lost
    if lost is None or lost <= 0:
        return Refusal(rule="loss", reason=f"{proposal}: quotes that do not fit together, or a loss without bound")
    if proposal.name is StructureName.LONG_STRADDLE:
        return None
    credit = -proposal.paid
    against = policy.width if policy.width is not None else proposal.parts[0].priced.strike
    if credit <= 0 or credit < policy.credit_least * against:
        share = f"{credit / against:.4f} of {plain(against)}, at least {plain(policy.credit_least)}"
        return Refusal(rule="credit_least", reason=f"{proposal}; that is {share}")
    return None


def _cash_secured_put(contracts: Sequence[Priced], policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    sold = _to_sell(contracts, _PUT, policy)
    return (Part(priced=sold[0], side=Side.SELL),) if sold else _no_delta(contracts, _PUT, policy)


def _put_spread(contracts: Sequence[Priced], policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    return _spread(contracts, _PUT, policy)


def _call_spread(contracts: Sequence[Priced], policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    return _spread(contracts, _CALL, policy)


def _iron_condor(contracts: Sequence[Priced], policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    sides: list[Part] = []
    for right in (_PUT, _CALL):
        found = _spread(contracts, right, policy)
        if isinstance(found, Refusal):
            return found
        sides += found
    low, high = sides[1].priced.strike, sides[2].priced.strike
    if low >= high:
        return Refusal(
            rule="strikes", reason=f"the put sold at {plain(low)} is not below the call sold at {plain(high)}"
        )
    return tuple(sides)


def _long_straddle(contracts: Sequence[Priced], policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    puts = {each.strike: each for each in contracts if each.right is _PUT}
    pairs = [(each, puts[each.strike]) for each in contracts if each.right is _CALL and each.strike in puts]
    if not pairs:
        return Refusal(rule="strikes", reason=f"no strike has both a call and a put among {len(contracts)} contracts")
    away = {call.contract.symbol: max(abs(abs(each.delta) - _HALF) for each in (call, put)) for call, put in pairs}
    call, put = min(pairs, key=lambda pair: (away[pair[0].contract.symbol], pair[0].contract.symbol))
    off = away[call.contract.symbol]
    if off > policy.delta_band:
        deltas = f"deltas {call.delta:.2f} and {put.delta:.2f}, {off:.2f} from 0.5, at most {plain(policy.delta_band)}"
        return Refusal(rule="delta", reason=f"nearest to the money is {plain(call.strike)}: {deltas}")
    return (Part(priced=call, side=Side.BUY), Part(priced=put, side=Side.BUY))


def _spread(contracts: Sequence[Priced], right: Right, policy: OptionPolicy) -> tuple[Part, ...] | Refusal:
    """The sold contract nearest to its delta of which the bought one is there too, in the order of their strikes."""
    assert policy.width is not None
    out = -policy.width if right is _PUT else policy.width
    by_strike = {each.strike: each for each in contracts if each.right is right}
    candidates = _to_sell(contracts, right, policy)
    for sold in candidates:
        bought = by_strike.get(sold.strike + out)
        if bought is not None:
            parts = (Part(priced=sold, side=Side.SELL), Part(priced=bought, side=Side.BUY))
            return tuple(sorted(parts, key=lambda part: part.priced.strike))
    if not candidates:
        return _no_delta(contracts, right, policy)
    tried = ", ".join(plain(sold.strike) for sold in candidates[:_SHOWN])
    reason = f"no {right} {plain(policy.width)} dollars beyond any that could be sold: {tried}"
    return Refusal(rule="width", reason=reason)


def _to_sell(contracts: Sequence[Priced], right: Right, policy: OptionPolicy) -> list[Priced]:
    """Those within the band around the delta wanted, the nearest first."""
    within = [each for each in contracts if each.right is right and _off(each, policy) <= policy.delta_band]
    return sorted(within, key=lambda each: (_off(each, policy), each.contract.symbol))


def _off(each: Priced, policy: OptionPolicy) -> Decimal:
    return abs(abs(each.delta) - policy.delta)


def _no_delta(contracts: Sequence[Priced], right: Right, policy: OptionPolicy) -> Refusal:
    wanted = f"wanted {plain(policy.delta)}, at most {plain(policy.delta_band)} off"
    rest = [each for each in contracts if each.right is right]
    if not rest:
        return Refusal(rule="delta", reason=f"no {right} is left; {wanted}")
    nearest = min(rest, key=lambda each: (_off(each, policy), each.contract.symbol))
    return Refusal(
        rule="delta", reason=f"the nearest {right} is {plain(nearest.strike)} with {nearest.delta:.2f}; {wanted}"
    )


def _words(name: StructureName) -> str:
    return name.value.replace("_", " ")


_BUILDERS: Mapping[StructureName, Builder] = {
    StructureName.CASH_SECURED_PUT: _cash_secured_put,
    StructureName.BULL_PUT_SPREAD: _put_spread,
    StructureName.BEAR_CALL_SPREAD: _call_spread,
    StructureName.IRON_CONDOR: _iron_condor,
    StructureName.LONG_STRADDLE: _long_straddle,
}

RIGHTS: Mapping[StructureName, frozenset[Right]] = {
    StructureName.CASH_SECURED_PUT: frozenset({_PUT}),
    StructureName.BULL_PUT_SPREAD: frozenset({_PUT}),
    StructureName.BEAR_CALL_SPREAD: frozenset({_CALL}),
    StructureName.IRON_CONDOR: frozenset({_PUT, _CALL}),
    StructureName.LONG_STRADDLE: frozenset({_PUT, _CALL}),
}
"""What a structure is built of; the rest of a chain is not looked at."""
