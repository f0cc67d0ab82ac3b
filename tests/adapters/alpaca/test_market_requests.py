"""How ``AlpacaMarket`` asks: few requests, every page, and one failure is a failure of the whole answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from hydra.adapters.alpaca.access import Denied
from hydra.adapters.alpaca.market import AlpacaMarket
from hydra.adapters.alpaca.pages import PAGES_MOST, every_page
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.errors import BadConfig, Unreachable
from hydra.model.market import Bar, OptionQuote, Quote
from tests.adapters.alpaca.market_rig import market_at
from tests.adapters.alpaca.scripted import Answer, Dropped, Rig, Said, rig
from tests.contracts.chain_stage import OptionDays
from tests.contracts.stage import CASH_ACCOUNT
from tests.contracts.test_over_http import Server
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SHARES, PAIRS, CALL = ("SPY", "QQQ", "IWM"), ("BTC-USD", "ETH-USD"), "SPY240315C00100000"
EVERYTHING = (*SHARES, *PAIRS, CALL)
NOW = OPEN + 30 * MINUTE
STOCKS, CRYPTO, OPTIONS = "/v2/stocks", "/v1beta3/crypto/us", "/v1beta1/options"
NO_BARS, NO_QUOTES = Said(body={"bars": {}, "next_page_token": None}), Said(body={"quotes": {}})
QUIET = {
    f"GET {STOCKS}/bars": NO_BARS,
    f"GET {CRYPTO}/bars": NO_BARS,
    f"GET {OPTIONS}/bars": NO_BARS,
    f"GET {STOCKS}/quotes/latest": NO_QUOTES,
    f"GET {CRYPTO}/latest/quotes": NO_QUOTES,
    f"GET {OPTIONS}/quotes/latest": NO_QUOTES,
}


class Counted:
    """An application that remembers the paths it was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        await self._app(scope, receive, send)

    def taken(self) -> list[str]:
        """The paths since the last time."""
        paths, self.paths = self.paths, []
        return paths


class Scene:
    """Three shares, two pairs and a contract, a minute after the opening; ``quiet`` symbols have no bar after the first."""

    def __init__(self, server: Server, quiet: Sequence[str] = (), barren: Sequence[str] = ()) -> None:
        what: list[Bar | Quote | OptionQuote] = [option_quote(CALL, OPEN + MINUTE, 1, 2)]
        for minute in range(160):
            at = OPEN + minute * MINUTE
            playing = [each for each in EVERYTHING if each not in barren and (minute == 0 or each not in quiet)]
            what += [bar(symbol, at, (100, 100, 100, 100)) for symbol in playing]
            what += [quote(symbol, at + MINUTE, 99, 101) for symbol in (*SHARES, *PAIRS)]
        feed = ScriptedFeed(symbols=[*SHARES, *PAIRS])
        feed.add(*what)
        self.venue = SimulatedVenue(feed, OptionDays(), CASH_ACCOUNT)
        self.server = server
        server.stand(self.venue)
        assert server.app is not None
        self.asked = Counted(server.app)
        server.app = self.asked
        self.market = market_at(server, lambda: self.venue.now)
        self.after: dict[str, datetime] = {}
        self.venue.advance()

    def poll(self) -> list[str]:
        """Poll as an engine does, and the paths it took."""
        self.asked.taken()
        answer = self.market.poll(EVERYTHING, self.after)
        self.after |= {each.symbol: each.at for each in answer.bars}
        return self.asked.taken()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


QUOTES = [f"{STOCKS}/quotes/latest", f"{CRYPTO}/latest/quotes", f"{OPTIONS}/quotes/latest"]
BARS = [f"{STOCKS}/bars", f"{CRYPTO}/bars", f"{OPTIONS}/bars"]


