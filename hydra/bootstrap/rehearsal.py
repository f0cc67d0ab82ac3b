"""The world of a rehearsal: the user's own policy, its bots and rule book, an account as it says, and a market to rehearse in.

Every number of the policy is what is rehearsed: nothing in it is changed. Bots are made in this process, foreign ones too, because a
rehearsal asks them hundreds of times a second; whether they stand their isolation is the trial of the hostile bots. A bot that cannot be
made here is left out, and said so. The days are the exchange's of one year, early closings among them; the hours are drawn so that every
bot's own day is met. Everything derives from (seed, number), in whatever process.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hydra.adapters.calendar import AlwaysOpen
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.markets.profiles import profile
from hydra.bootstrap.making import bots_that_can_be_made
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.venues import account_of
from hydra.model.errors import BadConfig
from hydra.model.market import OptionContract, Right, usual_instrument
from hydra.model.structures import weekdays_left
from hydra.policy import OptionPolicy, Policy, StructureName, minute_of
from hydra.qc.rehearsal.hours import EARLY, YEAR, ExchangeHours, is_exchange_day, utc
from hydra.qc.rehearsal.world import Cast, World

VOYAGES_A_SEED = 1_000_000
_EARLY_CLOSING = 0.1
"""How many voyages begin on a day that ends early."""
_DAYS_END = 0.2
"""How many voyages may begin so late that a bot enters nothing more, and what it holds is closed with its day."""
_OPENS, _CLOSES, _EARLY_CLOSES = 570, 960, 780
_LENGTH = 55
"""Minutes a voyage takes, about."""
_SPARE_DAYS = 3
"""Days that a voyage may last, and its contracts still be in the bots' range."""
_EXPIRIES = 2
_RUNGS_MOST = 24
_STEP, _CENT, _MILL = Decimal("0.5"), Decimal("0.01"), Decimal("0.001")
_PUTS = frozenset({StructureName.CASH_SECURED_PUT, StructureName.BULL_PUT_SPREAD})
_CALLS = frozenset({StructureName.BEAR_CALL_SPREAD})


def world(policy: Policy, seed: int, number: int) -> World:
    """The world of a voyage (numbers from 1). Raises ``BadConfig`` when there is nothing to rehearse."""
    if not policy.symbols:
        raise BadConfig("bots: no bot is enabled; there is nothing to rehearse")
    bots, notes = bots_that_can_be_made(policy)
    if not bots:
        raise BadConfig(f"no bot can be made in this process: {'; '.join(notes)}")
    chance = random.Random(f"world {seed} {number}")  # noqa: S311  # a stage, not a secret
    start = _start(policy, chance, number)
    prices = {symbol: _price(symbol, chance) for symbol in policy.symbols}
    always = policy.market.sessions == "always"
    return World(
        seed=seed * VOYAGES_A_SEED + number,
        policy=policy,
        account=_account(policy),
        symbols=policy.symbols,
        contracts=() if always else tuple(sorted(set(_contracts(policy, prices, start.date())))),
        prices=prices,
        cast=cast,
        calendar=AlwaysOpen() if always else ExchangeHours(),
        starts_at=start,
        warm=policy.engine.window_bars + 1,
        notes=tuple(notes),
    )


def cast(one: World) -> Cast:
    """The rule book that the policy names, and its bots as far as they can be made in this process."""
    return Cast(book=rule_book(one.policy), bots=bots_that_can_be_made(one.policy)[0])


def _account(policy: Policy) -> VenueSettings:
    """The account as the simulated exchange gives it with this policy; for a policy of Alpaca's, one as at Alpaca."""
    if policy.broker.name == "alpaca":
        broker = policy.broker.model_copy(update={"account": "alpaca"})
        policy = policy.model_copy(update={"broker": broker})
    return account_of(policy)


def _price(symbol: str, chance: random.Random) -> Decimal:
    """About what a symbol cost in the early 2020s; a price of its own for one that nobody knows."""
    usual = profile(symbol).price * chance.uniform(0.95, 1.05)
    return Decimal(usual).quantize(usual_instrument(symbol).price_increment.max(_CENT))


