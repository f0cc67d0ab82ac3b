"""The rate limit: its bucket, its headers, and its refusal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.server.limits import Bucket
from tests.adapters.exchange.server.scenes import KEYS, Stage


@given(st.integers(1, 300), st.lists(st.floats(0, 5), max_size=400))
def test_no_minute_has_more_than_twice_the_limit(per_minute: int, pauses: list[float]) -> None:
    bucket, now, taken = Bucket(per_minute, 0.0), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if bucket.take(now):
            taken.append(now)
        assert 0 <= bucket.left <= per_minute
    for begin in taken:
        assert sum(begin <= at < begin + 60 for at in taken) <= 2 * per_minute


def test_a_bucket_fills_evenly_and_not_above_its_brim() -> None:
    bucket = Bucket(60, 0.0)
    assert all(bucket.take(0.0) for _ in range(60))
    assert not bucket.take(0.5)
    assert bucket.more_in == 0.5
    assert bucket.take(1.0)
    assert sum(bucket.take(1000.0) for _ in range(100)) == 60


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(1, 100.0)
    assert bucket.take(100.0)
    assert not bucket.take(10.0)
    assert not bucket.take(159.0)
    assert bucket.take(161.0)


def test_every_answer_says_what_is_left_and_the_last_one_to_wait() -> None:
    stage = Stage(limit=3)
    answers = [stage.client.request("GET", path, headers=KEYS) for path in ("/v2/account", "/nowhere", "/v2/orders/x")]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    refused = stage.client.request("GET", "/v2/account", headers=KEYS)
    assert refused.status_code == 429
    assert refused.content == b'{"message":"too many requests."}'
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    for answer in (*answers, refused):
        assert answer.headers["X-RateLimit-Limit"] == "3"
        assert int(answer.headers["X-RateLimit-Reset"]) > 1_600_000_000


def test_who_guesses_keys_uses_up_nothing_of_the_owner() -> None:
    stage = Stage(limit=2)
    assert [stage.client.request("GET", "/v2/account").status_code for _ in range(4)] == [401, 401, 429, 429]
    stage.get("/v2/account")


def test_a_limit_of_zero_is_none() -> None:
    assert "X-RateLimit-Limit" not in Stage(limit=0).client.request("GET", "/v2/account", headers=KEYS).headers
