"""Questions under stress: what a bot was asked in earnest, turned into every view that the engine could hand to it on a bad day.

All of them are values that the edge lets in: bars that are missing, flat or wild, quotes that are gone, prices of a fraction of a cent and
of millions, a full window, a memory that is lost. What the engine refuses by itself (NaN, crossed quotes) never gets to a bot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from hydra.model.market import Bar, Quote
from hydra.model.snapshot import View
from hydra.model.values import replace
from hydra.ports import Question

_TINY, _HUGE = Decimal("0.0001"), Decimal(1000)
_LAST_MINUTE = 1439


def stressed(question: Question, window_bars: int) -> Iterator[tuple[str, Question]]:
    """What is odd about it, and the question."""
    for odd, change in _CHANGES.items():
        yield odd, Question(bot=question.bot, view=change(question.view), memory=question.memory)
    full = _bars_of(question.view, lambda bars: _filled(bars, window_bars))
    yield "a full window", Question(bot=question.bot, view=full, memory=question.memory)
    yield "its memory lost", Question(bot=question.bot, view=question.view, memory={})


def windows_beyond(question: Question, window_bars: int) -> Question:
    """Ten times the bars that the policy keeps: more than the engine ever shows, to see how a bot grows."""
    view = _bars_of(question.view, lambda bars: _filled(bars, 10 * window_bars))
    return Question(bot=question.bot, view=view, memory=question.memory)


def _bars_of(view: View, change: Callable[[tuple[Bar, ...]], tuple[Bar, ...]]) -> View:
    return replace(view, bars={symbol: change(bars) for symbol, bars in view.bars.items()})


def _quotes_of(view: View, change: Callable[[Quote], Quote]) -> View:
    return replace(view, quotes={symbol: change(quote) for symbol, quote in view.quotes.items()})


def _filled(bars: tuple[Bar, ...], count: int) -> tuple[Bar, ...]:
    """So many bars, oldest first: those there are, again and again, each at its own time before the first."""
    if len(bars) < 2:  # without two there is no distance between them
        return bars
    step = bars[1].at - bars[0].at
    missing = max(0, count - len(bars))
    older = [replace(bars[-1 - n % len(bars)], at=bars[0].at - (n + 1) * step) for n in range(missing)]
    return (*reversed(older), *bars)[-count:]


def _scaled(bars: tuple[Bar, ...], by: Decimal) -> tuple[Bar, ...]:
    return tuple(
        replace(bar, **{name: max(_TINY, getattr(bar, name) * by) for name in ("open", "high", "low", "close")})
        for bar in bars
    )


def _flat(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    return tuple(
        replace(bar, open=bars[0].close, high=bars[0].close, low=bars[0].close, close=bars[0].close) for bar in bars
    )


def _wild(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """Every other bar a tenth of the price, none of them without a volume of zero."""
    return tuple(
        replace(one, volume=Decimal(0))
        for n, bar in enumerate(bars)
        for one in _scaled((bar,), Decimal("0.1") if n % 2 else Decimal(1))
    )


def _rescaled(view: View, by: Decimal) -> View:
    quotes = _quotes_of(
        view, lambda quote: replace(quote, bid=max(_TINY, quote.bid * by), ask=max(_TINY, quote.ask * by))
    )
    return _bars_of(quotes, lambda bars: _scaled(bars, by))


_CHANGES: Mapping[str, Callable[[View], View]] = {
    "as it was": lambda view: view,
    "no bars": lambda view: replace(view, bars={}),
    "bars of nothing": lambda view: _bars_of(view, lambda _bars: ()),
    "one bar": lambda view: _bars_of(view, lambda bars: bars[-1:]),
    "every other bar missing": lambda view: _bars_of(view, lambda bars: bars[::2]),
    "flat bars": lambda view: _bars_of(view, _flat),
    "wild bars without volume": lambda view: _bars_of(view, _wild),
    "no quotes": lambda view: replace(view, quotes={}),
    "a quote as wide as its price": lambda view: _quotes_of(view, lambda quote: replace(quote, ask=quote.ask * 2)),
    "a quote without a spread": lambda view: _quotes_of(view, lambda quote: replace(quote, ask=quote.bid)),
    "prices of a fraction of a cent": lambda view: _rescaled(view, Decimal("0.0000001")),
    "prices a thousandfold": lambda view: _rescaled(view, _HUGE),
    "no chains": lambda view: replace(view, chains={}),
    "chains of nothing": lambda view: replace(view, chains=dict.fromkeys(view.chains, ())),
    "nothing may be entered": lambda view: replace(view, may_enter=dict.fromkeys(view.may_enter, False)),
    "everything may be entered": lambda view: replace(view, may_enter=dict.fromkeys(view.may_enter, True)),
    "nothing held": lambda view: replace(view, holdings={}),
    "no equity": lambda view: replace(view, equity=Decimal(0)),
    "the first minute of the day": lambda view: replace(view, minute=0),
    "the last minute of the day": lambda view: replace(view, minute=_LAST_MINUTE),
    "no exchange day": lambda view: replace(view, day=None),
}