# -- when


def _start(policy: Policy, chance: random.Random, number: int) -> datetime:
    """Within the day of each bot in turn; on a day that ends early, so that the end is met."""
    shares = [bot for bot in policy.enabled_bots if bot.session is not None]
    if not shares:
        return utc(_day(chance), chance.randrange(1440 - _LENGTH))
    always = policy.market.sessions == "always"
    if not always and chance.random() < _EARLY_CLOSING:
        return utc(
            chance.choice(sorted(EARLY)), chance.randint(_EARLY_CLOSES - 2 * _LENGTH, _EARLY_CLOSES - _LENGTH // 2)
        )
    session = shares[number % len(shares)].session
    assert session is not None
    opens, closes = (2, 1440) if always else (_OPENS, _CLOSES)
    first = max(opens, minute_of(session.trade_start)) - 2
    ends = session.manage_until if chance.random() < _DAYS_END else session.trade_end
    last = min(closes, minute_of(ends)) - _LENGTH
    return utc(_day(chance), chance.randint(first, max(first, last)))


def _day(chance: random.Random) -> date:
    """An exchange day, and not the year's last ones."""
    while True:
        day = date(YEAR, 1, 2) + timedelta(days=chance.randrange(350))
        if is_exchange_day(day) and day not in EARLY:
            return day


# -- contracts


def _contracts(policy: Policy, prices: dict[str, Decimal], day: date) -> Iterator[str]:
    """For each bot that trades contracts, a few expiries in its range, and the strikes it could mean."""
    for bot in policy.enabled_bots:
        for symbol in bot.symbols if bot.option is not None else ():
            assert bot.option is not None
            for expiry in _expiries(bot.option, day):
                yield from _ladder(bot.option, symbol, (prices[symbol], day, expiry))


def _expiries(option: OptionPolicy, day: date) -> list[date]:
    """The first expiry in the range that stays there for some days, and one in the middle; Fridays where there are any."""
    days = [day + timedelta(days=ahead) for ahead in range(option.days_least, option.days_most + 1)]
    trading = [one for one in days if is_exchange_day(one)]
    kept = [one for one in trading if option.into_expiry or weekdays_left(day, one) > option.close_days_before]
    fridays = [one for one in kept if one.weekday() == 4] or kept  # Friday
    later = [one for one in fridays if (one - day).days >= option.days_least + _SPARE_DAYS] or fridays
    return list(dict.fromkeys([later[0], later[len(later) // 2]]))[:_EXPIRIES] if later else []


def _ladder(option: OptionPolicy, symbol: str, at: tuple[Decimal, date, date]) -> Iterator[str]:
    """Strikes around the price, near enough for the bot's delta to find one, and far enough for its width."""
    price, day, expiry = at
    years = max(1, (expiry - day).days) / 365
    reach = price * Decimal(profile(symbol).volatility * years**0.5)
    width = option.width or Decimal(0)
    step = max(_STEP, (reach / 5 / _STEP).quantize(Decimal(1), ROUND_HALF_UP) * _STEP)
    if width:
        parts = max(1, int((width / step).to_integral_value(ROUND_HALF_UP)))
        step = width / parts
    below, above = Decimal("1.8"), Decimal("1.8")
    rights: tuple[Right, ...] = tuple(Right)
    if option.structure in _PUTS:
        rights, above = (Right.PUT,), Decimal("0.4")
    elif option.structure in _CALLS:
        rights, below = (Right.CALL,), Decimal("0.4")
    middle = (price / step).quantize(Decimal(1), ROUND_HALF_UP)
    lowest, highest = (min(_RUNGS_MOST, int((side * reach + width) / step) + 1) for side in (below, above))
    for rung in range(-lowest, highest + 1):
        strike = ((middle + rung) * step).quantize(_MILL)
        if strike > 0:
            for right in rights:
                yield OptionContract(root=symbol.replace(".", ""), expiry=expiry, right=right, strike=strike).symbol
