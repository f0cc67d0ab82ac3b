"""Policies for days: who needs hours to trade in, and what becomes of a lone bot's where a day is one bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hydra.adapters.calendar import AlwaysOpen, DayCalendar, ExchangeCalendar
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.bootstrap.backtest import alone, by_days
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.venues import account_of, calendar_of
from hydra.policy import DAY_SECONDS, Policy
from tests.e2e.place import PAPER

HOURS = ExchangeCalendar()
DAYS = "date,open,high,low,close,volume\n2024-11-26,99,101,98,100,1000\n2024-11-27,102,103,101,102,2000\n"
MINUTES = "timestamp,open,high,low,close,volume\n2024-11-26T14:30:00Z,9,9,9,9,1\n2024-11-26T14:31:00Z,9,9,9,9,1\n"


def paper() -> Policy:
    return load_policy(PAPER, {}, None)


def feed_of(folder: Path, **files: str) -> RecordedFeed:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(text)
    return RecordedFeed.open([folder], calendar=HOURS)


def without_session(bar_seconds: int, **more: Any) -> dict[str, Any]:
    document = paper().document()
    document["market"]["bar_seconds"] = bar_seconds
    document["bots"] = [{**document["bots"][0], "session": None, **more}]
    return document


def test_shares_by_days_need_no_hours() -> None:
    assert Policy.model_validate(without_session(DAY_SECONDS)).bots[0].session is None


@pytest.mark.parametrize("name", ["minutes", "another broker", "contracts"])
def test_all_other_shares_need_hours(name: str) -> None:
    document = without_session(60 if name == "minutes" else DAY_SECONDS)
    if name == "another broker":
        document["broker"]["name"], document["market"]["name"] = "alpaca", "alpaca"
    if name == "contracts":
        put_spread = next(bot for bot in paper().document()["bots"] if bot["option"] is not None)
        document["bots"] = [{**put_spread, "session": None}]
    with pytest.raises(ValidationError, match="session is needed: only pairs are traded around the clock"):
        Policy.model_validate(document)


def test_a_lone_bot_loses_its_hours_and_what_ends_within_a_day(tmp_path: Path) -> None:
    lone = alone(paper(), "momentum", ["ABC"])
    assert lone.bots[0].session is not None
    made = by_days(lone, feed_of(tmp_path, ABC_1day=DAYS))
    assert (made.bots[0].session, made.bots[0].time_stop_minutes) == (None, None)
    assert made.market.bar_seconds == DAY_SECONDS
    kept = ("symbols", "stop_loss", "take_profit", "size", "trades_per_day")
    assert [getattr(made.bots[0], name) for name in kept] == [getattr(lone.bots[0], name) for name in kept]
    assert by_days(made, feed_of(tmp_path, ABC_1day=DAYS)) == made
    assert account_of(made).bar_seconds == 60, "the price of a day is that of its opening"


def test_it_keeps_them_where_a_share_comes_in_minutes(tmp_path: Path) -> None:
    lone = alone(paper(), "momentum", ["ABC", "XYZ"])
    assert by_days(lone, feed_of(tmp_path, ABC_1day=DAYS, XYZ_1min=MINUTES)) == lone


def test_only_where_a_day_is_a_bar_the_calendar_tells_of_the_session_before(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    days, minutes = feed_of(tmp_path, ABC_1day=DAYS), feed_of(tmp_path / "m", XYZ_1min=MINUTES)
    assert isinstance(calendar_of(days, HOURS, always=False), DayCalendar)
    assert calendar_of(minutes, HOURS, always=False) is HOURS
    assert isinstance(calendar_of(days, HOURS, always=True), AlwaysOpen)
