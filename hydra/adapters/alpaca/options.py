"""Option chains from Alpaca: the snapshots of every contract on an equity, with the open interest of the contracts' list.

Snapshots are market data; open interest is with the trading API. It is published once a day, so it is read once an exchange
day for each underlying, and again when a contract turns up that was not listed then.

A chain has the contracts whose root is the underlying's own. Those of a root with a digit behind it have been adjusted, and stand for
something else than a hundred shares: they are left out, since nothing here could size them. So are contracts that have expired.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from hydra.adapters.alpaca.access import Clients
from hydra.adapters.alpaca.pages import every_page
from hydra.adapters.alpaca.rows import chain_of, interest_of, rows_in
from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.markets.feed import lapses_at, root_of
from hydra.model.errors import Invalid, Unreachable
from hydra.model.market import AssetClass, OptionContract, OptionQuote, asset_class_of

SNAPSHOTS_MOST, CONTRACTS_MOST = 1000, 10_000
"""Rows of one page, the most Alpaca gives."""
_LAST_EXPIRY = "2099-12-31"
"""Without one, Alpaca lists the contracts of the next few days only."""


class ChainReader:
    """Chains as quoted by ``feed``."""

    def __init__(self, clients: Clients, feed: str) -> None:
        self._clients = clients
        self._feed = feed
        self._interest: dict[str, tuple[date, Mapping[str, Decimal | None]]] = {}

    def chain(self, underlying: str, now: datetime) -> tuple[OptionQuote, ...]:
        """Every contract that has a snapshot, by symbol; none for what is no equity. Raises ``Unreachable``."""
        if asset_class_of(underlying) is not AssetClass.EQUITY:
            return ()
        snapshots = self._snapshots(underlying, now)
        return chain_of(snapshots, self._interests(underlying, snapshots, now) if snapshots else {}, now)

    def _snapshots(self, underlying: str, now: datetime) -> dict[str, Any]:
        what = f"chain of {underlying}"
        path = f"/options/snapshots/{underlying}"
        query = {"feed": self._feed, "limit": SNAPSHOTS_MOST}
        found: dict[str, Any] = {}
        for page in every_page(what, partial(self._clients.options.get, path), query):
            for symbol, row in rows_in(what, page, "snapshots").items():
                if symbol in found:
                    raise Unreachable(f"{what}: {symbol} is on two pages")
                if _belongs(what, symbol, underlying, now):
                    found[symbol] = row
        return found

    def _interests(self, underlying: str, symbols: Collection[str], now: datetime) -> Mapping[str, Decimal | None]:
        today = now.astimezone(NEW_YORK).date()
        day, known = self._interest.get(underlying, (None, {}))
        if day != today or any(symbol not in known for symbol in symbols):
            known = {**dict.fromkeys(symbols), **self._listed(underlying, today)}
            self._interest[underlying] = (today, known)
        return known

    def _listed(self, underlying: str, today: date) -> dict[str, Decimal | None]:
        query = {
            "underlying_symbols": underlying,
            "status": "active",
            "expiration_date_gte": today.isoformat(),
            "expiration_date_lte": _LAST_EXPIRY,
            "limit": CONTRACTS_MOST,
        }
        what = f"contracts on {underlying}"
        found: dict[str, Decimal | None] = {}
        for page in every_page(what, partial(self._clients.trading.get, "/options/contracts"), query):
            if "option_contracts" not in page:
                raise Unreachable(f"{what}: the answer has no 'option_contracts'")
            found |= interest_of(page["option_contracts"] or [])
        return found


def _belongs(what: str, symbol: str, underlying: str, now: datetime) -> bool:
    """Whether a contract is part of the chain. Raises ``Unreachable`` for one on something else."""
    try:
        contract = OptionContract.parse(symbol)
    except Invalid as error:
        raise Unreachable(f"{what}: {error}") from error
    root = root_of(underlying)
    if contract.root not in (root, *(f"{root}{digit}" for digit in range(10))):
        raise Unreachable(f"{what}: the answer has {symbol}, which is a contract on something else")
    return contract.root == root and now < lapses_at(contract)