def test_a_poll_of_three_classes_takes_six_requests_when_a_bar_may_have_closed_and_three_in_between(
    server: Server,
) -> None:
    scene = Scene(server)
    scene.poll()
    assert scene.poll() == QUOTES, "within a minute no other bar can have closed"
    for _ in range(3):
        scene.server.step()
        assert sorted(scene.poll()) == sorted([*BARS, *QUOTES])
        assert scene.poll() == QUOTES


def test_a_symbol_that_has_been_silent_costs_its_class_one_request_and_not_the_others_bars_again(
    server: Server,
) -> None:
    scene = Scene(server, quiet=["IWM"])
    scene.poll()
    for _ in range(150):
        scene.venue.advance()
    scene.poll()
    scene.server.step()
    assert sorted(scene.poll()) == sorted([*BARS, f"{STOCKS}/bars", *QUOTES])
    assert scene.after["IWM"] == OPEN


def test_a_contract_without_any_bar_is_looked_up_from_the_beginning_once(server: Server) -> None:
    scene = Scene(server, barren=[CALL, "ETH-USD", "IWM"])
    scene.poll()
    scene.server.step()
    first = scene.poll()
    assert [first.count(path) for path in BARS] == [2, 2, 1], "those with bars, and apart from them the one without"
    assert set(EVERYTHING) - scene.after.keys() == {CALL, "ETH-USD", "IWM"}


def test_a_bar_of_a_symbol_that_never_had_one_is_seen(server: Server) -> None:
    scene = Scene(server, barren=[CALL])
    scene.poll()
    feed = scene.venue.feed
    assert isinstance(feed, ScriptedFeed)
    feed.add(bar(CALL, scene.venue.now, (1, 1, 1, 1)))
    opened = scene.venue.now
    scene.server.step()
    scene.poll()
    assert scene.after[CALL] == opened


def test_a_history_of_many_symbols_takes_few_requests_even_over_a_weekend(server: Server) -> None:
    scene = Scene(server)
    monday = scene.venue.now
    scene.server.move_to(monday + 3 * DAY)
    scene.asked.taken()
    found = scene.market.history(EVERYTHING, 50)
    assert len(found) == 50 * len(EVERYTHING)
    assert {path: scene.asked.paths.count(path) for path in BARS} == dict(zip(BARS, (3, 3, 1), strict=True))


def market_of(made: Rig, at: datetime = NOW, **how: Any) -> AlpacaMarket:
    settings = {"stock_feed": "iex", "option_feed": "indicative", "bar_seconds": 60, **how}
    return AlpacaMarket(made.clients, now=lambda: at, **settings)


def row(minute: int, price: int = 100) -> dict[str, Any]:
    at = OPEN + minute * MINUTE
    return {"t": at.isoformat(), "o": price, "h": price, "l": price, "c": price, "v": 1}


def told(symbol: str, *minutes: int, token: Any = None) -> Said:
    return Said(body={"bars": {symbol: [row(minute) for minute in minutes]}, "next_page_token": token})


