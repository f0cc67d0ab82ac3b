"""The code lists: exchanges and conditions. Names and codes are those of the consolidated tapes and of OPRA's participants."""

from __future__ import annotations

from typing import Any

from starlette.routing import BaseRoute

from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data.asked import Asked, asked_route, bad
from hydra.adapters.exchange.server.data.rows import (
    CLOSING,
    FORM_T,
    OPENING,
    OPTION_QUOTE,
    OPTION_TRADE,
    REGULAR_QUOTE,
    REGULAR_SALE,
)
from hydra.adapters.exchange.server.data.tape import Days

STOCK_EXCHANGES = {
    "A": "NYSE American",
    "B": "NASDAQ BX",
    "C": "NYSE National",
    "D": "FINRA ADF",
    "E": "Market Independent",
    "H": "MIAX",
    "I": "International Securities Exchange",
    "J": "Cboe EDGA",
    "K": "Cboe EDGX",
    "L": "Long Term Stock Exchange",
    "M": "NYSE Chicago",
    "N": "New York Stock Exchange",
    "P": "NYSE Arca",
    "Q": "NASDAQ",
    "S": "NASDAQ Small Cap",
    "T": "NASDAQ Int",
    "U": "Members Exchange",
    "V": "IEX",
    "W": "CBOE",
    "X": "NASDAQ PSX",
    "Y": "Cboe BYX",
    "Z": "Cboe BZX",
}
OPTION_EXCHANGES = {
    "A": "NYSE American Options",
    "B": "BOX Options",
    "C": "Cboe Options",
    "D": "MIAX Emerald",
    "E": "Cboe EDGX Options",
    "H": "NASDAQ GEMX",
    "I": "NASDAQ ISE",
    "J": "NASDAQ MRX",
    "M": "MIAX Options",
    "N": "NYSE Arca Options",
    "O": "OPRA",
    "P": "MIAX Pearl",
    "Q": "NASDAQ Options",
    "T": "NASDAQ BX Options",
    "U": "MEMX Options",
    "W": "Cboe C2 Options",
    "X": "NASDAQ PHLX",
    "Z": "Cboe BZX Options",
}
STOCK_CONDITIONS = {
    "trade": {
        REGULAR_SALE: "Regular Sale",
        FORM_T: "Form T",
        OPENING: "Market Center Opening Trade",
        CLOSING: "Market Center Closing Trade",
    },
    "quote": {REGULAR_QUOTE: "Regular Market Maker Open"},
}
OPTION_CONDITIONS = {
    "trade": {OPTION_TRADE: "Automatic Execution"},
    "quote": {OPTION_QUOTE: "Eligible for Automatic Execution"},
}
"""The conditions this venue uses."""


def routes(context: Context, days: Days) -> list[BaseRoute]:
    """The meta routes of equities and options."""
    stocks, options = "/v2/stocks/meta", "/v1beta1/options/meta"
    return [
        asked_route(context, days, f"{stocks}/exchanges", lambda _: STOCK_EXCHANGES, ()),
        asked_route(context, days, f"{stocks}/conditions/{{ticktype}}", _stock_conditions, ("tape",)),
        asked_route(context, days, f"{options}/exchanges", lambda _: OPTION_EXCHANGES, ()),
        asked_route(context, days, f"{options}/conditions/{{ticktype}}", _option_conditions, ()),
    ]


def _stock_conditions(asked: Asked) -> Any:
    asked.query.needed("tape")
    asked.query.chosen("tape", ("A", "B", "C", "N", "O"), "")
    return _conditions(asked, STOCK_CONDITIONS)


def _option_conditions(asked: Asked) -> Any:
    return _conditions(asked, OPTION_CONDITIONS)


def _conditions(asked: Asked, known: dict[str, dict[str, str]]) -> Any:
    kind = asked.path["ticktype"]
    if kind not in known:
        raise bad(f"invalid ticktype: {kind[:20]}")
    return known[kind]
