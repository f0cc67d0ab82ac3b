"""What every ``Market`` must do. A test module subclasses ``MarketContract`` and ``ChainContract`` and provides their scenes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from hydra.model.market import OptionQuote
from hydra.ports import Market


class MarketScene(Protocol):
    """A market of SPY in minutes, and a hand on its time.

    ``past`` bars of SPY and then a few more have happened, and at least ten are to come. ``others`` are further symbols with
    quotes and bars: shares and a pair.
    """

    @property
    def others(self) -> Sequence[str]:
        """Symbols beside SPY."""
        ...

    @property
    def past(self) -> int:
        """More bars than any venue tells in one answer."""
        ...

    @property
    def market(self) -> Market:
        """The market under test."""
        ...

    def now(self) -> datetime:
        """The market's time."""
        ...

    def advance(self) -> bool:
        """Let a bar happen; False when there is none."""
        ...


class MarketContract:
    """Subclass it and provide ``scene``."""

    def test_it_says_what_it_is_in_one_line(self, scene: MarketScene) -> None:
        assert scene.market.describe()
        assert "\n" not in scene.market.describe()

    def test_it_never_shows_a_bar_before_it_has_closed(self, scene: MarketScene) -> None:
        for _ in range(4):
            for bar in (*scene.market.history(["SPY"], 100), *scene.market.poll(["SPY"], {}).bars):
                assert bar.closes_at <= scene.now()
            for quote in scene.market.poll(["SPY"], {}).quotes:
                assert quote.at <= scene.now()
            scene.advance()

    def test_history_is_bounded_and_oldest_first(self, scene: MarketScene) -> None:
        history = scene.market.history(["SPY"], 100)
        assert len(history) >= 3
        assert list(history) == sorted(history, key=lambda bar: bar.at)
        assert scene.market.history(["SPY"], 2) == history[-2:]

    def test_polling_gives_every_bar_once_whatever_was_missed(self, scene: MarketScene) -> None:
        known = list(scene.market.history(["SPY"], 100))
        for steps in (1, 0, 3, 2):
            for _ in range(steps):
                scene.advance()
            news = scene.market.poll(["SPY"], {"SPY": known[-1].at}).bars
            assert len(news) == steps
            known += news
        assert known == list(scene.market.history(["SPY"], len(known)))

    def test_a_symbol_that_is_new_gets_its_latest_bar_only(self, scene: MarketScene) -> None:
        assert scene.market.poll(["SPY"], {}).bars == scene.market.history(["SPY"], 1)

    def test_a_symbol_without_prices_has_none(self, scene: MarketScene) -> None:
        answer = scene.market.poll(["ZZZZ"], {})
        assert (answer.quotes, answer.bars) == ((), ())
        assert scene.market.history(["ZZZZ"], 5) == ()

    def test_history_is_whole_however_many_answers_it_takes(self, scene: MarketScene) -> None:
        history = scene.market.history(["SPY"], scene.past)
        assert len(history) == len({bar.at for bar in history}) == scene.past
        assert list(history) == sorted(history, key=lambda bar: bar.at)
        assert history[-1:] == scene.market.history(["SPY"], 1)
        everything = scene.market.history(["SPY"], 10 * scene.past)
        assert scene.past < len(everything) < 2 * scene.past
        assert everything[-scene.past :] == history

    def test_polling_after_a_long_silence_gives_every_bar(self, scene: MarketScene) -> None:
        history = scene.market.history(["SPY"], scene.past)
        assert scene.market.poll(["SPY"], {"SPY": history[0].at}).bars == history[1:]

    def test_several_symbols_are_asked_at_once_and_keep_their_names(self, scene: MarketScene) -> None:
        symbols = ["SPY", *scene.others]
        answer = scene.market.poll([*symbols, "ZZZZ", "ZZZ-USD"], {})
        assert [quote.symbol for quote in answer.quotes] == symbols
        assert [bar.symbol for bar in answer.bars] == symbols
        assert all(quote.bid < quote.ask for quote in answer.quotes)
        history = scene.market.history(symbols, 2)
        assert [bar.symbol for bar in history] == [symbol for symbol in symbols for _ in range(2)]

    def test_a_quote_is_the_latest_one(self, scene: MarketScene) -> None:
        for _ in range(3):
            (quote,) = scene.market.poll(["SPY"], {}).quotes
            assert quote.at == scene.now()
            scene.advance()

    def test_each_symbol_is_polled_after_its_own_last_bar(self, scene: MarketScene) -> None:
        last = {symbol: scene.market.history([symbol], 1)[0].at for symbol in ("SPY", *scene.others)}
        scene.advance()
        news = scene.market.poll(list(last), {**last, "SPY": scene.market.history(["SPY"], 3)[0].at}).bars
        assert [bar.symbol for bar in news] == ["SPY", "SPY", *scene.others]