def test_every_page_is_read_and_each_is_asked_for_by_the_one_before() -> None:
    pages = [told("QQQ", 1, 2, token="two"), told("SPY", 1, token="three"), told("SPY", 2, 3)]
    with rig({**QUIET, f"GET {STOCKS}/bars": pages}) as made:
        bars = market_of(made).poll(["SPY", "QQQ"], {"SPY": OPEN, "QQQ": OPEN}).bars
        asked = [each.query for each in made.scripted.asked if each.path == f"{STOCKS}/bars"]
    assert [(each.symbol, (each.at - OPEN) // MINUTE) for each in bars] == [
        *(("SPY", minute) for minute in (1, 2, 3)),
        *(("QQQ", minute) for minute in (1, 2)),
    ]
    assert [each.get("page_token") for each in asked] == [None, "two", "three"]
    same = {
        "symbols": "SPY,QQQ",
        "timeframe": "1Min",
        "start": "2024-03-04T14:31:00Z",
        "end": "2024-03-04T14:59:00Z",
        "limit": "10000",
        "sort": "asc",
        "feed": "iex",
        "adjustment": "split",
    }
    assert all({name: each[name] for name in same} == same for each in asked)


@pytest.mark.parametrize("token", ["same", 5, {}], ids=repr)
def test_pages_that_come_again_or_whose_token_is_none_are_refused(token: Any) -> None:
    with (
        rig({**QUIET, f"GET {STOCKS}/bars": [told("SPY", 1, token=token), told("SPY", 2, token=token)]}) as made,
        pytest.raises(Unreachable, match="bars of shares: the next page"),
    ):
        market_of(made).poll(["SPY"], {"SPY": OPEN})


def test_pages_without_an_end_are_refused() -> None:
    numbers = count()
    with pytest.raises(Unreachable, match=f"bars: more than {PAGES_MOST} pages"):
        for _ in every_page("bars", lambda _: {"next_page_token": f"page {next(numbers)}"}, {}):
            pass
    assert next(numbers) == PAGES_MOST


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([told("SPY", 2, 1)], id="one page"),
        pytest.param([told("SPY", 1, 1)], id="twice"),
        pytest.param([told("SPY", 1, 2, token="two"), told("SPY", 2, 3)], id="twice over pages"),
        pytest.param([told("SPY", 5, token="two"), told("SPY", 3)], id="over pages"),
    ],
)
def test_bars_twice_or_out_of_order_are_refused_over_pages_too(pages: list[Answer]) -> None:
    with (
        rig({**QUIET, f"GET {STOCKS}/bars": pages}) as made,
        pytest.raises(Unreachable, match="bars of SPY are not in order"),
    ):
        market_of(made).poll(["SPY"], {"SPY": OPEN})


@pytest.mark.parametrize("body", [{"bars": {"TSLA": [row(1)]}}, {"bars": {"SPY": [], "BTC/USD": None}}], ids=str)
def test_bars_of_a_symbol_nobody_asked_for_are_refused_by_name(body: Any) -> None:
    with (
        rig({**QUIET, f"GET {STOCKS}/bars": Said(body=body)}) as made,
        pytest.raises(Unreachable, match=r"bars of shares: the answer has '(TSLA|BTC/USD)', which was not asked for"),
    ):
        market_of(made).poll(["SPY"], {"SPY": OPEN})


def test_quotes_of_a_symbol_nobody_asked_for_are_refused_by_name() -> None:
    with (
        rig({**QUIET, f"GET {CRYPTO}/latest/quotes": Said(body={"quotes": {"BTCUSD": {}}})}) as made,
        pytest.raises(Unreachable, match="quotes of pairs: the answer has 'BTCUSD'"),
    ):
        market_of(made).poll(["BTC-USD"], {"BTC-USD": NOW})


@pytest.mark.parametrize("body", [[], {}, {"bars": []}, {"bars": {"SPY": {}}}, {"quotes": {}}], ids=str)
def test_an_answer_in_another_shape_is_refused(body: Any) -> None:
    with (
        rig({**QUIET, f"GET {STOCKS}/bars": Said(body=body)}) as made,
        pytest.raises(Unreachable, match="bars of shares"),
    ):
        market_of(made).poll(["SPY"], {"SPY": OPEN})


@pytest.mark.parametrize(
    "body", [{"bars": None}, {"bars": {}}, {"bars": {"SPY": None}}, {"bars": {"SPY": []}}], ids=str
)
def test_an_empty_answer_means_that_there_is_none(body: Any) -> None:
    with rig({**QUIET, f"GET {STOCKS}/bars": Said(body={**body, "next_page_token": None})}) as made:
        market = market_of(made)
        answer = market.poll(["SPY"], {"SPY": OPEN})
        assert (answer.quotes, answer.bars) == ((), ())
        assert market.history(["SPY"], 5) == ()


