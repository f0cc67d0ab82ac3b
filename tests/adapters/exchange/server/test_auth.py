"""Who is let in, and what the others are told."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from hydra.adapters.exchange.server.context import ServerOptions
from hydra.model.errors import BadConfig
from tests.adapters.exchange.server.scenes import KEY, KEYS, SECRET, Stage


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("headers", [KEYS, _basic(f"{KEY}:{SECRET}")], ids=["headers", "basic"])
def test_the_right_key_is_let_in(stage: Stage, headers: dict[str, str]) -> None:
    assert stage.client.request("GET", "/v2/account", headers=headers).status_code == 200


WRONG: dict[str, dict[str, str]] = {
    "none": {},
    "wrong-secret": {**KEYS, "APCA-API-SECRET-KEY": "other"},
    "wrong-key": {**KEYS, "APCA-API-KEY-ID": "other"},
    "no-secret": {"APCA-API-KEY-ID": KEY},
    "empty": {"APCA-API-KEY-ID": "", "APCA-API-SECRET-KEY": ""},
    "basic-wrong": _basic(f"{KEY}:x"),
    "basic-no-colon": _basic(KEY + SECRET),
    "basic-not-base64": {"Authorization": "Basic %%%"},
    "bearer": {"Authorization": f"Bearer {SECRET}"},
    "not-ascii": {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": "s\u00e9cret"},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/account"), ("POST", "/v2/orders"), ("GET", "/nowhere")])
def test_anybody_else_is_told_nothing_and_changes_nothing(
    stage: Stage, headers: dict[str, str], method: str, path: str
) -> None:
    body = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    response = stage.client.request(method, path, headers=raw, json=body)
    assert response.status_code == 401
    assert response.content == b'{"message":"unauthorized."}'
    assert not stage.venue.tickets()


def test_the_secret_is_not_shown_with_the_options() -> None:
    assert "hush" not in repr(ServerOptions(key="k", secret="hush"))


@pytest.mark.parametrize(
    "options",
    [
        {"key": ""},
        {"secret": ""},
        {"key": "a:b"},
        {"secret": "with space"},
        {"secret": "s\u00e9cret"},
        {"secret": "x" * 129},
        {"rate_limit_per_minute": -1},
        {"speed": 0.0},
        {"speed": float("nan")},
        {"speed": float("inf")},
    ],
    ids=str,
)
def test_options_that_would_let_anybody_in_or_stand_still_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadConfig) as caught:
        ServerOptions(**{"key": "k", "secret": "s", **options})
    assert "with space" not in str(caught.value)
