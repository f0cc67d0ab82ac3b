"""Pairs, contracts and corporate actions over REST."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import NormalDist

import pytest

from hydra.adapters.markets.feed import ActionKind, CorporateAction
from tests.adapters.exchange.server.data.asking import DAY, MINUTE, OPEN, Market, minutes
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

LATE = OPEN + 9 * timedelta(hours=1)  # 23:30 UTC
CALL, PUT, LATER = "SPY240308C00100000", "SPY240308P00095000", "SPY240315C00100000"
GREEKS = {"delta": "0.55", "gamma": "0.04", "theta": "-0.1", "vega": "0.06", "implied_volatility": "0.2"}


@pytest.fixture
def pairs() -> Market:
    bars = minutes("BTC-USD", LATE, *range(100, 160))
    return Market(
        ScriptedFeed(bars, [quote("BTC-USD", OPEN, 99, 101), quote("BTC-USD", LATE, 100, 102)]), LATE + 60 * MINUTE
    )


def test_a_pair_is_spelt_with_a_slash_and_understood_without(pairs):
    for text in ("BTC/USD", "BTCUSD", "BTC-USD"):
        assert list(pairs.get("/v1beta3/crypto/us/latest/trades", symbols=text)["trades"]) == ["BTC/USD"]


def test_the_days_of_a_pair_are_utcs_and_every_bar_counts(pairs):
    rows = pairs.get("/v1beta3/crypto/us/bars", symbols="BTC/USD", timeframe="1Day", start="2024-03-01")["bars"][
        "BTC/USD"
    ]
    assert [(row["t"], row["o"], row["c"], row["n"]) for row in rows] == [
        ("2024-03-04T00:00:00Z", 100, 129, 30),
        ("2024-03-05T00:00:00Z", 129, 159, 30),
    ]


def test_the_history_and_the_book_of_a_pair(pairs):
    trades = pairs.get("/v1beta3/crypto/us/trades", symbols="BTC/USD", limit=3, sort="desc")["trades"]["BTC/USD"]
    assert [(row["p"], row["tks"]) for row in trades] == [(159, "B"), (158, "B"), (157, "B")]
    quotes = pairs.get("/v1beta3/crypto/us/quotes", symbols="BTC/USD", start="2024-03-04")["quotes"]["BTC/USD"]
    assert [row["bp"] for row in quotes] == [99, 100]
    book = pairs.get("/v1beta3/crypto/us/latest/orderbooks", symbols="BTC/USD,ETH/USD")["orderbooks"]
    assert book["BTC/USD"]["b"] == [{"p": 100, "s": 100}]
    assert set(book) == {"BTC/USD"}
    shown = pairs.get("/v1beta3/crypto/us/snapshots", symbols="BTC/USD,ETH/USD")["snapshots"]
    assert set(shown) == {"BTC/USD"}
    assert set(shown["BTC/USD"]) == {"latestTrade", "latestQuote", "minuteBar", "dailyBar", "prevDailyBar"}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1beta3/crypto/mars/latest/quotes", {"symbols": "BTC/USD"}),
        ("/v1beta3/crypto/us/latest/quotes", {"symbols": "SPY"}),
        ("/v1beta3/crypto/us/latest/quotes", {}),
        ("/v1beta3/crypto/us/bars", {"symbols": "BTC/USD", "timeframe": "1Min", "feed": "sip"}),
    ],
)
def test_what_cannot_be_answered_about_pairs_is_refused(pairs, path, query):
    assert pairs.refused(path, **query)[0] == 400


@pytest.fixture
def contracts() -> Market:
    options = [
        option_quote(CALL, OPEN, "1.10", "1.20", 7, **GREEKS),
        option_quote(PUT, OPEN + MINUTE, None, "0.05"),
        option_quote(LATER, OPEN + 10 * MINUTE, 3, 4),
    ]
    bars = [*minutes("SPY", OPEN, 100, 101), bar(CALL, OPEN, ("1.1", "1.3", "1.0", "1.2"))]
    return Market(ScriptedFeed(bars, options=options), OPEN + 5 * MINUTE)


def test_a_chain_has_the_contracts_that_are_known_and_what_is_known_of_them(contracts):
    chain = contracts.get("/v1beta1/options/snapshots/SPY")["snapshots"]
    assert set(chain) == {CALL, PUT}
    assert chain[CALL]["latestQuote"]["bs"] == 7
    assert chain[CALL]["impliedVolatility"] == 0.2
    assert chain[CALL]["latestTrade"]["p"] == 1.2
    assert chain[CALL]["dailyBar"]["h"] == 1.3
    assert set(chain[PUT]) == {"latestQuote"}
    assert (chain[PUT]["latestQuote"]["bp"], chain[PUT]["latestQuote"]["bs"]) == (0, 0)
    contracts.now = OPEN + 5 * DAY
    assert set(contracts.get("/v1beta1/options/snapshots/SPY")["snapshots"]) == {LATER}


def test_a_contract_nobody_quotes_is_in_the_chain_with_two_empty_sides(contracts):
    contracts.fake.feed.add(option_quote(PUT, OPEN + 4 * MINUTE, None, None))
    row = contracts.get("/v1beta1/options/snapshots/SPY")["snapshots"][PUT]["latestQuote"]
    assert (row["bp"], row["bs"], row["ap"], row["as"], row["t"]) == (0, 0, 0, 0, "2024-03-04T14:34:00Z")
    assert contracts.get("/v1beta1/options/quotes/latest", symbols=PUT)["quotes"][PUT] == row


def test_rho_follows_from_the_other_greeks(contracts):
    greeks = contracts.get("/v1beta1/options/snapshots", symbols=CALL)["snapshots"][CALL]["greeks"]
    expiry = datetime.fromisoformat("2024-03-08T21:00:00+00:00")
    years = (expiry - OPEN) / timedelta(days=365)
    normal = NormalDist()
    expected = 100 * years * normal.cdf(normal.inv_cdf(0.55) - 0.2 * years**0.5) / 100
    assert greeks["rho"] == pytest.approx(expected, abs=1e-6)
    assert (greeks["delta"], greeks["theta"]) == (0.55, -0.1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"type": "put"}, {PUT}),
        ({"strike_price_gte": "96"}, {CALL, LATER}),
        ({"strike_price_lte": "95"}, {PUT}),
        ({"expiration_date": "2024-03-15"}, {LATER}),
        ({"expiration_date_lte": "2024-03-14"}, {CALL, PUT}),
        ({"expiration_date_gte": "2024-03-09"}, {LATER}),
        ({"root_symbol": "SPX"}, set()),
        ({"updated_since": "2024-03-04T14:31:00Z"}, {PUT, LATER}),
    ],
)
def test_a_chain_is_filtered(contracts, query, expected):
    contracts.now = OPEN + 20 * MINUTE
    assert set(contracts.get("/v1beta1/options/snapshots/SPY", **query)["snapshots"]) == expected


def test_a_chain_comes_in_pages(contracts):
    contracts.now = OPEN + 20 * MINUTE
    first = contracts.get("/v1beta1/options/snapshots/SPY", limit=2, feed="indicative")
    rest = contracts.get("/v1beta1/options/snapshots/SPY", limit=2, page_token=first["next_page_token"])
    assert [*first["snapshots"], *rest["snapshots"]] == sorted([CALL, PUT, LATER])
    assert rest["next_page_token"] is None


def test_bars_trades_and_quotes_of_contracts(contracts):
    both = f"{CALL},{PUT}"
    assert set(contracts.get("/v1beta1/options/quotes/latest", symbols=both)["quotes"]) == {CALL, PUT}
    assert set(contracts.get("/v1beta1/options/trades/latest", symbols=both)["trades"]) == {CALL}
    bars = contracts.get("/v1beta1/options/bars", symbols=both, timeframe="1Day")["bars"]
    assert {symbol: [row["c"] for row in rows] for symbol, rows in bars.items()} == {CALL: [1.2]}
    assert [row["s"] for row in contracts.get("/v1beta1/options/trades", symbols=both)["trades"][CALL]] == [1000]
    trade = contracts.get("/v1beta1/options/trades/latest", symbols=CALL)["trades"][CALL]
    assert trade["x"] in contracts.get("/v1beta1/options/meta/exchanges")
    assert trade["c"] in contracts.get("/v1beta1/options/meta/conditions/trade")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1beta1/options/quotes/latest", {"symbols": "SPY"}),
        ("/v1beta1/options/quotes/latest", {"symbols": ",".join([CALL] * 101)}),
        ("/v1beta1/options/quotes/latest", {"symbols": CALL, "feed": "sip"}),
        ("/v1beta1/options/snapshots/SPY", {"type": "both"}),
        ("/v1beta1/options/snapshots/SPY", {"strike_price_gte": "nan"}),
        ("/v1beta1/options/snapshots/SPY", {"expiration_date": "2024-02-31"}),
        ("/v1beta1/options/snapshots/BTC-USD", {}),
        ("/v1beta1/options/snapshots/SPY", {"page_token": "=="}),
        ("/v1beta1/options/meta/conditions/bar", {}),
    ],
)
def test_what_cannot_be_answered_about_contracts_is_refused(contracts, path, query):
    assert contracts.refused(path, **query)[0] in (400, 404)


@pytest.fixture
def companies() -> Market:
    def action(kind: ActionKind, day: int, **more: object) -> CorporateAction:
        return CorporateAction(kind=kind, symbol="SPY", ex_date=date(2024, 3, day), **more)  # type: ignore[arg-type]  # keywords by kind

    actions = [
        action(ActionKind.FORWARD_SPLIT, 1, new_rate=Decimal(4)),
        action(ActionKind.REVERSE_SPLIT, 2, old_rate=Decimal(8)),
        action(ActionKind.CASH_DIVIDEND, 4, cash=Decimal("0.25"), payable_date=date(2024, 3, 20)),
        action(ActionKind.NAME_CHANGE, 4, new_symbol="SPX"),
        action(ActionKind.FORWARD_SPLIT, 5, new_rate=Decimal(2)),
    ]
    return Market(ScriptedFeed(minutes("SPY", OPEN, 100), actions=actions), OPEN)


def test_corporate_actions_are_shown_from_their_day_on(companies):
    assert set(companies.get("/v1/corporate-actions")["corporate_actions"]) == {"name_changes"}
    found = companies.get("/v1/corporate-actions", start="2024-01-01", end="2030-01-01")["corporate_actions"]
    assert {kind: len(rows) for kind, rows in found.items()} == {
        "forward_splits": 1,
        "reverse_splits": 1,
        "cash_dividends": 1,
        "name_changes": 1,
    }
    assert found["cash_dividends"][0]["process_date"] == "2024-03-20"
    assert found["forward_splits"][0]["new_rate"] == 4


def test_corporate_actions_are_filtered_and_paged(companies):
    span = {"start": "2024-01-01", "end": "2030-01-01"}

    def kinds(**query: str) -> set[str]:
        return set(companies.get("/v1/corporate-actions", **query)["corporate_actions"])

    assert kinds(types="reverse_split,spin_off", **span) == {"reverse_splits"}
    assert kinds(symbols="QQQ", **span) == set()
    assert kinds(symbols="SPX", **span) == {"name_changes"}
    assert kinds(cusips="037833100", **span) == kinds(region="non_us", **span) == set()
    seen: list[str] = []
    for sort in ("asc", "desc"):
        seen, token = [], None
        while True:
            page = companies.get("/v1/corporate-actions", sort=sort, limit=1, page_token=token, **span)
            seen += [row["id"] for rows in page["corporate_actions"].values() for row in rows]
            token = page["next_page_token"]
            if token is None:
                break
        assert len(set(seen)) == len(seen) == 4
        assert kinds(ids=seen[0]) in ({"forward_splits"}, {"cash_dividends"})
    for query in (
        {"ids": seen[0], "symbols": "SPY"},
        {"types": "x"},
        {"start": "2024-03-02", "end": "2024-03-01"},
        {"start": "x"},
    ):
        assert companies.refused("/v1/corporate-actions", **query)[0] == 400
