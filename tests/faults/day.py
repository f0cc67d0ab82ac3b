"""The day that every cell plays: what is traded, at which prices, by which bot, under which policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from hydra.adapters.exchange.model import VenueSettings, as_at_alpaca
from hydra.model.events import SegmentOpened
from hydra.model.orders import Intent, Leg, OrderType, Side, Size, SizeKind
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.model.snapshot import View
from hydra.model.values import replace as changed
from hydra.policy import Bucket, OptionPolicy, Policy, StructureName
from hydra.ports import Bot
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote
from tests.fakes.outside import MINUTE, OPEN, entry, leave, policy
from tests.faults.cells import ENDS, ENTERS, ENTERS_AGAIN, FALLS, LEAVES, Scene

BOT = "scripted"
DEADLINE_SECONDS = 1.0
"""What all reads of a cycle may take together."""
CASH = Decimal(100_000)
LATENCY_MS = 500
"""What a cancellation takes at the venue that takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is traded on a scene's day: so much, entered at ``price``, given up at ``stop``, where the price falls to, and whether at once.

    ``structure``: two puts instead, the sold one first; ``quantity`` is then the contracts of both together.
    """

    symbol: str
    bucket: Bucket
    quantity: Decimal
    price: Decimal
    stop: Decimal
    target: Decimal
    spread: Decimal
    falls_to: Decimal
    gap: bool = False
    structure: tuple[str, str] | None = None

    @property
    def enters(self) -> tuple[str, Side]:
        """What is traded, on which side, when it gets in: of a structure, the contract that is sold."""
        return (self.symbol, Side.BUY) if self.structure is None else (self.structure[0], Side.SELL)


SPY = Script(
    symbol="SPY",
    bucket=Bucket.MOMENTUM,
    quantity=Decimal(10),
    price=Decimal(100),
    stop=Decimal(98),
    target=Decimal(104),
    spread=Decimal("0.01"),
    falls_to=Decimal("97.5"),
)
BTC = Script(
    symbol="BTC-USD",
    bucket=Bucket.CRYPTO,
    quantity=Decimal("0.1"),
    price=Decimal(20_000),
    stop=Decimal(19_600),
    target=Decimal(21_000),
    spread=Decimal(1),
    falls_to=Decimal(19_500),
)
SPREAD = replace(
    SPY,
    bucket=Bucket.OPTIONS,
    quantity=Decimal(4),
    structure=("SPY240315P00098000", "SPY240315P00095000"),
)
CREDIT = Decimal("0.70")
_QUOTED = (("1.20", "1.25"), ("0.45", "0.50"))
_AFTER_THE_FALL = (("2.90", "3.00"), ("1.00", "1.05"))
SCRIPTS: Mapping[Scene, Script] = {Scene.SHARES: SPY, Scene.PAIR: BTC, Scene.LATE: SPY, Scene.SPREAD: SPREAD}
SETTINGS: Mapping[Scene, VenueSettings] = {
    Scene.SHARES: as_at_alpaca(CASH),
    Scene.PAIR: as_at_alpaca(CASH),
    Scene.LATE: changed(as_at_alpaca(CASH), latency_ms=LATENCY_MS),
    Scene.SPREAD: as_at_alpaca(CASH),
}


def minute_of(at: datetime) -> int:
    """Minutes after the opening."""
    return int((at - OPEN).total_seconds() // 60)


def eager(script: Script, bot_id: str = BOT) -> Bot:
    """A bot that wishes the same again and again for as long as it has not got it: what could double an order, would."""

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        minute = minute_of(view.at)
        holds = bool(view.holdings)
        if not holds and (ENTERS <= minute < LEAVES or ENTERS_AGAIN <= minute < FALLS):
            if script.structure is not None:
                return [_spread(script.structure, bot_id)], memory
            wish = entry(
                bot_id,
                script.symbol,
                stop=script.stop,
                target=script.target,
                quantity=script.quantity,
                reference=script.price,
            )
            return [wish], memory
        if holds and LEAVES <= minute < ENTERS_AGAIN:
            return [leave(bot_id, script.symbol, abs(next(iter(view.holdings.values())).quantity))], memory
        return [], memory

    return bot


def _spread(contracts: tuple[str, str], bot_id: str) -> Intent:
    """Two units: the first put sold, the second bought, at what is bid and asked."""
    sides = (Side.SELL, Side.BUY)
    return Intent(
        bot=bot_id,
        symbol=SPY.symbol,
        side=Side.SELL,
        size=Size(kind=SizeKind.QUANTITY, amount=Decimal(2)),
        reference=CREDIT,
        order_type=OrderType.LIMIT,
        limit=CREDIT,
        legs=tuple(Leg(symbol=c, side=side, ratio=1, opens=True) for c, side in zip(contracts, sides, strict=True)),
        thesis="the script says so",
    )


def feed_of(script: Script) -> ScriptedFeed:
    """The price stands still, and falls through the stop once."""
    feed = ScriptedFeed(symbols=[script.symbol])
    for number in range(ENDS + 8):
        at = OPEN + number * MINUTE
        first = script.price if number < FALLS + (not script.gap) else script.falls_to
        last = script.price if number < FALLS else script.falls_to
        feed.add(bar(script.symbol, at, (first, first, last, last)))
        feed.add(quote(script.symbol, at + MINUTE, last - script.spread, last + script.spread))
        prices = _QUOTED if number < FALLS else _AFTER_THE_FALL
        for contract, (bid, ask) in zip(script.structure or (), prices, strict=False):
            feed.add(option_quote(contract, at + MINUTE, bid, ask))
    return feed


_AT_ONCE = {"option_exits": ("loss_multiple",), "cool_down_minutes": 0, "duplicate_seconds": 0}
"""Nothing keeps a bot from wishing the same again at once."""
_OPTION = OptionPolicy(
    structure=StructureName.BULL_PUT_SPREAD,
    days_least=2,
    days_most=30,
    width=Decimal(3),
    profit_share=None,
    loss_multiple=Decimal(1),
)


def rules_of(script: Script, bots: Sequence[str] = (BOT,), **risk: Any) -> Policy:
    """The paper policy with a window of failures that single reads can fill, and limits that are a few cycles away.

    Nothing closes a position for its age or the day's end; ``risk`` has other keys of that section.
    """
    plain: dict[str, Any] = {"symbols": (script.symbol,), "bucket": script.bucket, "trades_per_day": 100}
    if script.structure is not None:
        plain |= {"option": _OPTION, "signal": None, "stop_loss": None, "take_profit": None}
    return policy(
        bots=[{"id": bot, **plain} for bot in bots],
        broker={"name": "alpaca"},
        market={"name": "alpaca"},
        engine={"unknown_grace_seconds": Decimal(30), "read_deadline_seconds": Decimal(str(DEADLINE_SECONDS))},
        health={"failure_window_seconds": 600, "failed_reads": 5, "residual_cycles": 3},
        risk={"unprotected_seconds": 90, "exits": ("stop_loss", "take_profit", "time_stop"), **_AT_ONCE, **risk},
    )


def binding_of(rules: Policy, account_id: str) -> Binding:
    """What is running, always the same."""
    return Binding(
        policy_hash=rules.hash, code_hash="code", account_id=account_id, url="http://sim", mode="paper", host="here"
    )


def certificate_of(rules: Policy, account_id: str) -> Certificate:
    """The certificate that fits it."""
    shared = {name: getattr(binding_of(rules, account_id), name) for name in Binding.__struct_fields__}
    return Certificate(wall=OPEN, minutes=15, head="0" * 64, **shared)


def segment_of(rules: Policy) -> SegmentOpened:
    """A segment's opening."""
    return SegmentOpened(
        segment=1,
        wall=OPEN,
        command="hydra run",
        host="here",
        pid=7,
        version="0",
        code_hash="code",
        policy_hash=rules.hash,
        policy=rules.document(),
        seed=1,
        market="script",
        practice=False,
        ledger=Ledger(),
    )