@pytest.mark.parametrize("route", sorted(QUIET))
def test_a_class_that_fails_fails_the_poll_and_is_asked_once(route: str) -> None:
    with rig({**QUIET, route: Said(500, {"message": "not now"})}) as made, pytest.raises(Denied, match="500: not now"):
        market_of(made).poll(EVERYTHING, dict.fromkeys(EVERYTHING, OPEN))
    assert sum(f"GET {each.path}" == route for each in made.scripted.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Said(429, {"message": "too many requests"}), id="429"),
        pytest.param(Said(200, b"<html></html>"), id="html"),
        pytest.param(Said(200, b'{"bars": {"SPY": [{"o": NaN}]}}'), id="nan"),
        pytest.param(Dropped(), id="dropped"),
    ],
)
def test_whatever_fails_is_asked_once(answer: Answer) -> None:
    with rig({**QUIET, f"GET {STOCKS}/bars": answer}) as made, pytest.raises(Unreachable, match="bars"):
        market_of(made).history(["SPY"], 3)
    assert len(made.scripted.asked) == 1


def test_a_crossed_quote_fails_the_poll_by_symbol() -> None:
    crossed = {"t": "2024-03-04T14:31:00Z", "bp": 102, "bs": 1, "ap": 101, "as": 1}
    with (
        rig({**QUIET, f"GET {STOCKS}/quotes/latest": Said(body={"quotes": {"SPY": crossed}})}) as made,
        pytest.raises(Unreachable, match=r"quote of SPY.*crossed"),
    ):
        market_of(made).poll(["SPY"], {"SPY": OPEN})


def test_the_bar_that_is_still_open_is_not_asked_for_and_not_shown() -> None:
    with rig({**QUIET, f"GET {STOCKS}/bars": told("SPY", 1, 29, 30, 31)}) as made:
        (first, second) = market_of(made, NOW + MINUTE / 2).poll(["SPY"], {"SPY": OPEN}).bars
        (asked,) = [each.query for each in made.scripted.asked if each.path == f"{STOCKS}/bars"]
    assert (first.at, second.at) == (OPEN + MINUTE, OPEN + 29 * MINUTE)
    assert asked["end"] == "2024-03-04T14:59:30Z"


def test_the_delayed_feed_has_its_bars_from_the_consolidated_tape_a_quarter_of_an_hour_ago() -> None:
    with rig({**QUIET, f"GET {STOCKS}/bars": told("SPY", 1)}) as made:
        market = market_of(made, stock_feed="delayed_sip", option_feed="opra")
        market.poll(["SPY", "BTC-USD", CALL], {"SPY": OPEN, "BTC-USD": OPEN, CALL: OPEN})
        asked = {each.path: each.query for each in made.scripted.asked}
    assert (asked[f"{STOCKS}/bars"]["feed"], asked[f"{STOCKS}/bars"]["end"]) == ("sip", "2024-03-04T14:44:00Z")
    assert asked[f"{STOCKS}/quotes/latest"]["feed"] == "delayed_sip"
    assert asked[f"{CRYPTO}/bars"]["end"] == "2024-03-04T14:59:00Z"
    assert asked[f"{OPTIONS}/quotes/latest"]["feed"] == "opra"


def test_bars_of_a_length_that_alpaca_does_not_have_are_refused_before_anything_is_asked() -> None:
    with rig(QUIET) as made:
        with pytest.raises(BadConfig, match=r"market\.bar_seconds"):
            market_of(made, bar_seconds=45)
        assert made.scripted.asked == []
        assert "iex" in market_of(made).describe()


CHAIN, CONTRACTS = f"GET {OPTIONS}/snapshots/SPY", "GET /v2/options/contracts"
SIDES = {"t": "2024-03-04T14:31:00Z", "bp": 1, "bs": 1, "ap": 2, "as": 1}


def snapshots(*symbols: str, token: str | None = None) -> Said:
    return Said(body={"snapshots": {each: {"latestQuote": SIDES} for each in symbols}, "next_page_token": token})


