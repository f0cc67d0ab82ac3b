"""What every ``Market`` must do. A test module subclasses ``MarketContract`` and provides ``scene``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

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
