"""Recorded corporate actions, and an invented market that follows those it is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from math import log
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.markets.ladders import Listing
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.model.errors import BadConfig, Invalid

CALENDAR = ExchangeCalendar()
HEAD = "kind,symbol,ex_date,old_rate,new_rate,cash,new_symbol,payable_date\n"
SPLIT = "forward_split,SPY,2024-01-03,1,4,,,\n"
PAID = "cash_dividend,SPY,2024-01-05,,,1.75,,2024-01-31\n"
BARS = "timestamp,open,high,low,close,volume\n2024-01-02T15:00:00Z,10,11,9.5,10.2,100\n"

Open = Callable[..., RecordedFeed]


@pytest.fixture
def play(tmp_path: Path) -> Open:
    (tmp_path / "SPY-1min.csv").write_text(BARS, encoding="utf-8")

    def opened(text: str, name: str = "corporate-actions.csv", **options) -> RecordedFeed:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return RecordedFeed.open([tmp_path], **options)

    return opened


def split(day: date = date(2024, 7, 2), **changes) -> CorporateAction:
    terms: dict[str, Any] = {"kind": ActionKind.FORWARD_SPLIT, "symbol": "SPY", "ex_date": day, "new_rate": Decimal(4)}
    return CorporateAction(**(terms | changes))


def test_actions_are_read_with_the_usual_terms_where_a_cell_is_empty(play: Open) -> None:
    feed = play(HEAD + PAID + SPLIT + "name_change,SPY,2024-01-08,,,,SPX,\n")
    assert feed.actions == (
        split(date(2024, 1, 3)),
        CorporateAction(
            kind=ActionKind.CASH_DIVIDEND,
            symbol="SPY",
            ex_date=date(2024, 1, 5),
            cash=Decimal("1.75"),
            payable_date=date(2024, 1, 31),
        ),
        CorporateAction(kind=ActionKind.NAME_CHANGE, symbol="SPY", ex_date=date(2024, 1, 8), new_symbol="SPX"),
    )
    assert "SPY: becomes SPX on 2024-01-08, which is not played" in feed.notes


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("spin_off,SPY,2024-01-03,1,4,,,", "kind 'spin_off' is none of forward_split"),
        (",SPY,2024-01-03,1,4,,,", "kind '' is none of"),
        (SPLIT[:-1], "forward_split of SPY on 2024-01-03 a second time"),
        ("forward_split,SPY,2024-01-06,1,4,,,", "the exchange does not trade on that day"),
        ("forward_split,SPY,2024-01-15,1,4,,,", "the exchange does not trade on that day"),
        ("forward_split,SPY,soon,1,4,,,", "ex_date 'soon' is no date"),
        ("forward_split,SPY,,1,4,,,", "ex_date '' is no date"),
        ("forward_split,SPY,1924-01-03,1,4,,,", "outside the years 1970 to 2199"),
        ("forward_split,SPY,2024-01-04,4,1,,,", "must be above old_rate"),
        ("forward_split,SPY,2024-01-04,,,,,", "must be above old_rate"),
        ("reverse_split,SPY,2024-01-04,1,4,,,", "must be below old_rate"),
        ("forward_split,SPY,2024-01-04,0,4,,,", "old_rate must be above 0"),
        ("forward_split,SPY,2024-01-04,1,nan,,,", "new_rate 'nan' is not a finite number"),
        ("forward_split,SPY,2024-01-04,1,4,1,,", "cash belongs to a cash_dividend"),
        ("cash_dividend,SPY,2024-01-04,,,,,", "cash belongs to a cash_dividend"),
        ("cash_dividend,SPY,2024-01-04,,,-1,,", "cash must be at least 0"),
        ("cash_dividend,SPY,2024-01-04,1,2,1,,", "must be the same as old_rate"),
        ("cash_dividend,SPY,2024-01-04,,,1,,2024-01-03", "on its ex_date or later"),
        ("name_change,SPY,2024-01-04,,,,,", "new_symbol belongs to a name_change"),
        ("name_change,SPY,2024-01-04,,,,SPY,", "as before"),
        ("name_change,SPY,2024-01-04,,,,BTC-USD,", "new_symbol BTC-USD is no equity"),
        ("forward_split,BTC-USD,2024-01-04,1,4,,,", "symbol BTC-USD is no equity"),
        ("forward_split,,2024-01-04,1,4,,,", "not a symbol: ''"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_by_file_and_row(play: Open, row: str, reason: str) -> None:
    with pytest.raises(BadConfig) as caught:
        play(HEAD + SPLIT + row + "\n")
    assert "corporate-actions.csv: row 3: " in str(caught.value)
    assert reason in str(caught.value)


def test_wrong_columns_are_refused_with_the_right_ones(play: Open) -> None:
    with pytest.raises(BadConfig, match="corporate actions have kind,symbol,ex_date"):
        play("kind,symbol,ex_date\n")


def test_a_double_in_another_file_is_refused_too(play: Open) -> None:
    play(HEAD + SPLIT, "corporate-actions-2023.csv")
    with pytest.raises(BadConfig, match=r"a second time, as in .*2023\.csv: row 2"):
        play(HEAD + SPLIT)


def test_actions_of_other_symbols_are_left_out_and_named(play: Open) -> None:
    bare = play(HEAD)
    assert bare.actions == ()
    feed = play(HEAD + SPLIT.replace("SPY", "AAPL"))
    assert feed.actions == ()
    assert "not used: corporate actions of other symbols: AAPL" in feed.notes
    assert feed.fingerprint == bare.fingerprint
    assert feed.fingerprint != play(HEAD + SPLIT).fingerprint


def test_no_actions_need_no_file_and_recorded_prices_are_played_as_they_are(play: Open) -> None:
    feed = play(HEAD + SPLIT)
    (bar,) = feed.bars(datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    assert bar.close == Decimal("10.2")


def invented(*actions: CorporateAction, **options) -> SyntheticFeed:
    return SyntheticFeed(7, ("SPY", "BTC-USD"), date(2024, 6, 26), CALENDAR, actions=actions, **options)


def test_invented_prices_follow_a_split_and_a_dividend() -> None:
    noon = [datetime(2024, 7, day, 16, tzinfo=UTC) for day in (1, 2)]
    dividend = split(kind=ActionKind.CASH_DIVIDEND, new_rate=Decimal(1), cash=Decimal(10))
    plain, halved, paid = (
        [float(feed.history("SPY", at, 1)[0].close) for at in noon]
        for feed in (invented(), invented(split()), invented(dividend))
    )
    assert plain[0] == halved[0] == paid[0]
    assert log(halved[1] / plain[1]) == pytest.approx(-log(4), abs=0.001)
    assert plain[1] - paid[1] == pytest.approx(10, abs=0.7)
    assert invented(split()).actions == (split(),)
    assert len({invented().fingerprint, invented(split()).fingerprint, invented(dividend).fingerprint}) == 3


@pytest.mark.parametrize(
    ("action", "options", "reason"),
    [
        (split(symbol="AAPL"), {}, "not an equity that is played"),
        (split(symbol="BTC-USD"), {}, "not an equity that is played"),
        (split(date(2024, 7, 4)), {}, "must be an exchange day"),
        (split(date(2024, 6, 26)), {}, "after 2024-06-26, the first day"),
        (split(), {"options": Listing(underlyings=("SPY",))}, "their terms would have to change"),
        (split(kind=ActionKind.NAME_CHANGE, new_rate=Decimal(1), new_symbol="SPX"), {}, "splits and dividends only"),
    ],
)
def test_what_an_invented_market_cannot_follow_is_refused(action: CorporateAction, options: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        invented(action, **options)


def test_the_same_action_twice_is_refused() -> None:
    with pytest.raises(BadConfig, match="a second time"):
        invented(split(), split(new_rate=Decimal(2)))


def test_an_action_without_its_terms_cannot_be_built() -> None:
    with pytest.raises(Invalid, match="must be above old_rate"):
        split(new_rate=Decimal(1))
