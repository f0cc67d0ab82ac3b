"""What crosses between host and worker: views that come out as they went in, and frames of any size in any pieces."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.bots.answers import believed
from hydra.adapters.bots.news import NewsDesk, Seen, Windows
from hydra.adapters.bots.wire import Ask, AskOut, Frames, framed
from hydra.model.errors import Invalid
from hydra.model.market import OptionQuote
from hydra.model.orders import Size, SizeKind
from hydra.model.snapshot import Answer, Failure, View
from hydra.model.values import decode, encode, replace
from tests.contracts.bot_host_bots import wish
from tests.contracts.bot_host_contract import question
from tests.fakes.feed import bar

AT = datetime(2024, 3, 4, 15, tzinfo=UTC)
BARS = [bar("SPY", AT + timedelta(minutes=n), (100 + n, 101 + n, 99 + n, 100 + n)) for n in range(40)]
CONTRACTS = [f"SPY240315C{strike:05d}000" for strike in range(480, 492)]


def contract(name: str, cents: int) -> OptionQuote:
    bid = Decimal(cents) / 100
    return OptionQuote(symbol=name, bid=bid, ask=bid + Decimal("0.05"), at=AT)


spans = st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda span: tuple(BARS[span[0] : span[0] + span[1]]))
chains = st.dictionaries(st.sampled_from(CONTRACTS), st.integers(1, 4)).map(
    lambda cents: tuple(contract(name, cents[name]) for name in sorted(cents))
)
looks = st.fixed_dictionaries(
    {
        "bars": st.dictionaries(st.sampled_from(["SPY", "AAPL"]), spans),
        "chains": st.dictionaries(st.sampled_from(["SPY", "QQQ"]), chains),
        "worker": st.integers(0, 1),
        "new": st.booleans(),
    }
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(looks, min_size=1, max_size=8))
def test_the_view_that_comes_out_equals_the_view_that_went_in(sequence: list[dict]) -> None:
    desk, seen, windows = NewsDesk(), [Seen(), Seen()], [Windows(), Windows()]
    for number, look in enumerate(sequence):
        who = look["worker"]
        if look["new"]:
            seen[who], windows[who] = Seen(), Windows()
        view = replace(question("a").view, bars=look["bars"], chains=look["chains"])
        bars, news = desk.tell(view, seen[who])
        empty = replace(view, bars={}, chains={})
        sent = encode(AskOut(number=number, view=empty, memory=msgspec.Raw(b"{}"), bars=bars, chains=news))
        heard = windows[who].view(decode(sent, Ask))
        assert heard == view
        assert list(heard.bars) == list(view.bars)


def test_only_what_is_new_crosses() -> None:
    desk, seen = NewsDesk(), Seen()

    def told(bars) -> bytes:
        return bytes(desk.tell(replace(question("a").view, bars={"SPY": tuple(bars)}), seen)[0]["SPY"])

    assert told(BARS[:30]).count(b'"open"') == 30
    assert told(BARS[:30]) == b"{}"
    assert told(BARS[1:31]).count(b'"open"') == 1
    assert told(BARS[5:31]) == b'{"drop":4}'
    assert told(BARS[35:]).count(b'"open"') == 5


def test_news_of_what_was_never_told_whole_is_refused() -> None:
    with pytest.raises(Invalid, match="news of SPY, which was never told whole"):
        Windows().view(decode(b'{"number":1,"view":%s,"memory":{},"bars":{"SPY":{}}}' % encode(_bare()), Ask))


def _bare() -> View:
    return replace(question("a").view, bars={}, chains={})


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(1, 7))
def test_frames_come_out_as_they_went_in_whatever_the_pieces(contents: list[bytes], piece: int) -> None:
    stream = b"".join(framed(content) for content in contents)
    frames, out = Frames(50), []
    for start in range(0, len(stream), piece):
        frames.feed(stream[start : start + piece])
        while (content := frames.take()) is not None:
            out.append(content)
    assert out == contents
    assert frames.empty


def test_a_frame_that_is_too_long_is_refused_by_its_head() -> None:
    frames = Frames(10)
    frames.feed(framed(b"x" * 11)[:4])
    with pytest.raises(Invalid, match="a frame of 11 bytes, at most 10"):
        frames.take()


def _nested(depth: int) -> list:
    nested: list = []
    for _ in range(depth):
        nested = [nested]
    return nested


FAILURE = Failure(what="a", kind="x", reason="y")


REFUSED = {
    "another's name": (Answer(bot="b"), "it answers as 'b'"),
    "too many wishes": (Answer(bot="a", intents=(wish("a"),) * 51), "51 intents in one answer, at most 50"),
    "too much to remember": (Answer(bot="a", memory={"a": "x" * 65536}), "the memory has 65544 bytes, at most 65536"),
    "too many words": (Answer(bot="a", intents=(wish("a", thesis="x" * 2000),) * 40), "the intents have "),
    "a failure that answers": (Answer(bot="a", failure=FAILURE, memory={"a": 1}), "it has failed and answered at once"),
    "a number without end": (Answer(bot="a", memory={"a": 10**20}), "Integer exceeds 64-bit range"),
    "a list without end": (Answer(bot="a", memory={"a": _nested(300)}), "Recursion limit reached"),
    "a size without end": (
        Answer(bot="a", intents=(wish("a", size=Size(kind=SizeKind.QUANTITY, amount=Decimal("1E+99999999"))),)),
        "a number of more than 30 digits in a wish for SPY",
    ),
    "a size with many digits": (
        Answer(bot="a", intents=(wish("a", size=Size(kind=SizeKind.QUANTITY, amount=Decimal("1" * 31))),)),
        "a number of more than 30 digits in a wish for SPY",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_that_a_worker_says_of_itself_is_believed(case: str) -> None:
    answer, reason = REFUSED[case]
    with pytest.raises(Invalid, match=re.escape(reason)):
        believed("a", decode(encode(answer), Answer))


def test_a_number_that_cannot_be_reckoned_with_is_invalid_and_nothing_worse() -> None:
    said = encode(Answer(bot="a", intents=(wish("a"),))).replace(
        b'"reference":"100"', b'"reference":"1E+999999999999999999"'
    )
    with pytest.raises(Invalid, match=r"Overflow|finite|Invalid"):
        decode(said, Answer)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(bot="a"),
        Answer(bot="a", failure=FAILURE),
        Answer(bot="a", intents=(wish("a"),) * 50, memory={"a": "x" * 60000}),
        Answer(bot="a", memory={"a": _nested(200), "b": 2**63, "c": 1.5}),
    ],
    ids=["silence", "failure", "much", "deep"],
)
def test_what_is_within_the_limits_is_taken_as_it_is(answer: Answer) -> None:
    assert believed("a", decode(encode(answer), Answer)) == answer
