"""Worlds that are made to break one claim: tight numbers, greedy bots, and a rule book from which the guard has been taken."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hydra.adapters.exchange.model import VenueSettings
from hydra.model.orders import Ceiling
from hydra.policy import Blackout, BotPolicy, SessionPolicy
from hydra.qc.rehearsal.beats import Beat, Move
from hydra.qc.rehearsal.world import OPENING, World
from hydra.risk.plugs import Case, RuleBook
from tests.fakes import outside
from tests.machine.crew import DAY, WILD
from tests.machine.worlds import contracts_on, draw_world, plugs

LOOSE: dict[str, Any] = {
    **dict.fromkeys(("daily_loss", "drawdown", "risk_per_trade", "risk_per_trade_cap", "symbol_exposure"), Decimal(1)),
    **dict.fromkeys(("net_exposure", "group_exposure", "spread", "option_spread", "price_collar"), Decimal(1)),
    **dict.fromkeys(("entry_slippage", "option_loss", "jump", "day_start_change"), Decimal(1)),
    **dict.fromkeys(("cash_reserve", "stop_limit_slack"), Decimal(0)),
    "gross_exposure": Decimal(4),
    "order_notional": Decimal(10) ** 9,
    "orders_per_minute": 200,
    "trades_a_day": 10_000,
    "positions": 1000,
    "cool_down_minutes": 0,
    "duplicate_seconds": 0,
    "loss_streak": 1000,
    "unprotected_seconds": 30,
    "flatten_before_close_minutes": 0,
    "groups": {"all": ("SPY", "QQQ")},
    "kill_flattens": (),
    "short": True,
    "margin": True,
}


def yes(case: Case) -> Ceiling:
    """A rule that admits everything."""
    return Ceiling(rule="yes", quantity=case.asked, reason="it admits everything")


def rigged(*, temper: str = "eager", bots: int = 2, bot: dict[str, Any] | None = None, **risk: Any) -> World:
    """Two symbols with contracts, wild bots that may sell short, an account that takes all of it, and nothing that goes wrong."""
    base = draw_world(1)
    session = SessionPolicy(**DAY)
    made = tuple(
        BotPolicy(
            **{
                "id": f"wild-{number}",
                "bot": WILD,
                "enabled": True,
                "bucket": "momentum",
                "symbols": ("SPY", "QQQ"),
                "session": session,
                "trades_per_day": 1000,
                "positions": 50,
                "stop_loss": Decimal("0.01"),
                "shorts": True,
                **(bot or {}),
            }
        )
        for number in range(bots)
    )
    paper = outside.policy()
    risk_policy = paper.risk.model_copy(
        update={**LOOSE, "exits": plugs()["exits"], "rules": ("short_permission",), **risk}
    )
    policy = paper.model_copy(
        update={
            "bots": made,
            "risk": risk_policy,
            "health": paper.health.model_copy(update={"gates": plugs()["gates"]}),
        }
    )
    return replace(
        base,
        policy=policy,
        account=VenueSettings(starting_cash=Decimal(100_000), multiplier=4, shorting=True),
        symbols=("SPY", "QQQ"),
        contracts=contracts_on(("SPY",)),
        wild={one.id: temper for one in made},
        sizes=(100_000,),
        troubled=False,
    )


def toothless(book: RuleBook) -> RuleBook:
    """The rule book with one rule, which admits everything."""
    return replace(book, rules={"yes": yes})


def quiet(count: int, *, points: int = 0, **first: Any) -> list[Beat]:
    """Beats of 15 seconds in which every price moves by so many hundredths of a percent."""
    moves = (Move(points), Move(points))
    beats = [Beat(seconds=15, moves=moves) for _ in range(count)]
    return [replace(beats[0], **first), *beats[1:]] if first else beats


TODAY = Blackout(day=OPENING.date())
