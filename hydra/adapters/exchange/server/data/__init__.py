"""Market data over REST: what the feed has played up to the venue's clock, in Alpaca's shapes. Nothing later is ever shown.

``routes(context)`` has all of it. News, forex, fixed income, screeners and logos are not there: no feed has them.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data import actions, crypto, meta, options, stocks
from hydra.adapters.exchange.server.data.tape import Days


def routes(context: Context) -> list[BaseRoute]:
    """Every market-data route. Those of equities' meta come before ``/v2/stocks/{symbol}``."""
    days = Days()
    parts = (meta, stocks, crypto, options, actions)
    return [route for part in parts for route in part.routes(context, days)]
