"""Cases for the rules: hand-made ones to put into tables, and whole random ones.

The usual case is ``tests.risk.scenes.case``: 1000 shares of SPY wished at 100 with the stop at 95, bid 99.99 and ask 100.01, in
an account of 100,000. ``short`` is its mirror image; ``spread`` and its like are structures of contracts on SPY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from hydra.model.market import OptionQuote, usual_instrument
from hydra.model.orders import Ceiling, Intent, Leg, OrderType, Protection, Side, Size, SizeKind
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Snapshot
from hydra.model.structures import most_lost_of
from hydra.model.values import replace
from hydra.policy import Bucket, Policy, RiskPolicy
from hydra.risk.plugs import Case, Rule
from hydra.risk.standing import Open, Standing, standing_of
from tests.fakes.outside import BOT, entry, policy
from tests.risk.scenes import case as plain_case
from tests.risk.scenes import healthy, holding

D = Decimal
RULES: dict[str, Rule] = {point.name: point.load() for point in entry_points(group="hydra.rules")}
AT = healthy().at
"""14:32 on a Monday, two minutes after the opening."""

RISK: dict[str, Any] = {
    **{name: key.default for name, key in RiskPolicy.model_fields.items() if not key.is_required()},
    "daily_loss": D("0.02"),
    "drawdown": D("0.06"),
    "risk_per_trade": D("0.01"),
    "risk_per_trade_cap": D("0.02"),
    "cash_reserve": D("0.3"),
    "order_notional": D(25_000),
    "symbol_exposure": D("0.35"),
    "gross_exposure": D("0.7"),
    "orders_per_minute": 10,
}
"""The numbers that the tables were worked out with: these, and the keys' own defaults."""

P90, P95, C105, C110 = (
    f"SPY240419{right}00{strike:03}000" for right, strike in (("P", 90), ("P", 95), ("C", 105), ("C", 110))
)
PRICES = {P90: ("0.50", "0.60"), P95: ("2.00", "2.10"), C105: ("2.00", "2.10"), C110: ("0.50", "0.60")}


class Row(NamedTuple):
    """A rule, a case, and what was worked out by hand; ``told`` is a part of the reason."""

    rule: str
    what: str
    case: Case
    quantity: Any
    told: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


def hold(row: Row) -> None:
    """Fail unless the rule admits what was worked out."""
    ceiling: Ceiling = RULES[row.rule](row.case)
    assert (ceiling.rule, ceiling.quantity) == (row.rule, D(str(row.quantity))), ceiling.reason
    assert row.told in ceiling.reason
    assert ceiling.reason


def rules_of(
    bots: Sequence[Mapping[str, Any]] = ({"id": BOT},),
    risk: Mapping[str, Any] | None = None,
    broker: Mapping[str, Any] | None = None,
) -> Policy:
    """A policy whose numbers do not depend on what is configured: those of ``RISK``, and what is changed."""
    keys = {**RISK, **(risk or {})}
    plain: dict[str, Any] = {"trades_per_day": 4, "positions": 1, "shorts": False, "bucket": Bucket.MOMENTUM}
    dealt = {"momentum": D("0.25"), "options": D("0.5"), "crypto": D("0.25"), "bot_minimum": D("0.05")}
    budgets = {
        **dealt,
        "bot_maximum": D("0.5"),
    }
    return policy(bots=[{**plain, **one} for one in bots], risk=keys, budgets=budgets, broker=broker or {})


def risk(**keys: Any) -> Policy:
    """The usual policy with keys of ``risk`` changed."""
    return rules_of(risk=keys)


def case(snapshot: Snapshot | None = None, *, rules: Policy | None = None, **more: Any) -> Case:
    """1000 shares of SPY wished at 100 with the stop at 95."""
    return plain_case(snapshot, rules=rules or risk(), **more)


def short(snapshot: Snapshot | None = None, *, rules: Policy | None = None, **more: Any) -> Case:
    """1000 shares sold short at 100 with the stop at 105, by a bot that may."""
    wish = entry(side=Side.SELL, stop=105, target=None, protection=Protection(stop=D(105)))
    allowed = rules or rules_of(risk={"short": True}, bots=[{"id": BOT, "shorts": True}])
    return case(snapshot, rules=allowed, **({"intent": wish} | more))


def limited(limit: Any, side: Side = Side.BUY, **more: Any) -> Case:
    """The usual case, or its mirror image, at a limit."""
    price = D(str(limit))
    make = case if side is Side.BUY else short
    stop = price - 5 if side is Side.BUY else price + 5
    reference = D(str(more.pop("reference", 100)))
    wish = Intent(
        bot=BOT,
        symbol="SPY",
        side=side,
        size=Size(kind=SizeKind.QUANTITY, amount=D(10)),
        reference=reference,
        thesis="the script says so",
        order_type=OrderType.LIMIT,
        limit=price,
        protection=Protection(stop=stop),
    )
    fields: dict[str, Any] = {"intent": wish, "price": price, "unit_cost": price}
    return make(more.pop("snapshot", None), **(fields | more))


