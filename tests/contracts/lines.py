"""How a request of the trading API is carried: over HTTP as it is, or by alpaca-py's ``TradingClient`` and its models.

A 4xx of ``DEFINITE`` is the venue's refusal (``Said``); everything else that is not a success raises ``Unreachable``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import httpx

from hydra.model.errors import Refused, Unreachable

Row = Mapping[str, Any]

DEFINITE = frozenset({400, 403, 404, 422})
"""Statuses that say that nothing was done. 401 and 429 come from before the venue, 408 and 5xx leave it open."""


class Said(Refused):
    """A definite refusal of the venue."""

    def __init__(self, status: int, body: Any) -> None:
        message = body.get("message") if isinstance(body, dict) else None
        super().__init__(f"{status}: {message or body}")
        self.status = status


def judged(status: int, content: bytes) -> Any:
    """The body of a success. Raises ``Said`` for a definite refusal and ``Unreachable`` for everything else."""
    try:
        body = json.loads(content, parse_float=Decimal) if content else None
    except ValueError as error:
        raise Unreachable(f"{status} without JSON: {content[:80]!r}") from error
    if status in DEFINITE:
        raise Said(status, body)
    if not 200 <= status < 300:
        raise Unreachable(f"{status}: {body}")
    return body


class Line(Protocol):
    """The requests of the trading API, each answered as its JSON."""

    url: str

    def account(self) -> Row: ...
    def clock(self) -> Row: ...
    def positions(self) -> Sequence[Row]: ...
    def asset(self, symbol: str) -> Row: ...
    def place(self, body: Row) -> Row: ...
    def cancel(self, order_id: str) -> None: ...
    def order(self, order_id: str) -> Row: ...
    def named(self, client_id: str) -> Row: ...
    def orders(self, query: Row) -> Sequence[Row]: ...
    def fills(self, query: Row) -> Sequence[Row]: ...
    def others(self, query: Row) -> Sequence[Row]: ...
    def announcements(self, query: Row) -> Sequence[Row]: ...


class HttpLine:
    """The requests over HTTP. ``client`` has the address and the keys."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.url = str(client.base_url)

    def ask(self, method: str, path: str, query: Row | None = None, body: Row | None = None) -> Any:
        """One request."""
        try:
            response = self._client.request(method, path, params=dict(query or {}), json=body)
        except httpx.HTTPError as error:
            raise Unreachable(f"{method} {path}: {type(error).__name__}: {error}") from error
        return judged(response.status_code, response.content)

    def account(self) -> Row:
        """The account."""
        return self._row("/v2/account")

    def clock(self) -> Row:
        """The clock."""
        return self._row("/v2/clock")

    def positions(self) -> Sequence[Row]:
        """Every position."""
        return self._rows("/v2/positions")

    def asset(self, symbol: str) -> Row:
        """An asset."""
        return self._row(f"/v2/assets/{symbol}")

    def place(self, body: Row) -> Row:
        """Place an order."""
        return as_row(self.ask("POST", "/v2/orders", body=body))

    def cancel(self, order_id: str) -> None:
        """Ask for an order's end."""
        self.ask("DELETE", f"/v2/orders/{order_id}")

    def order(self, order_id: str) -> Row:
        """An order."""
        return self._row(f"/v2/orders/{order_id}")

    def named(self, client_id: str) -> Row:
        """An order by its client id."""
        return self._row("/v2/orders:by_client_order_id", {"client_order_id": client_id})

    def orders(self, query: Row) -> Sequence[Row]:
        """A page of orders."""
        return self._rows("/v2/orders", query)

    def fills(self, query: Row) -> Sequence[Row]:
        """A page of executions."""
        return self._rows("/v2/account/activities/FILL", query)

    def others(self, query: Row) -> Sequence[Row]:
        """A page of activities that are no executions."""
        return self._rows("/v2/account/activities", {**query, "category": "non_trade_activity"})

    def announcements(self, query: Row) -> Sequence[Row]:
        """Corporate actions."""
        return self._rows("/v2/corporate_actions/announcements", query)

    def _row(self, path: str, query: Row | None = None) -> Row:
        return as_row(self.ask("GET", path, query))

    def _rows(self, path: str, query: Row | None = None) -> Sequence[Row]:
        return as_rows(self.ask("GET", path, query))


