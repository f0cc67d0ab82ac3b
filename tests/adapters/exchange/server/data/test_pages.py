"""Pages and tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.server.data.pages import Place, paged, sliced
from hydra.adapters.exchange.server.errors import ApiError

START = datetime(2024, 1, 1, tzinfo=UTC)
tapes = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sets(st.integers(0, 40)), min_size=1)


def _series(tape, down, pauses=frozenset()):
    def series(symbol, since):
        places = sorted(tape.get(symbol, ()), reverse=down)
        for place in places:
            at = START + timedelta(minutes=place)
            if since is not None and (at > since if down else at < since):
                continue
            yield at, (symbol, place)
            if place in pauses and at != since:
                yield at, None

    return series


@settings(max_examples=30)
@given(tape=tapes, limit=st.integers(1, 12), down=st.booleans(), pauses=st.sets(st.integers(0, 40)))
def test_pages_of_any_size_tell_every_row_once_and_in_order(tape, limit, down, pauses):
    series = _series(tape, down, pauses)
    rows, token = [], ""
    while True:
        page = paged(list(tape), series, limit, token)
        told = [row for symbol in sorted(page.rows) for row in page.rows[symbol]]
        assert len(told) <= limit
        rows += told
        if page.token is None:
            break
        token = page.token
    assert rows == [(symbol, place) for symbol in sorted(tape) for place in sorted(tape[symbol], reverse=down)]


@settings(max_examples=30)
@given(tape=tapes, more=st.integers(1, 30), limit=st.integers(1, 12))
def test_a_token_means_the_same_when_time_has_gone_on(tape, more, limit):
    first = paged(list(tape), _series(tape, down=False), limit, "")
    if first.token is None:
        return
    grown = {symbol: places | {60 + more} for symbol, places in tape.items()}
    rest = paged(list(tape), _series(grown, down=False), 1000, first.token)
    told = [row for page in (first, rest) for symbol in page.rows for row in page.rows[symbol]]
    assert len(told) == len(set(told))
    assert {row for row in told if row[1] <= 40} == {(symbol, each) for symbol in tape for each in tape[symbol]}


@pytest.mark.parametrize(
    "token", ["x", "%%%", "AAAA", Place("Z", START).token, "U1BZ", Place("A", START).token + "=" * 9]
)
def test_a_token_that_names_no_place_of_the_request_is_refused(token):
    with pytest.raises(ApiError, match="invalid page_token"):
        paged(["A"], _series({"A": {1}}, down=False), 10, token)


@settings(max_examples=30)
@given(keys=st.sets(st.text("ABC", min_size=1, max_size=4)), limit=st.integers(1, 5), down=st.booleans())
def test_slices_of_keys_tell_every_key_once(keys, limit, down):
    told, token = [], ""
    while True:
        part, following = sliced(keys, limit, token, down=down)
        told += part
        if following is None:
            break
        token = following
    assert told == sorted(keys, reverse=down)