def legs(*signed: str) -> tuple[Leg, ...]:
    """Legs from contracts, ``-`` before one that is sold."""
    return tuple(
        Leg(symbol=one.lstrip("-"), side=Side.SELL if one.startswith("-") else Side.BUY, ratio=1, opens=True)
        for one in signed
    )


def leg_quote(symbol: str, **changes: Any) -> OptionQuote:
    """The usual quote of a contract."""
    bid, ask = PRICES.get(symbol, PRICES[P90])
    fields: dict[str, Any] = {"bid": D(bid), "ask": D(ask), "bid_size": D(10), "ask_size": D(10)} | changes
    return OptionQuote(symbol=symbol, at=AT, **fields)


def structure(*signed: str, side: Side, limit: Any, snapshot: Snapshot | None = None, **more: Any) -> Case:
    """100 units wished of a structure on SPY at a net price, whose chain was read this minute."""
    snapshot = snapshot or healthy()
    snapshot = replace(snapshot, sight=replace(snapshot.sight, chains_at={"SPY": AT}))
    wish = Intent(
        bot=BOT,
        symbol="SPY",
        side=side,
        size=Size(kind=SizeKind.QUANTITY, amount=D(100)),
        reference=D(str(limit)),
        thesis="the script says so",
        order_type=OrderType.LIMIT,
        limit=D(str(limit)),
        legs=legs(*signed),
    )
    lost = most_lost_of(wish.legs, D(str(limit)) * side.sign) or D(1)
    received = D(str(limit)) * 100 if side is Side.SELL else D(0)
    fields: dict[str, Any] = {
        "intent": wish,
        "price": D(str(limit)),
        "instrument": usual_instrument(wish.legs[0].symbol),
        "unit_cost": lost + received,
        "risk_per_unit": lost,
        "asked": D(100),
        "leg_quotes": tuple(leg_quote(leg.symbol) for leg in wish.legs),
    }
    return case(snapshot, **(fields | more))


def spread(limit: Any = "1.45", **more: Any) -> Case:
    """A bull put spread 5 wide for a credit of 1.45: it binds 500 dollars and can lose 355."""
    return structure(f"-{P95}", P90, side=Side.SELL, limit=limit, **more)


def condor(limit: Any = "2.90", **more: Any) -> Case:
    """An iron condor, both spreads 5 wide, for 2.90: it binds 500 dollars and can lose 210."""
    return structure(f"-{P95}", P90, f"-{C105}", C110, side=Side.SELL, limit=limit, **more)


def straddle(limit: Any = "4.20", **more: Any) -> Case:
    """A put and a call bought for 4.20: it costs 420 dollars and can lose them all."""
    return structure(P95, C105, side=Side.BUY, limit=limit, **more)


def secured_put(limit: Any = "2.00", **more: Any) -> Case:
    """A put at 95 sold for 2.00 against cash: it binds 9500 dollars and can lose 9300."""
    return structure(f"-{P95}", side=Side.SELL, limit=limit, **more)


def pair(side: Side = Side.BUY, **more: Any) -> Case:
    """A pair at 100 with the stop at 95."""
    quote = replace(healthy().sight.quotes["SPY"], symbol="BTC-USD")
    stop = D(95) if side is Side.BUY else D(105)
    wish = entry(symbol="BTC-USD", side=side, target=None, protection=Protection(stop=stop))
    fields: dict[str, Any] = {"intent": wish, "quote": quote, "instrument": usual_instrument("BTC-USD")}
    return case(more.pop("snapshot", None), **(fields | more))


def held_spread(bot: str = BOT, units: int = 1, entry_id: str = "s1") -> dict[str, Any]:
    """The holdings of the bull put spread: 2.05 received and 0.60 paid a share, so 355 dollars can be lost a unit."""
    sold = holding(P95, -units, "2.05", structure=entry_id, bot=bot, entry=entry_id)
    bought = holding(P90, units, "0.60", structure=entry_id, bot=bot, entry=entry_id)
    return {sold.key: sold, bought.key: bought}


def naked_call(bot: str = "b") -> dict[str, Any]:
    """A call that is owed and nothing beside it: nothing bounds what it can lose."""
    sold = holding(C105, -1, "2.05", structure="s9", bot=bot, entry="s9")
    return {sold.key: sold}


def admitted(
    *, bot: str = "b", symbol: str = "SPY", side: Side = Side.BUY, notional: Any = 0, risk: Any = 0, **more: Any
) -> Open:
    """An entry that this cycle has admitted."""
    signed = 0 if more.get("legs") else side.sign
    fields: dict[str, Any] = {"cash": D(notional), "sign": signed, "price": D(100)} | more
    bound = None if risk is None else D(risk)
    return Open(bot=bot, symbol=symbol, notional=D(notional), risk=bound, side=side, entering=True, **fields)


def after(usual: Case, *first: Open) -> Case:
    """A case that comes after entries which this cycle has admitted already."""
    return changed(usual, standing=standing(usual.snapshot.ledger, first))


def standing(ledger: Ledger, first: Sequence[Open] = ()) -> Standing:
    """A ledger's standing with entries admitted on top."""
    made = standing_of(ledger)
    for one in first:
        made.admit(one)
    return made


def ago(**past: float) -> Any:
    """A time before the case."""
    return AT - timedelta(**past)