def listed(*symbols: str, token: str | None = None) -> Said:
    rows = [{"symbol": each, "open_interest": "7"} for each in symbols]
    return Said(body={"option_contracts": rows, "next_page_token": token})


def test_open_interest_is_read_once_a_day_and_again_for_a_contract_that_is_new() -> None:
    calls = [f"SPY240315C00{strike}000" for strike in (100, 105, 110)]
    script = {
        CHAIN: [*(snapshots(*calls[:2]) for _ in range(2)), snapshots(*calls)],
        CONTRACTS: [listed(calls[0], token="more"), listed(calls[1]), listed(*calls[:2])],
    }
    with rig(script) as made:
        clock = [NOW]
        market = AlpacaMarket(
            made.clients, stock_feed="iex", option_feed="indicative", bar_seconds=60, now=lambda: clock[0]
        )
        asked: list[int] = []
        interests: list[list[Decimal | None]] = []
        for step in (0, 1, 2, 3, 24 * 60):
            clock[0] = NOW + step * MINUTE
            interests.append([each.open_interest for each in market.chain("SPY")])
            asked.append(sum(each.path == "/v2/options/contracts" for each in made.scripted.asked))
        query = next(each.query for each in made.scripted.asked if each.path == "/v2/options/contracts")
    assert interests == [[7, 7], [7, 7], *([[7, 7, None]] * 3)]
    assert asked == [2, 2, 3, 3, 4], "the third contract is not listed, which is known then"
    assert (query["underlying_symbols"], query["status"], query["expiration_date_gte"]) == (
        "SPY",
        "active",
        "2024-03-04",
    )
    assert query["expiration_date_lte"] > "2030", "without it only the next days' contracts are listed"


def test_an_empty_chain_costs_no_list_of_contracts() -> None:
    with rig({"*": Said(body={"snapshots": {}, "next_page_token": None})}) as made:
        assert market_of(made).chain("ZZZZ") == ()
        assert market_of(made).chain("BTC-USD") == ()
        assert [each.path for each in made.scripted.asked] == [f"{OPTIONS}/snapshots/ZZZZ"]


def test_adjusted_and_expired_contracts_are_left_out_of_a_chain() -> None:
    adjusted, expired = "SPY1240315C00100000", "SPY240304C00100000"
    with rig({CHAIN: snapshots(CALL, adjusted, expired), CONTRACTS: listed(CALL)}) as made:
        before, after = (market_of(made, at).chain("SPY") for at in (NOW, OPEN + timedelta(hours=7)))
    assert [each.symbol for each in before] == [expired, CALL]
    assert [each.symbol for each in after] == [CALL]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            snapshots("AAPL240315C00100000"), "AAPL240315C00100000, which is a contract on something else", id="other"
        ),
        pytest.param(snapshots("SPY"), "not an OCC option symbol: 'SPY'", id="share"),
        pytest.param(Said(body={"next_page_token": None}), "has no 'snapshots'", id="none"),
        pytest.param([snapshots(CALL, token="a"), snapshots(CALL)], f"{CALL} is on two pages", id="twice"),
        pytest.param(Said(404, {"message": "no such thing"}), "404: no such thing", id="404"),
    ],
)
def test_a_chain_that_is_none_is_refused(answer: Any, reason: str) -> None:
    with (
        rig({CHAIN: answer, CONTRACTS: listed(CALL)}) as made,
        pytest.raises(Unreachable, match=f"chain of SPY: .*{reason}"),
    ):
        market_of(made).chain("SPY")


@pytest.mark.parametrize(
    "answer", [Said(503, {"message": "not now"}), Said(body={}), Said(body={"option_contracts": {"a": 1}})], ids=str
)
def test_a_chain_whose_open_interest_cannot_be_had_is_none(answer: Answer) -> None:
    with rig({CHAIN: snapshots(CALL), CONTRACTS: answer}) as made, pytest.raises(Unreachable, match="contracts"):
        market_of(made).chain("SPY")
