"""Whatever the published documents let a client send, and what they do not: no failure of ours, and every answer as published.

The requests are made by schemathesis from the documents; some fields are also given the words and numbers of the market that
is played, so that not everything ends at the first check. A slice in every run, more of it in the drill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from tests.adapters.exchange.server import openapi
from tests.conformance.market import CALL, LATER_OTHER_PUT, LATER_PUT, PUT
from tests.conformance.offered import OFFERED
from tests.conformance.venues import KEYS, InProcess

_SYMBOLS = ["AAPL", "MSFT", "BTC/USD", "BTCUSD", PUT, CALL, "aapl", "NOSUCH"]
_SHARES = ["AAPL", "MSFT"]
_TIMES = ["2024-03-04", "2024-03-04T14:40:00Z", "2024-03-04T09:40:00-05:00", "0001-01-01", "9999-12-31T23:59:59Z"]
_NUMBERS = ["1", "2", "0.5", "100.01", "-1", "0", "1e3", "1e999", "NaN", "0.000000001", "99999999999999999999"]
WORDS: dict[str, list[Any]] = {
    **dict.fromkeys(("symbol", "symbols", "symbol_or_asset_id", "symbol_or_contract_id", "symbol_or_id"), _SYMBOLS),
    **dict.fromkeys(("underlying_symbol", "underlying_symbols", "root_symbol"), _SHARES),
    **dict.fromkeys(("start", "end", "since", "until", "after", "date", "updated_since", "expiration_date"), _TIMES),
    **dict.fromkeys(
        ("qty", "notional", "limit_price", "stop_price", "trail_price", "trail_percent", "trail"), _NUMBERS
    ),
    "ratio_qty": ["1", "2", "0"],
    "order_id": ["RESTING", "FILLED"],
    "client_order_id": ["resting", "filled", "another"],
    "timeframe": ["1Min", "5Min", "1Hour", "1Day", "1D", "1H", "15Min", "1Week", "12Month", "0Min"],
    "period": ["1D", "1W", "1M", "1A", "7X"],
    "activity_type": ["FILL", "DIV", "CFEE"],
    "ca_types": ["dividend", "split", "dividend,split"],
    "loc": ["us"],
    "page_token": ["", "MQ==", "%"],
    "limit": [1, 2, 1000],
}
"""What is sent in a field beside what its schema makes up."""
LEGS = [
    {"symbol": LATER_PUT, "ratio_qty": "1", "side": "buy"},
    {"symbol": LATER_OTHER_PUT, "ratio_qty": "1", "side": "sell"},
]
RESTING = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc", "limit_price": "70"}
FILLED = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
MODES = {"fitting": GenerationMode.POSITIVE, "unfitting": GenerationMode.NEGATIVE}
EXAMPLES = {"few": 3, "many": 150}


def has_wrong_input(operation: openapi.Operation) -> bool:
    """True when there is something that does not fit: a body, or a parameter that is not any text in the path."""
    item = openapi.corrected(operation.document)["paths"][operation.template]
    method = item[operation.method.lower()]
    return "requestBody" in method or any(
        "$ref" in each or each["in"] == "query" for each in method.get("parameters", ())
    )


CASES = [
    pytest.param(
        operation, mode, count, id=f"{operation}-{mode}-{count}", marks=[pytest.mark.drill] if count == "many" else []
    )
    for count in EXAMPLES
    for mode in MODES
    for operation in OFFERED
    if mode == "fitting" or has_wrong_input(operation)
]


@cache
def played(document: str) -> schemathesis.BaseSchema:
    """A document whose fields are also filled with what there is in the market."""
    copy: dict[str, Any] = deepcopy(dict(openapi.corrected(document)))
    for parameter in _parameters(copy):
        parameter["schema"] = _widened(parameter["name"], parameter["schema"])
    for name in ("CreateOrderRequest", "PatchOrderRequest", "MLegOrderLeg"):
        schema = copy["components"]["schemas"].get(name, {})
        for each, inner in schema.get("properties", {}).items():
            schema["properties"][each] = _widened(each, inner)
    copy.pop("security", None)
    copy["components"].pop("securitySchemes", None)
    return schemathesis.openapi.from_dict(copy)


def _parameters(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document["components"]["parameters"].values()
    for item in document["paths"].values():
        for part in (item, *(item[method] for method in openapi.METHODS if method in item)):
            yield from (each for each in part.get("parameters", ()) if "schema" in each)


def _widened(name: str, schema: Any) -> Any:
    if name == "legs":
        return {"anyOf": [{"const": LEGS}, schema]}
    return {"anyOf": [{"enum": WORDS[name]}, schema]} if name in WORDS else schema


@pytest.mark.parametrize(("operation", "mode", "count"), CASES)
def test_no_request_makes_the_server_fail(operation: openapi.Operation, mode: str, count: str, door: InProcess) -> None:
    placed = {
        "RESTING": door.good("POST", "/v2/orders", {**RESTING, "client_order_id": "resting"})["id"],
        "FILLED": door.good("POST", "/v2/orders", {**FILLED, "client_order_id": "filled"})["id"],
    }
    strategy = played(operation.document)[operation.template][operation.method].as_strategy(generation_mode=MODES[mode])

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES[count],
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case) -> None:
        sent = dict(case.as_transport_kwargs(base_url="http://venue.test"))
        url = str(sent.pop("url"))
        for name, order_id in placed.items():
            url = url.replace(name, order_id)
        headers = {**KEYS, **{name: value for name, value in sent.pop("headers").items() if name == "Content-Type"}}
        given_keys = ("params", "json", "data", "content")
        answer = door.send(
            operation.method, url, headers=headers, **{key: sent[key] for key in given_keys if key in sent}
        )
        assert answer.status < 500, f"{operation.method} {url} {sent}: {answer.status} {answer.content[:300]!r}"

    check()
