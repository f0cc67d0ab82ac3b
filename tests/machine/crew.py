"""The bots of a world: real ones with drawn numbers, and wild ones that wish anything, valid or absurd.

A wild bot is a pure function like any other: its chance comes from the world's seed, its own name and the time it is shown, so a
journal that has it replays. It keeps nothing for itself but a small memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hydra.model.market import AssetClass, OptionQuote, asset_class_of
from hydra.model.orders import Intent, Leg, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.policy import BotPolicy
from hydra.ports import Bot

WILD = "tests.machine.crew:wild"
DAY = {"trade_start": "14:30", "trade_end": "20:55", "manage_until": "20:58"}
SIGNALS: Mapping[str, Mapping[str, Any]] = {
    "sma_cross": {"fast": 2, "slow": 5},
    "breakout": {"lookback": 4},
    "rate_of_change": {"lookback": 2, "window": 10, "threshold": 0.5},
    "opening_range": {"minutes": 10, "open": "14:30", "until": "15:15"},
    "vwap": {"distance": 0.001, "mode": "reversion", "open": "14:30", "until": "15:15"},
}
"""Parameters quick enough to act within a voyage, for the signals that need some."""


def is_wild(bot: BotPolicy) -> bool:
    """Whether a bot is one of the hostile ones."""
    return bot.bot == WILD


def draw_bots(
    chance: random.Random,
    symbols: Sequence[str],
    contracts: Sequence[str],
    plugs: Mapping[str, tuple[str, ...]],
    *,
    shorts: bool,
) -> list[dict[str, Any]]:
    """One to six bots, as a configuration writes them."""
    shares = [symbol for symbol in symbols if asset_class_of(symbol) is AssetClass.EQUITY]
    pairs = [symbol for symbol in symbols if symbol not in shares]
    drawn = []
    for number in range(chance.randint(1, 6)):
        kind = chance.choice(("wild", "wild", "wild", "momentum", "crypto", "options"))
        if kind == "crypto" and pairs and "crypto" in plugs["bots"]:
            drawn.append(_real(chance, f"crypto-{number}", "crypto", pairs, plugs, shorts=False))
        elif kind == "options" and contracts and "options" in plugs["bots"]:
            drawn.append(_options(chance, f"options-{number}", sorted({_root(one) for one in contracts})))
        elif kind == "momentum" and shares:
            drawn.append(_real(chance, f"momentum-{number}", "momentum", shares, plugs, shorts=shorts))
        elif contracts and chance.random() < 0.5:
            drawn.append(
                _wild_options(chance, f"wild-{number}", sorted({_root(one) for one in contracts}), shorts=shorts)
            )
        else:
            drawn.append(_wild(chance, f"wild-{number}", symbols, shorts=shorts))
    return drawn


def _root(contract: str) -> str:
    return contract.rstrip("0123456789").rstrip("CP").rstrip("0123456789")


def _numbers(chance: random.Random) -> dict[str, Any]:
    budget = {"daily_loss": chance.choice(("0.2", "1")), "open_risk": chance.choice(("0.2", "1"))}
    return {
        "enabled": True,
        "session": DAY,
        "trades_per_day": chance.choice((1, 3, 20, 1000)),
        "positions": chance.choice((1, 2, 20)),
        "budget": budget,
    }


def _exits(chance: random.Random) -> dict[str, Any]:
    """What a bot with stops may have besides."""
    found: dict[str, Any] = {"stop_loss": chance.choice(("0.002", "0.01", "0.05"))}
    if chance.random() < 0.5:
        found["take_profit"] = chance.choice(("0.004", "0.03"))
    if chance.random() < 0.4:
        found["break_even"] = chance.choice(("0.001", "0.003"))
    if chance.random() < 0.5:
        by = chance.choice(("percent", "atr", "chandelier"))
        found["trailing"] = {"by": by, "distance": "0.004" if by == "percent" else "2", "bars": 5}
    if chance.random() < 0.4:
        found["time_stop_minutes"] = chance.choice((2, 20))
    return found


def _wild(chance: random.Random, name: str, symbols: Sequence[str], *, shorts: bool) -> dict[str, Any]:
    own = chance.sample(list(symbols), chance.randint(1, len(symbols)))
    return {
        **_numbers(chance),
        **_exits(chance),
        "id": name,
        "bot": WILD,
        "bucket": "momentum",
        "symbols": own,
        "shorts": shorts and chance.random() < 0.7,
    }


CHAINS = {"structure": "iron_condor", "width": "4", "days_least": 2, "days_most": 30, "overnight": True}
"""What makes a bot one that is shown chains; a wild one heeds none of it."""


def _wild_options(chance: random.Random, name: str, underlyings: Sequence[str], *, shorts: bool) -> dict[str, Any]:
    return {
        **_numbers(chance),
        "id": name,
        "bot": WILD,
        "bucket": "options",
        "symbols": list(underlyings),
        "shorts": shorts,
        "option": {**CHAINS, "profit_share": "0.2", "loss_multiple": chance.choice(("0.2", "2"))},
    }


def _real(
    chance: random.Random,
    name: str,
    kind: str,
    symbols: Sequence[str],
    plugs: Mapping[str, tuple[str, ...]],
    *,
    shorts: bool,
) -> dict[str, Any]:
    signal = chance.choice([each for each in plugs["signals"] if each in SIGNALS])
    own = chance.sample(list(symbols), chance.randint(1, len(symbols)))
    limit = {"type": "limit", "slippage": chance.choice(("0.0005", "0.005")), "spread": "0.05", "seconds": 30}
    return {
        **_numbers(chance),
        **_exits(chance),
        "id": name,
        "bot": kind,
        "bucket": kind,
        "symbols": own,
        "shorts": shorts and chance.random() < 0.5,
        "signal": signal,
        "parameters": SIGNALS[signal],
        "size": {"by": "notional", "amount": chance.choice(("500", "20000"))},
        **({"entry": limit} if kind == "crypto" or chance.random() < 0.3 else {}),
    }


def _options(chance: random.Random, name: str, underlyings: Sequence[str]) -> dict[str, Any]:
    structure = chance.choice(
        ("cash_secured_put", "bull_put_spread", "bear_call_spread", "iron_condor", "long_straddle")
    )
    spread = structure not in ("cash_secured_put", "long_straddle")
    overnight = chance.random() < 0.3
    option: dict[str, Any] = {
        "structure": structure,
        "days_least": 2,
        "days_most": 30,
        "delta": "0.3",
        "delta_band": "0.25",
        "spread_most": "2",
        "waive": ["volume", "open_interest"],
        "overnight": overnight,
        "profit_share": chance.choice(("0.1", "0.5")),
        "loss_multiple": chance.choice(("0.2", "2")),
    }
    if spread:
        option["width"] = "4"
    return {
        **_numbers(chance),
        "id": name,
        "bot": "options",
        "bucket": "options",
        "symbols": chance.sample(list(underlyings), chance.randint(1, len(underlyings))),
        "option": option,
        **({"time_stop_minutes": 30} if chance.random() < 0.5 else {}),
    }


# -- the wild ones


def wild(policy: BotPolicy, temper: str, seed: int) -> Bot:
    """A bot that wishes what its chance says, at every cycle at which it is asked."""

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        chance = random.Random(f"{seed} {policy.id} {view.at.isoformat()}")
        if temper == "absurd" and chance.random() < 0.1:
            return _nonsense(chance)  # type: ignore[no-any-return]  # an answer that is none
        wishes = _wishes(chance, view, policy, temper)
        return wishes, {**memory, "asked": memory.get("asked", 0) + 1} if wishes else memory

    return bot


def _nonsense(chance: random.Random) -> Any:
    """An answer that is none."""
    how = chance.randrange(4)
    if how == 0:
        raise RuntimeError("the machine's bot breaks")
    return (None, ["not a wish"], ([], {"memory": object()}))[how - 1]


def _wishes(chance: random.Random, view: View, policy: BotPolicy, temper: str) -> list[Intent]:
    count = {"eager": (0, 0, 1, 1, 2), "greedy": (1, 2, 3, 6), "absurd": (0, 1, 3, 12, 51)}[temper]
    wishes = []
    for _ in range(chance.choice(count)):
        draw = _structure if policy.option is not None and chance.random() < 0.7 else chance.choice(_DRAWS[temper])
        wish = draw(chance, view, policy)
        if wish is not None:
            wishes.append(wish)
    return wishes


def _near(chance: random.Random, price: Decimal, spread: float) -> Decimal:
    return max(Decimal("0.01"), (price * Decimal(str(1 + chance.uniform(-spread, spread)))).quantize(Decimal("0.01")))


def _size(chance: random.Random, price: Decimal) -> Size:
    kind = chance.choice(tuple(SizeKind))
    if kind is SizeKind.RISK:
        return Size(kind=kind, amount=Decimal(chance.choice(("0.0001", "0.005", "0.02", "1"))))
    dollars = Decimal(chance.choice((50, 1000, 20_000, 500_000, 10**9)))
    return Size(kind=kind, amount=dollars if kind is SizeKind.NOTIONAL else max(Decimal("0.0001"), dollars / price))


def _enter(chance: random.Random, view: View, policy: BotPolicy) -> Intent | None:
    """An entry that could be meant: a stop on the losing side of the market."""
    quotes = [symbol for symbol in view.symbols if symbol in view.quotes]
    if not quotes:
        return None
    symbol = chance.choice(quotes)
    side = Side.BUY if not policy.shorts or chance.random() < 0.6 else Side.SELL
    quote = view.quotes[symbol]
    price = quote.ask if side is Side.BUY else quote.bid
    limit = _near(chance, price, 0.003) if chance.random() < 0.35 else None
    expected = price if limit is None else limit
    away = Decimal(chance.choice(("0.001", "0.004", "0.02", "0.2")))
    stop = (expected * (1 - away * side.sign)).quantize(Decimal("0.0001"))
    target = (expected * (1 + 2 * away * side.sign)).quantize(Decimal("0.01")) if chance.random() < 0.5 else None
    if stop <= 0 or (expected - stop) * side.sign <= 0 or (target is not None and (target - expected) * side.sign <= 0):
        return None
    return Intent(
        bot=policy.id,
        symbol=symbol,
        side=side,
        size=_size(chance, price),
        reference=price,
        thesis="chance",
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit=limit,
        protection=Protection(stop=stop, target=target),
    )


def _leave(chance: random.Random, view: View, policy: BotPolicy) -> Intent | None:
    """An exit of something, often held."""
    symbol = chance.choice(tuple(view.holdings) or view.symbols)
    held = view.holdings.get(symbol)
    side = Side.SELL if held is None or held.quantity > 0 else Side.BUY
    price = view.quotes[symbol].mid if symbol in view.quotes else Decimal(100)
    quantity = Decimal(1) if held is None else abs(held.quantity) * chance.choice((1, 1, 3))
    return Intent(
        bot=policy.id,
        symbol=symbol,
        side=side if chance.random() < 0.9 else side.opposite,
        size=Size(kind=SizeKind.QUANTITY, amount=quantity),
        reference=price,
        purpose=Purpose.EXIT,
        thesis="chance",
    )


def _absurd(chance: random.Random, view: View, policy: BotPolicy) -> Intent | None:
    """A value that can be built and should never trade as it stands."""
    known = [*view.symbols, *view.symbols, "ZZZZ", "DOGE-USD", "SPY", "BTC-USD"]
    symbol = chance.choice(known)
    price = view.quotes[symbol].mid if symbol in view.quotes else Decimal(100)
    side = chance.choice((Side.BUY, Side.SELL))
    reference = price * Decimal(chance.choice(("0.0001", "0.5", "1", "2", "10000")))
    away = Decimal(chance.choice(("0.000001", "0.01", "0.99", "1000")))
    stop = reference * (1 - away * side.sign)
    limit = reference if chance.random() < 0.5 else None
    if stop <= 0:
        return None
    amount = Decimal(chance.choice(("1e-9", "0.5", "1", "1e12", "1e25")))
    return Intent(
        bot=policy.id if chance.random() < 0.9 else "somebody",
        symbol=symbol,
        side=side,
        size=Size(kind=chance.choice((SizeKind.QUANTITY, SizeKind.NOTIONAL)), amount=amount),
        reference=reference,
        thesis="absurd",
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit=limit,
        protection=Protection(stop=stop),
    )


def _structure(chance: random.Random, view: View, policy: BotPolicy) -> Intent | None:
    """Contracts at one net price: mostly spreads, condors and straddles, but also naked ones, mixed expiries and odd ratios."""
    underlying = chance.choice(view.symbols)
    quoted = [one for one in view.chains.get(underlying, ()) if one.bid is not None and one.ask is not None]
    if len(quoted) < 4:
        return None
    expiry = chance.choice(quoted).symbol[len(underlying) : len(underlying) + 6]
    same = [one for one in quoted if one.symbol[len(underlying) :].startswith(expiry)]
    meant = chance.random() < 0.75
    chosen = _meant(chance, same, len(underlying)) if meant else _odd(chance, quoted)
    if not chosen:
        return None
    legs = tuple(Leg(symbol=one.symbol, side=side, ratio=ratio, opens=True) for one, side, ratio in chosen)
    net = sum((side.sign * ratio * _side_price(one, side) for one, side, ratio in chosen), Decimal(0))
    if net == 0:
        return None
    units = Size(kind=SizeKind.QUANTITY, amount=Decimal(chance.choice((1, 1, 2, 10))))
    return Intent(
        bot=policy.id,
        symbol=underlying,
        side=Side.BUY if net > 0 else Side.SELL,
        size=units if meant else _size(chance, Decimal(100)),
        reference=abs(net),
        thesis="chance",
        order_type=OrderType.LIMIT,
        limit=abs(net) if chance.random() < 0.7 else _near(chance, abs(net), 0.05),
        legs=legs,
    )


_Chosen = list[tuple[OptionQuote, Side, int]]


def _meant(chance: random.Random, quoted: Sequence[OptionQuote], root: int) -> _Chosen:
    """A vertical, a condor, a straddle, or a contract that is bought."""
    by_right = {
        right: sorted((q for q in quoted if q.symbol[root + 6] == right), key=lambda q: q.symbol) for right in "CP"
    }
    kind = chance.choice(("vertical", "vertical", "condor", "straddle", "long"))
    if min(map(len, by_right.values())) < 2:
        return []
    if kind == "long":
        return [(chance.choice(quoted), Side.BUY, 1)]
    if kind == "straddle":
        place = chance.randrange(min(map(len, by_right.values())))
        return [(by_right[right][place], Side.BUY, 1) for right in "CP"]
    found: _Chosen = []
    for right in "CP" if kind == "condor" else chance.choice("CP"):
        low, high = sorted(chance.sample(range(len(by_right[right])), 2))
        near, far = (low, high) if right == "C" else (high, low)
        bought, sold = (far, near) if kind == "condor" or chance.random() < 0.5 else (near, far)
        found += [(by_right[right][sold], Side.SELL, 1), (by_right[right][bought], Side.BUY, 1)]
    return found


def _odd(chance: random.Random, quoted: Sequence[OptionQuote]) -> _Chosen:
    """Any contracts, either way, in any ratio in lowest terms."""
    chosen = chance.sample(list(quoted), chance.randint(1, 4))
    ratios = [1, *(chance.choice((1, 1, 2, 3)) for _ in chosen[1:])]
    return [(one, chance.choice((Side.BUY, Side.SELL)), ratio) for one, ratio in zip(chosen, ratios, strict=True)]


def _side_price(quote: OptionQuote, side: Side) -> Decimal:
    price = quote.ask if side is Side.BUY else quote.bid
    assert price is not None
    return price


_Draw = Callable[[random.Random, View, BotPolicy], Intent | None]
_DRAWS: Mapping[str, tuple[_Draw, ...]] = {
    "eager": (_enter, _enter, _enter, _enter, _structure, _leave),
    "greedy": (_enter, _enter, _structure),
    "absurd": (_enter, _absurd, _absurd, _structure, _leave),
}
