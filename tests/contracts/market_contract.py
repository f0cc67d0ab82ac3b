"""What every ``Market`` must do. A test module subclasses ``MarketContract`` and provides ``scene``."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from hydra.ports import Market


class MarketScene(Protocol):
    """A market of at least ten bars of SPY, and a hand on its time, which stands after the third."""

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
        assert known == list(scene.market.history(["SPY"], 100))

    def test_a_symbol_that_is_new_gets_its_latest_bar_only(self, scene: MarketScene) -> None:
        assert scene.market.poll(["SPY"], {}).bars == scene.market.history(["SPY"], 1)

    def test_a_symbol_without_prices_has_none(self, scene: MarketScene) -> None:
        answer = scene.market.poll(["ZZZZ"], {})
        assert (answer.quotes, answer.bars) == ((), ())
        assert scene.market.history(["ZZZZ"], 5) == ()