class ChainScene(Protocol):
    """A market of SPY with contracts, and a hand on its time. It begins when the first contracts are quoted.

    ``contracts`` are further contracts than those that have a name here, more than any venue tells in one answer.
    """

    CALL: str
    """Quoted on both sides, with sizes, greeks and volatility, open interest, and trades of today; a cent dearer every minute."""
    PUT: str
    """Nobody bids for it, and nobody has traded it. Its open interest is 0."""
    IDLE: str
    """It has neither side, and no open interest was published."""
    LISTED_LATER: str
    """Quoted from the third minute on."""
    LAPSING: str
    """It expires today."""

    @property
    def contracts(self) -> Sequence[str]:
        """The symbols of the others."""
        ...

    @property
    def market(self) -> Market:
        """The market under test."""
        ...

    def now(self) -> datetime:
        """The market's time."""
        ...

    def advance(self) -> bool:
        """Let a minute happen."""
        ...

    def close_the_day(self) -> None:
        """Go on to when contracts of today have expired."""
        ...


class ChainContract:
    """Subclass it and provide ``chain_scene``."""

    def test_a_chain_has_every_contract_once_by_symbol(self, chain_scene: ChainScene) -> None:
        symbols = [each.symbol for each in chain_scene.market.chain("SPY")]
        named = {chain_scene.CALL, chain_scene.PUT, chain_scene.IDLE, chain_scene.LAPSING}
        assert symbols == sorted(named.union(chain_scene.contracts))

    def test_what_has_no_contracts_has_an_empty_chain(self, chain_scene: ChainScene) -> None:
        for symbol in ("QQQ", "BTC-USD", "ZZZZ", "ZZZ-USD", chain_scene.CALL):
            assert chain_scene.market.chain(symbol) == (), symbol

    def test_every_number_that_is_known_is_exact(self, chain_scene: ChainScene) -> None:
        call = self._quoted(chain_scene, chain_scene.CALL)
        assert call == OptionQuote(
            symbol=chain_scene.CALL,
            at=chain_scene.now(),
            bid=Decimal("1.10"),
            ask=Decimal("1.20"),
            bid_size=Decimal(7),
            ask_size=Decimal(9),
            volume=Decimal(1000),
            open_interest=Decimal(1234),
            delta=Decimal("0.55"),
            gamma=Decimal("0.04"),
            theta=Decimal("-0.1"),
            vega=Decimal("0.06"),
            implied_volatility=Decimal("0.2"),
        )

    def test_a_side_nobody_takes_is_absent_with_its_size(self, chain_scene: ChainScene) -> None:
        put, idle = (self._quoted(chain_scene, symbol) for symbol in (chain_scene.PUT, chain_scene.IDLE))
        assert (put.bid, put.bid_size, put.ask, put.ask_size) == (None, None, Decimal("0.05"), Decimal(3))
        assert (idle.bid, idle.bid_size, idle.ask, idle.ask_size) == (None, None, None, None)

    def test_what_is_not_known_is_not_zero_and_what_is_zero_is_known(self, chain_scene: ChainScene) -> None:
        put, idle = (self._quoted(chain_scene, symbol) for symbol in (chain_scene.PUT, chain_scene.IDLE))
        assert (put.open_interest, idle.open_interest) == (Decimal(0), None)
        assert (put.volume, idle.volume) == (Decimal(0), Decimal(0)), "others have traded today, so these have not"
        assert (put.delta, put.gamma, put.theta, put.vega, put.implied_volatility) == (None, None, None, None, None)

    def test_a_chain_is_as_of_now_and_grows_with_its_listings(self, chain_scene: ChainScene) -> None:
        for minute in range(4):
            chain = {each.symbol: each for each in chain_scene.market.chain("SPY")}
            assert all(each.at <= chain_scene.now() for each in chain.values())
            assert chain[chain_scene.CALL].bid == Decimal("1.10") + Decimal(minute) / 100
            assert (chain_scene.LISTED_LATER in chain) is (minute >= 2)
            chain_scene.advance()
        assert self._quoted(chain_scene, chain_scene.LISTED_LATER).open_interest == Decimal(5)

    def test_a_contract_that_has_expired_is_gone(self, chain_scene: ChainScene) -> None:
        chain_scene.close_the_day()
        chain = {each.symbol for each in chain_scene.market.chain("SPY")}
        assert chain_scene.LAPSING not in chain
        assert chain_scene.CALL in chain

    def test_a_contract_is_polled_like_a_share_when_it_has_both_sides(self, chain_scene: ChainScene) -> None:
        symbols = ["SPY", chain_scene.CALL, chain_scene.PUT, chain_scene.IDLE]
        answer = chain_scene.market.poll(symbols, {})
        assert [quote.symbol for quote in answer.quotes] == ["SPY", chain_scene.CALL]
        call = answer.quotes[1]
        assert (call.at, call.bid, call.ask) == (chain_scene.now(), Decimal("1.10"), Decimal("1.20"))
        assert [bar.symbol for bar in answer.bars] == ["SPY", chain_scene.CALL]
        assert chain_scene.market.history([chain_scene.CALL, chain_scene.PUT], 5) == (answer.bars[1],)

    @staticmethod
    def _quoted(chain_scene: ChainScene, symbol: str) -> OptionQuote:
        return next(each for each in chain_scene.market.chain("SPY") if each.symbol == symbol)
