"""The routes of option contracts.

A contract is listed from its first quote on, and after its expiry as inactive. All are American and
standard: a hundred shares for one contract. The last close of a contract is not known here, so it is left out; open
interest is that of its latest quote, where the data have it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.assets import underlying, underlyings
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter, not_found
from hydra.adapters.exchange.server.params import Query
from hydra.adapters.exchange.server.sessions import local_date
from hydra.adapters.exchange.server.settlement import settlement_days
from hydra.adapters.markets.feed import Feed, lapses_at
from hydra.model.market import AssetClass, Instrument, OptionContract, asset_class_of

LIMIT_DEFAULT, LIMIT_MAX = 100, 10_000
STATUSES = ("active", "inactive")
TYPES = ("call", "put")
STYLES = ("american", "european")
STYLE = "american"
SHARES = "100"
PENNY = Decimal("0.01")
_SATURDAY = 5

Wanted = Callable[[OptionContract], bool]


class Shelf(NamedTuple):
    """What is read to list contracts: nothing in it changes, so it may be read beside the event loop."""

    feed: Feed
    instruments: Mapping[str, Instrument]
    now: datetime


def shelf_of(context: Context) -> Shelf:
    """The contracts as of now."""
    return Shelf(context.exchange.feed, context.exchange.instruments, context.exchange.now)


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/options/contracts", listed),
        endpoint(context, "GET", "/v2/options/contracts/{symbol}", one),
    ]


def listed(context: Context, ask: Ask) -> Response | Callable[[], Response]:
    """Contracts by underlying, expiry, strike and kind, in pages ordered by symbol; found beside the event loop."""
    query = ask.query
    limit = query.whole("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    after = _opened(query.text("page_token"))
    status = query.chosen("status", STATUSES, "active")
    if query.chosen("style", STYLES, STYLE) != STYLE:
        return wire.reply({"option_contracts": [], "next_page_token": None})
    shelf = shelf_of(context)
    tests = _tests(query, local_date(shelf.now))
    penny = query.flag("ppind") if "ppind" in query else None
    deliverables = query.flag("show_deliverables")

    def answer() -> Response:
        fitting = (
            symbol
            for symbol in _symbols(shelf, status)
            if symbol > after
            and all(test(_parsed(symbol)) for test in tests)
            and (penny is None or _is_penny(shelf, symbol) is penny)
        )
        page = list(islice(fitting, limit + 1))
        token = _sealed(page[limit - 1]) if len(page) > limit else None
        bodies = [contract_json(shelf, symbol, deliverables=deliverables) for symbol in page[:limit]]
        return wire.reply({"option_contracts": bodies, "next_page_token": token})

    return answer


def one(context: Context, ask: Ask) -> Response:
    """One contract by symbol or id."""
    text = ask.path["symbol"]
    symbol = context.symbols.find(text)
    if symbol is None or asset_class_of(symbol) is not AssetClass.OPTION:
        raise not_found(f"contract not found for {text[:40]}")
    return wire.reply(contract_json(shelf_of(context), symbol, deliverables=True))


def contract_json(shelf: Shelf, symbol: str, *, deliverables: bool) -> dict[str, Any]:
    """A contract as Alpaca shows it."""
    contract = _parsed(symbol)
    share, active = underlying(contract), _is_active(shelf, symbol)
    strike = wire.number(contract.strike)
    body: dict[str, Any] = {
        "id": wire.asset_id(symbol),
        "symbol": symbol,
        "name": f"{share} {contract.expiry:%b %d %Y} {strike} {contract.right.value.title()}",
        "status": "active" if active else "inactive",
        "tradable": active,
        "expiration_date": wire.day(contract.expiry),
        "root_symbol": contract.root,
        "underlying_symbol": share,
        "underlying_asset_id": wire.asset_id(share),
        "type": contract.right.value,
        "style": STYLE,
        "strike_price": strike,
        "multiplier": SHARES,
        "size": SHARES,
        "ppind": _is_penny(shelf, symbol),
    }
    quote = shelf.feed.option_quote(symbol, shelf.now)
    if quote is not None and quote.open_interest is not None:
        body["open_interest"] = wire.number(quote.open_interest)
        body["open_interest_date"] = wire.day(local_date(quote.at))
    if deliverables:
        body["deliverables"] = [_deliverable(share, contract.expiry)]
    return body


def _deliverable(share: str, expiry: date) -> dict[str, Any]:
    return {
        "type": "equity",
        "symbol": share,
        "asset_id": wire.asset_id(share),
        "amount": SHARES,
        "allocation_percentage": "100",
        "settlement_type": f"T+{settlement_days(expiry)}",
        "settlement_method": "CCC",
        "delayed_settlement": False,
    }


def _symbols(shelf: Shelf, status: str) -> Iterator[str]:
    """The contracts that have been listed by now, by symbol."""
    feed, now = shelf.feed, shelf.now
    if status == "active":
        chains = (feed.chain(share, now) for share in underlyings(feed.contracts))
        yield from sorted(quote.symbol for chain in chains for quote in chain if _is_active(shelf, quote.symbol))
        return
    yield from (each for each in feed.contracts if _lapsed(shelf, each) and feed.option_quote(each, now) is not None)


def _is_active(shelf: Shelf, symbol: str) -> bool:
    return symbol in shelf.instruments and not _lapsed(shelf, symbol)


def _lapsed(shelf: Shelf, symbol: str) -> bool:
    return shelf.now >= lapses_at(_parsed(symbol))


def _is_penny(shelf: Shelf, symbol: str) -> bool:
    instrument = shelf.instruments.get(symbol)
    return instrument is not None and instrument.price_increment <= PENNY


def _tests(query: Query, today: date) -> list[Wanted]:
    tests: list[Wanted] = []
    shares = frozenset(each.upper() for each in query.listed("underlying_symbols"))
    if shares:
        tests.append(lambda contract: underlying(contract) in shares)
    root = query.text("root_symbol").upper()
    if root:
        tests.append(lambda contract: contract.root == root)
    right = query.chosen("type", TYPES, "")
    if right:
        tests.append(lambda contract: contract.right.value == right)
    least, most = query.number("strike_price_gte"), query.number("strike_price_lte")
    if least is not None and most is not None and least > most:
        raise bad_parameter(f"strike_price_gte {least} is above strike_price_lte {most}")
    if least is not None:
        tests.append(lambda contract: contract.strike >= least)
    if most is not None:
        tests.append(lambda contract: contract.strike <= most)
    return tests + _expiries(query, today)


def _expiries(query: Query, today: date) -> list[Wanted]:
    exact = query.date("expiration_date")
    if exact is not None:
        return [lambda contract: contract.expiry == exact]
    first, last = query.date("expiration_date_gte"), query.date("expiration_date_lte")
    if first is None and last is None and query.text("status", "active") == "active":
        last = today + timedelta(days=(_SATURDAY - today.weekday()) % 7 or 7)
    tests: list[Wanted] = []
    if first is not None:
        tests.append(lambda contract: contract.expiry >= first)
    if last is not None:
        upto = last
        tests.append(lambda contract: contract.expiry <= upto)
    return tests


def _sealed(symbol: str) -> str:
    return base64.urlsafe_b64encode(symbol.encode()).decode().rstrip("=")


def _opened(token: str) -> str:
    if not token:
        return ""
    try:
        symbol = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        OptionContract.parse(symbol)
    except (binascii.Error, ValueError) as error:
        raise bad_parameter("page_token is not valid") from error
    return symbol


@lru_cache(maxsize=65536)
def _parsed(symbol: str) -> OptionContract:
    return OptionContract.parse(symbol)
