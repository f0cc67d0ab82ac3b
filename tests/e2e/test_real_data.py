"""The default policy on recorded prices of real weeks."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.place import Place
from tests.shared_data import shared_data

NEW_YORK = ZoneInfo("America/New_York")


def _local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(NEW_YORK)


@pytest.mark.drill
def test_the_default_policy_trades_recorded_weeks_within_its_hours_and_replays(certified: Place) -> None:
    data = shared_data()
    run = certified.hydra("run", "--data", data / "bars", data / "quotes", "--speed", "max", "--json")
    assert run.code == 0
    assert run.document["trades"]["closed"] > 0
    assert {reason["code"] for reason in run.document["skips"]} >= {"session", "bot_window", "no_signal"}
    assert all(reason["count"] > 0 and reason["last_reason"] for reason in run.document["skips"])

    entries = [_local(entry["data"]["order"]["sent_at"]) for entry in certified.entries()]
    assert [at for at in entries if not time(9, 35) <= at.time() < time(15, 30)] == []
    week = [at for at in entries if (at.year, at.month) == (2013, 10)]
    assert {at.day for at in week} <= {7, 8, 9, 10, 11}
    assert len(week) > 0
    _all_flat_in_time(certified)
    replay = certified.hydra("replay", "logs", "--json")
    assert replay.code == 0
    assert replay.document["difference"] is None

    again = certified.hydra("run", "--data", data / "bars", data / "quotes", "--cycles", "5", "--json")
    assert again.code == 0
    assert any("the account is flat, so it starts over from its beginning" in note for note in again.document["notes"])


def _all_flat_in_time(place: Place) -> None:
    """Nothing is held at the end of a cycle from 15:56 in New York to the next day's first entry."""
    held: dict[str, float] = defaultdict(float)
    for event in place.events():
        if event["kind"] != "observed":
            continue
        for fill in event["data"].get("fills", ()):
            held[fill["symbol"]] += float(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
        at = _local(event["data"]["at"])
        if at.time() >= time(15, 57):
            assert {symbol: left for symbol, left in held.items() if left} == {}, at