class AlpacaPyLine:
    """The requests by alpaca-py. Its hidden repeats are switched off, and a silent server is not waited for."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        from alpaca.trading.client import TradingClient

        self.url = url
        self._client = TradingClient(key, secret, url_override=url)
        self._client._retry = 0  # the constructor takes 0 for "as usual": three more POSTs of one order
        self._client._session.request = _bounded(self._client._session.request)  # type: ignore[method-assign]  # it has no timeout

    def account(self) -> Row:
        """The account."""
        return as_row(self._said(self._client.get_account))

    def clock(self) -> Row:
        """The clock."""
        return as_row(self._said(self._client.get_clock))

    def positions(self) -> Sequence[Row]:
        """Every position."""
        return as_rows(self._said(self._client.get_all_positions))

    def asset(self, symbol: str) -> Row:
        """An asset."""
        return as_row(self._said(self._client.get_asset, symbol))

    def place(self, body: Row) -> Row:
        """Place an order."""
        from alpaca.trading import requests

        kinds = {
            "market": requests.MarketOrderRequest,
            "limit": requests.LimitOrderRequest,
            "stop": requests.StopOrderRequest,
            "stop_limit": requests.StopLimitOrderRequest,
        }
        return as_row(self._said(self._client.submit_order, kinds[body["type"]](**body)))

    def cancel(self, order_id: str) -> None:
        """Ask for an order's end. One whose id is not a UUID is none of Alpaca's; the client does not even ask."""
        self._said(self._client.cancel_order_by_id, order_id)

    def order(self, order_id: str) -> Row:
        """An order."""
        return as_row(self._said(self._client.get_order_by_id, order_id))

    def named(self, client_id: str) -> Row:
        """An order by its client id."""
        return as_row(self._said(self._client.get_order_by_client_id, client_id))

    def orders(self, query: Row) -> Sequence[Row]:
        """A page of orders."""
        from alpaca.trading.requests import GetOrdersRequest

        class Paged(GetOrdersRequest):
            """With the published parameter that the model leaves out."""

            after_order_id: str | None = None

        listed = query["symbols"].split(",") if "symbols" in query else None
        return as_rows(self._said(self._client.get_orders, Paged(**{**query, "symbols": listed})))

    def fills(self, query: Row) -> Sequence[Row]:
        """A page of executions, for which the client has no method."""
        return as_rows(self._said(self._client.get, "/account/activities/FILL", dict(query)))

    def others(self, query: Row) -> Sequence[Row]:
        """A page of activities that are no executions, for which it has none either."""
        asked = {**query, "category": "non_trade_activity"}
        return as_rows(self._said(self._client.get, "/account/activities", asked))

    def announcements(self, query: Row) -> Sequence[Row]:
        """Corporate actions."""
        return as_rows(self._said(self._client.get, "/corporate_actions/announcements", dict(query)))

    def _said(self, ask: Any, *what: Any) -> Any:
        import requests
        from alpaca.common.exceptions import APIError

        try:
            answer = ask(*what)
        except APIError as error:
            return judged(int(error.status_code or 0), str(error).encode())
        except requests.RequestException as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        except (ValueError, TypeError) as error:
            # Its models refuse what they do not know, before asking or after; only an id of ours is known to be the former.
            if ask in (self._client.cancel_order_by_id, self._client.get_order_by_id):
                raise Said(422, {"message": str(error)}) from error
            raise Unreachable(f"not understood: {error}") from error
        return _plain(answer)


def _plain(answer: Any) -> Any:
    """alpaca-py's models as JSON values again."""
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    return answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer


def _bounded(request: Any) -> Any:
    return lambda *what, **how: request(*what, **{"timeout": (2, 10), **how})


def as_row(body: Any) -> Row:
    if not isinstance(body, dict):
        raise Unreachable(f"expected an object, got {type(body).__name__}")
    return body


def as_rows(body: Any) -> Sequence[Row]:
    if not isinstance(body, list):
        raise Unreachable(f"expected a list, got {type(body).__name__}")
    return body
