"""Reading chains: only of underlyings a bot trades options on, only when due, and only the part a bot could want.

A chain has thousands of contracts and most of them are of no use to anyone; what is journaled is what is looked at: expiries
within the bots' days, strikes within ``options.width`` of the underlying's price, and every contract that is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from hydra.engine.answers import CHAIN
from hydra.model.market import AssetClass, OptionContract, OptionQuote, Quote
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import ChainNews, Sight
from hydra.model.structures import structures_of
from hydra.policy import Policy


def underlyings_of(ledger: Ledger, policy: Policy) -> tuple[str, ...]:
    """Whose chains matter: what a bot trades options on, and what something is held on."""
    held = structures_of(ledger)
    if not held:
        return tuple(policy.underlyings)
    return tuple(dict.fromkeys((*policy.underlyings, *[structure.underlying for structure in held])))


def due(ledger: Ledger, sight: Sight | None, at: datetime, policy: Policy) -> tuple[str, ...]:
    """The underlyings whose chains are to be read in this look."""
    wanted = underlyings_of(ledger, policy)
    if sight is None or not wanted:
        return wanted
    session = None if sight.sessions is None else sight.sessions.by_class.get(AssetClass.OPTION)
    if session is not None and not session.open and (session.opens_at is None or at < session.opens_at):
        return ()
    wait = _seconds(policy.options.chain_seconds)
    return tuple(name for name in wanted if name not in sight.chains_at or at - sight.chains_at[name] >= wait)


@lru_cache(maxsize=8)
def _seconds(number: Decimal) -> timedelta:
    return timedelta(seconds=float(number))


def chain_news(
    known: Mapping[str, object], quotes: Mapping[str, Quote], sight: Sight, ledger: Ledger, day: date, policy: Policy
) -> tuple[ChainNews, ...]:
    """What the answered chains (by question) changed, ``quotes`` being the underlyings' as of now."""
    found: list[ChainNews] = []
    held = {leg.symbol for structure in structures_of(ledger) for leg in structure.legs}
    for question, chain in known.items():
        if not question.startswith(CHAIN) or not isinstance(chain, tuple):
            continue
        underlying = question.removeprefix(CHAIN)
        quote = quotes.get(underlying)
        last_day = day + timedelta(days=policy.underlyings.get(underlying, 0))
        middle = None if quote is None else quote.mid
        reach = None if middle is None else policy.options.width * middle
        wanted: dict[str, OptionQuote] = {
            one.symbol: one
            for one in chain
            if one.symbol in held
            or (middle is not None and reach is not None and _useful(one.symbol, middle, (day, last_day), reach))
        }
        before = sight.chains.get(underlying, {})
        found.append(
            ChainNews(
                underlying=underlying,
                quotes=tuple(one for symbol, one in wanted.items() if before.get(symbol) != one),
                gone=tuple(symbol for symbol in before if symbol not in wanted),
            )
        )
    return tuple(found)


def _useful(symbol: str, price: Decimal, days: tuple[date, date], reach: Decimal) -> bool:
    contract = OptionContract.parse(symbol)
    return days[0] <= contract.expiry <= days[1] and abs(contract.strike - price) <= reach
