"""What option positions can cost at expiry, worked out from their payoff and not from the names of their shapes.

At expiry a set of contracts is worth a piecewise linear function of the underlying's price: it bends at the strikes, begins
at a price of zero, and ends in a straight line. So its least value is found at zero, at a strike, or (when the line falls) is
without bound. The dollars that must stand behind the set are what that least value lies below zero: nothing for long
contracts, the strike for a put, the width for a spread, the wider side for an iron condor (this is the universal spread
rule of Cboe 10.3 and FINRA 4210(f)(2)(H)).

A long contract stands behind a short one only if it expires no earlier. Shorts of several expiries are looked at expiry by
expiry, the latest first, each taking the longs that help it most; what is found is enough, and not always the least.
Shares stand behind calls, 100 to a contract: those that expire latest first, then the lowest strikes. Short shares stand
behind nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, OptionContract, Right, asset_class_of
from hydra.model.money import ZERO
from hydra.model.values import Value, finite

SHARES = Decimal(100)
"""Shares a contract stands for."""


class Leg(Value, frozen=True, kw_only=True):
    """Contracts held or ordered, signed: negative is short. With an equity symbol, shares."""

    symbol: str
    quantity: Decimal

    def __post_init__(self) -> None:
        finite("leg.quantity", self.quantity)
        if asset_class_of(self.symbol) is AssetClass.CRYPTO:
            raise Invalid(f"a leg is an option contract or shares, got {self.symbol}")


class _Piece(Value, frozen=True, kw_only=True):
    """A whole number of one contract, signed."""

    contract: OptionContract
    count: int


def underlying_of(symbol: str) -> str:
    """The equity a contract is on: its root without the digit that marks an adjusted one."""
    return OptionContract.parse(symbol).root.rstrip("0123456789")


def payoff(legs: Iterable[Leg], price: Decimal) -> Decimal:
    """What the legs are worth at expiry in dollars, all expiring at once at ``price`` of their one underlying."""
    total = ZERO
    for leg in legs:
        if asset_class_of(leg.symbol) is AssetClass.EQUITY:
            total += leg.quantity * price
        else:
            total += leg.quantity * SHARES * intrinsic(OptionContract.parse(leg.symbol), price)
    return total


def intrinsic(contract: OptionContract, price: Decimal) -> Decimal:
    """What exercising gives, in dollars for each share; zero out of the money."""
    gain = price - contract.strike if contract.right is Right.CALL else contract.strike - price
    return max(ZERO, gain)


def requirement(legs: Iterable[Leg], shares: Mapping[str, Decimal], *, credit: Decimal = ZERO) -> Decimal | None:
    """Dollars that must stand behind the legs together with ``shares`` (signed, by underlying); ``None`` for no bound.

    ``credit`` is the premium received for these very legs, in dollars, that may count towards it; leave it at zero when the
    premium is in the cash that the requirement is compared with. Never below zero.
    """
    pieces, held = _sort(legs, shares)
    total = ZERO
    for underlying, group in pieces.items():
        needed = _behind(group, held.get(underlying, ZERO))
        if needed is None:
            return None
        total += needed
    return max(ZERO, total - credit)


def max_loss(legs: Sequence[Leg], net: Decimal) -> Decimal | None:
    """The most one unit of a multi-leg order can lose, in dollars, and so what it takes to place it; ``None`` for no bound.

    ``legs`` are those of one unit, ``net`` its price for each share: a debit above zero, a credit below.
    """
    return requirement(legs, {}, credit=-net * SHARES)


def order_cost(
    held: Sequence[Leg], ordered: Sequence[Leg], shares: Mapping[str, Decimal], debit: Decimal
) -> Decimal | None:
    """Dollars an order takes from an account that holds ``held`` and ``shares``; ``None`` when it would leave no bound.

    ``ordered`` are the contracts the order buys (above zero) and sells, ``debit`` the dollars it pays for all of them, below
    zero when it receives. It takes that and what the requirement rises by; an order that frees more than it pays takes
    nothing. An order that only makes an unbounded account bounded takes the whole requirement.
    """
    after = requirement([*held, *ordered], shares)
    if after is None:
        return None
    return max(ZERO, after - (requirement(held, shares) or ZERO) + debit)


def locked(legs: Iterable[Leg], shares: Mapping[str, Decimal], *, spare: Decimal = ZERO) -> dict[str, Decimal]:
    """The shares that may not be sold, by underlying, because they stand behind calls; those without any are left out.

    That is the least number without which the requirement would rise by more than ``spare`` dollars.
    """
    pieces, held = _sort(legs, shares)
    kept: dict[str, Decimal] = {}
    for underlying, group in pieces.items():
        owned = max(ZERO, held.get(underlying, ZERO))
        covers = min(
            int(owned // SHARES), -min(0, sum(min(0, p.count) for p in group if p.contract.right is Right.CALL))
        )
        full = _behind(group, owned)
        needed = covers
        for count in range(covers if full is not None else 0):
            without = _behind(group, count * SHARES)
            if without is not None and full is not None and without <= full + spare:
                needed = count
                break
        if needed:
            kept[underlying] = needed * SHARES
    return kept


def ratios_in_lowest_terms(ratios: Iterable[int]) -> bool:
    """True when no whole number above 1 divides every ratio of a multi-leg order (and each is above zero)."""
    numbers = tuple(ratios)
    return bool(numbers) and min(numbers) > 0 and math.gcd(*numbers) == 1


def _sort(legs: Iterable[Leg], shares: Mapping[str, Decimal]) -> tuple[dict[str, list[_Piece]], dict[str, Decimal]]:
    """The contracts by underlying, equal ones summed up, and the shares with those among the legs."""
    held = dict(shares)
    counts: dict[str, Decimal] = {}
    for leg in legs:
        if asset_class_of(leg.symbol) is AssetClass.EQUITY:
            held[leg.symbol] = held.get(leg.symbol, ZERO) + leg.quantity
        else:
            counts[leg.symbol] = counts.get(leg.symbol, ZERO) + leg.quantity
    pieces: dict[str, list[_Piece]] = {}
    for symbol, count in sorted(counts.items()):
        if count != count.to_integral_value():
            raise Invalid(f"contracts come whole, got {count} of {symbol}")
        if count != 0:
            piece = _Piece(contract=OptionContract.parse(symbol), count=int(count))
            pieces.setdefault(underlying_of(symbol), []).append(piece)
    return pieces, held


def _behind(pieces: Sequence[_Piece], shares: Decimal) -> Decimal | None:
    """The requirement of the contracts on one underlying."""
    shorts = _uncovered([piece for piece in pieces if piece.count < 0], shares)
    longs = [piece for piece in pieces if piece.count > 0]
    expiries = sorted({piece.contract.expiry for piece in shorts}, reverse=True)
    if not expiries:
        return ZERO
    if len(expiries) == 1:
        return _shortfall([*shorts, *(piece for piece in longs if piece.contract.expiry >= expiries[0])])
    unit = math.gcd(*(piece.count for piece in (*shorts, *longs)))
    pool = {piece.contract: piece.count // unit for piece in longs}
    total = ZERO
    for expiry in expiries:
        bucket = {p.contract: p.count // unit for p in shorts if p.contract.expiry == expiry}
        needed = _helped(bucket, pool, expiry)
        if needed is None:
            return None
        total += needed * unit
    return total


def _uncovered(shorts: Sequence[_Piece], shares: Decimal) -> list[_Piece]:
    """The short contracts without the calls that shares stand behind."""
    covers = int(max(ZERO, shares) // SHARES)
    left = [piece for piece in shorts if piece.contract.right is Right.PUT]
    calls = [piece for piece in shorts if piece.contract.right is Right.CALL]
    for piece in sorted(calls, key=lambda call: (-call.contract.expiry.toordinal(), call.contract.strike)):
        covered = min(covers, -piece.count)
        covers -= covered
        if piece.count + covered < 0:
            left.append(_Piece(contract=piece.contract, count=piece.count + covered))
    return left


def _helped(bucket: dict[OptionContract, int], pool: dict[OptionContract, int], expiry: date) -> Decimal | None:
    """The requirement of the shorts in ``bucket`` with the longs that help most, which are taken out of ``pool``."""
    badness = _badness(bucket)
    while badness != (0, ZERO):
        tries = []
        for contract, count in pool.items():
            if count > 0 and contract.expiry >= expiry:
                tries.append((_badness({**bucket, contract: bucket.get(contract, 0) + 1}), contract.symbol, contract))
        if not tries or min(tries)[0] >= badness:
            break
        badness, _, best = min(tries, key=lambda attempt: attempt[:2])
        bucket[best] = bucket.get(best, 0) + 1
        pool[best] -= 1
    return None if badness[0] else badness[1]


def _badness(bucket: Mapping[OptionContract, int]) -> tuple[int, Decimal]:
    """How many calls nothing stands behind, then the dollars lost at the worst strike."""
    pieces = [_Piece(contract=contract, count=count) for contract, count in bucket.items()]
    return max(0, -_calls(pieces)), _worst(pieces)


def _shortfall(pieces: Sequence[_Piece]) -> Decimal | None:
    """What the least value of the pieces lies below zero, all expiring together; ``None`` when it has no bound."""
    return None if _calls(pieces) < 0 else _worst(pieces)


def _calls(pieces: Iterable[_Piece]) -> int:
    """The slope beyond the highest strike, in contracts."""
    return sum(piece.count for piece in pieces if piece.contract.right is Right.CALL)


def _worst(pieces: Sequence[_Piece]) -> Decimal:
    """The dollars lost at a price of zero or at the worst strike; at least zero."""
    prices = {ZERO, *(piece.contract.strike for piece in pieces)}
    return max(ZERO, *(-_worth(pieces, price) for price in prices))


def _worth(pieces: Iterable[_Piece], price: Decimal) -> Decimal:
    return sum((piece.count * SHARES * intrinsic(piece.contract, price) for piece in pieces), ZERO)
