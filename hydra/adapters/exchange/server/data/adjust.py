"""Bars as if today's shares had always been those: adjusted for splits and dividends that have happened by now.

A split of ``old`` shares into ``new`` divides the prices before it by new / old and multiplies the volumes. A cash dividend
multiplies the prices before its ex-date by 1 - cash / c, with c the last daily close before that date (the usual
back-adjustment, as in CRSP's data); without such a close it changes nothing. What has not happened by the venue's clock is not adjusted for.
Prices are rounded to a hundredth of a cent. No feed plays spin-offs, so that adjustment is accepted and has nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.exchange.server.data.frames import Candle, midnight_of
from hydra.adapters.exchange.server.data.tape import Tape
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.money import ONE

WORDS = ("raw", "split", "dividend", "spin-off", "all")
_SPLITS = (ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT)
_PLACES = 4


class Step(NamedTuple):
    """What an action does to everything before its day."""

    ex_date: date
    price: Decimal
    volume: Decimal


def steps_for(tape: Tape, words: Sequence[str], actions: Sequence[CorporateAction], now: datetime) -> list[Step]:
    """The steps that ``words`` (of ``WORDS``) ask for, by date."""
    today = now.astimezone(NEW_YORK).date()
    kinds: set[ActionKind] = set()
    if {"split", "all"}.intersection(words):
        kinds.update(_SPLITS)
    if {"dividend", "all"}.intersection(words):
        kinds.add(ActionKind.CASH_DIVIDEND)
    mine = [each for each in actions if each.symbol == tape.symbol and each.kind in kinds and each.ex_date <= today]
    steps = [_step(tape, each) for each in sorted(mine, key=lambda each: each.ex_date)]
    return [each for each in steps if each is not None]


def adjuster(steps: Sequence[Step]) -> Callable[[Candle], Candle]:
    """What turns a raw candle into an adjusted one."""

    def adjust(candle: Candle) -> Candle:
        day = candle.at.astimezone(NEW_YORK).date()
        price = volume = ONE
        for step in steps:
            if day < step.ex_date:
                price *= step.price
                volume *= step.volume
        if price == volume == ONE:
            return candle
        return candle._replace(
            open=round(candle.open * price, _PLACES),
            high=round(candle.high * price, _PLACES),
            low=round(candle.low * price, _PLACES),
            close=round(candle.close * price, _PLACES),
            vwap=round(candle.vwap * price, _PLACES),
            volume=candle.volume * volume,
        )

    return adjust


def _step(tape: Tape, action: CorporateAction) -> Step | None:
    if action.kind in _SPLITS:
        return Step(action.ex_date, action.old_rate / action.new_rate, action.new_rate / action.old_rate)
    day_before = midnight_of(action.ex_date, NEW_YORK) - timedelta(microseconds=1)
    before = next(tape.days_down(day_before), None)
    if before is None or action.cash >= before.close:
        return None
    return Step(action.ex_date, ONE - action.cash / before.close, ONE)
