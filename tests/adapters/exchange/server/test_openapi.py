"""The published documents as a measure: their own examples pass, and what is wrong is named."""

from typing import Any

import pytest

from tests.adapters.exchange.server import openapi

# Shown for one order under an operation that answers with a list of them.
ONE_OF_A_LIST = "GET /v2/orders"


def test_the_documents_own_examples_satisfy_them_as_corrected() -> None:
    wrong = []
    count = 0
    for operation, status, name, body in openapi.examples():
        count += 1
        answer = [body] if str(operation) == ONE_OF_A_LIST and not isinstance(body, list) else body
        path = operation.template.replace("{", "").replace("}", "")
        try:
            openapi.validate(operation.method, path, status, answer)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    assert not wrong
    assert count > 100


def test_every_correction_is_of_something_that_is_there() -> None:
    for correction in openapi.CORRECTIONS:
        published: Any = openapi.published(correction.document)
        corrected: Any = openapi.corrected(correction.document)
        for step in correction.at:
            published, corrected = published[step], corrected[step]
        assert published != corrected, correction.reason


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/v2/orders:by_client_order_id?client_order_id=a", "/v2/orders:by_client_order_id"),
        ("GET", "http://127.0.0.1:8000/v2/orders/5b5d3d67", "/v2/orders/{order_id}"),
        ("get", "/v2/stocks/quotes/latest?symbols=SPY", "/v2/stocks/quotes/latest"),
        ("GET", "/v2/stocks/SPY/quotes/latest", "/v2/stocks/{symbol}/quotes/latest"),
        ("DELETE", "/v2/positions/BTC/USD", "/v2/positions/{symbol_or_asset_id}"),
        ("DELETE", "/v2/watchlists/5b5d3d67/AAPL", "/v2/watchlists/{watchlist_id}/{symbol}"),
        ("GET", "/v1beta3/crypto/us/latest/bars", "/v1beta3/crypto/{loc}/latest/bars"),
    ],
)
def test_a_request_finds_the_operation_it_is_for(method: str, path: str, template: str) -> None:
    operation = openapi.find(method, path)
    assert operation is not None
    assert operation.template == template


CLOCK = {
    "timestamp": "2013-10-07T09:31:00-04:00",
    "is_open": True,
    "next_open": "2013-10-08T09:30:00-04:00",
    "next_close": "2013-10-07T16:00:00-04:00",
}


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "complaint"),
    [
        ("GET", "/v2/nothing", 200, {}, "GET /v2/nothing is in neither document"),
        ("GET", "/v2/clock", 200, {**CLOCK, "is_open": "yes"}, r"GET /v2/clock 200 \(schema\): at \$.is_open: 'yes'"),
        ("GET", "/v2/clock", 200, {**CLOCK, "timestamp": "2013-10-07 09:31"}, "is not a 'date-time'"),
        (
            "GET",
            "/v2/clock",
            418,
            {"code": "40010001", "message": "no"},
            r"\$.code: '40010001' is not of type 'integer'",
        ),
        ("GET", "/v2/clock", 429, "Too many", "is not of type 'object'"),
        ("POST", "/v2/orders", 422, {"code": 42210000}, "'message' is a required property"),
        ("DELETE", "/v2/orders/5b5d3d67", 204, {}, "no body, got {}"),
        ("DELETE", "/v2/orders/5b5d3d67", 200, None, "the document has 204, 422"),
        (
            "GET",
            "/v2/account/activities/FILL",
            200,
            [{"id": "1", "activity_type": "FILL", "type": "trade"}],
            r"\$\[0\].type",
        ),
        (
            "GET",
            "/v2/account/activities",
            200,
            [{"id": "1", "activity_type": "FEE", "date": "2013-10-07T00:00:00Z"}],
            "'date'",
        ),
    ],
)
def test_a_wrong_answer_is_named_with_its_place(method: str, path: str, status: int, body: Any, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        openapi.validate(method, path, status, body)


def test_a_right_answer_passes_and_an_unlisted_refusal_needs_only_the_error_body() -> None:
    openapi.validate("GET", "/v2/clock", 200, CLOCK)
    openapi.validate("GET", "/v2/clock", 401, {"code": 40110000, "message": "request is not authorized"})
    openapi.validate("POST", "/v2/orders", 403, {"code": 40310000, "message": "insufficient", "buying_power": "0"})
    openapi.validate("DELETE", "/v2/orders/5b5d3d67", 204, None)
