"""The words of Alpaca's protocol and ours, side by side, and how a value is read from an answer.

Every word of the protocol that is understood stands in a table here; one that does not is no answer (``Unreachable``), because
a guess about an order is worse than no news of it. A number is a JSON number or a decimal string; anything not finite is refused
by name. Symbols: ``BTC-USD`` here, ``BTC/USD`` in requests and orders there, ``BTCUSD`` in positions; shares and contracts are
spelt alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from hydra.model.errors import Invalid, Unreachable
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import OrderStatus, OrderType, Side, TimeInForce

Row: TypeAlias = Mapping[str, Any]
"""One JSON object of an answer."""

_S = OrderStatus
STATUSES: Mapping[str, OrderStatus] = {
    "new": _S.ACCEPTED,
    "accepted": _S.ACCEPTED,
    "pending_new": _S.ACCEPTED,
    "accepted_for_bidding": _S.ACCEPTED,
    "held": _S.ACCEPTED,
    "stopped": _S.ACCEPTED,
    "suspended": _S.ACCEPTED,
    "calculated": _S.ACCEPTED,
    "done_for_day": _S.ACCEPTED,
    "pending_replace": _S.ACCEPTED,
    "partially_filled": _S.PARTIALLY_FILLED,
    "pending_cancel": _S.PENDING_CANCEL,
    "filled": _S.FILLED,
    "canceled": _S.CANCELED,
    "replaced": _S.CANCELED,
    "expired": _S.EXPIRED,
    "rejected": _S.REJECTED,
}
"""Every published status. ACCEPTED here says no more than that the order is not done."""
HELD = "held"
"""An exit that waits: for its entry to fill, or beside one that works and shares its quantity."""

TYPES: Mapping[OrderType, str] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TRAILING_STOP: "trailing_stop",
}
FORCES: Mapping[TimeInForce, str] = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.OPG: "opg",
    TimeInForce.CLS: "cls",
}
SIDES: Mapping[Side, str] = {Side.BUY: "buy", Side.SELL: "sell"}
CLASSES: Mapping[AssetClass, str] = {
    AssetClass.EQUITY: "us_equity",
    AssetClass.CRYPTO: "crypto",
    AssetClass.OPTION: "us_option",
}
TYPES_READ: Mapping[str, OrderType] = {text: kind for kind, text in TYPES.items()}
SIDES_READ: Mapping[str, Side] = {text: side for side, text in SIDES.items()}
CLASSES_READ: Mapping[str, AssetClass] = {text: kind for kind, text in CLASSES.items()}
FILL_SIDES: Mapping[str, Side] = {**SIDES_READ, "sell_short": Side.SELL}
"""An execution's side; Alpaca names a short sale there."""
MLEG = "mleg"
GROUPED = frozenset({"bracket", "oto", "oco"})
"""Order classes in which orders hang together."""
OCO = "oco"
ORDER_CLASSES: Mapping[str, str] = {name: name for name in ("", "simple", *sorted(GROUPED), MLEG)}
"""Every published order class. One that is not here is not understood, and says nothing of what hangs on what."""

QUOTED_IN = ("USDT", "USDC", "USD", "BTC")
"""The currencies a pair can be quoted in, to split one that is spelt without its slash."""
_DIGITS_MOST = 24
"""Digits before and behind the point; no price, size or sum of dollars has as many."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever is raised because an answer is not made as published becomes ``Unreachable``, naming ``what``."""
    try:
        yield
    except Invalid as error:
        raise Unreachable(f"{what}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise Unreachable(f"{what}: not as published ({type(error).__name__}: {error})") from None


def word(table: Mapping[str, Any], row: Row, name: str) -> Any:
    """What the word under ``name`` means. Raises ``Invalid`` for one that is not in the table."""
    text = row.get(name)
    if not isinstance(text, str) or text not in table:
        raise Invalid(f"{name} is {text!r}; known are {', '.join(table)}")
    return table[text]


def text_of(row: Row, name: str) -> str:
    """The text under ``name``. Raises ``Invalid`` when it is none or empty."""
    text = row.get(name)
    if not isinstance(text, str) or not text:
        raise Invalid(f"{name} must be a text, got {text!r}")
    return text


def number(row: Row, name: str) -> Decimal:
    """The number under ``name``. Raises ``Invalid`` when there is none, or one that is not finite."""
    found = number_or_none(row, name)
    if found is None:
        raise Invalid(f"{name} is missing")
    return found


def number_or_none(row: Row, name: str) -> Decimal | None:
    """The number under ``name``; ``None`` when it is absent, null or empty. Raises ``Invalid`` for anything else."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Invalid(f"{name} must be a number, got {value!r}")
    try:
        found = Decimal(value)
    except ArithmeticError:
        raise Invalid(f"{name} must be a number, got {value!r}") from None
    if not found.is_finite():
        raise Invalid(f"{name} must be finite, got {value!r}")
    exponent = found.as_tuple().exponent
    if found.adjusted() > _DIGITS_MOST or (isinstance(exponent, int) and exponent < -_DIGITS_MOST):
        raise Invalid(f"{name} has more than {_DIGITS_MOST} digits before or behind the point")
    return found


def flag(row: Row, name: str) -> bool:
    """The flag under ``name``. Raises ``Invalid`` when it is none."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false, got {value!r}")
    return value


def moment(row: Row, name: str) -> datetime:
    """The instant under ``name``, in UTC, to the microsecond. Raises ``Invalid`` when it is none or has no offset."""
    found = moment_or_none(row, name)
    if found is None:
        raise Invalid(f"{name} is missing")
    return found


def moment_or_none(row: Row, name: str) -> datetime | None:
    """The same; ``None`` when it is absent or null."""
    text = row.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Invalid(f"{name} must be an instant, got {text!r}") from None
    if at.tzinfo is None:
        raise Invalid(f"{name} must have an offset, got {text!r}")
    return at.astimezone(UTC)


def venue_symbol(symbol: str) -> str:
    """A canonical symbol as Alpaca spells it."""
    return symbol.replace("-", "/") if asset_class_of(symbol) is AssetClass.CRYPTO else symbol


def canonical(text: str, asset_class: str = "") -> str:
    """A symbol of Alpaca's as it is called here; ``asset_class`` is Alpaca's word, where it is known.

    Raises ``Invalid`` for what has no spelling here.
    """
    kind = None if not asset_class else word(CLASSES_READ, {"asset_class": asset_class}, "asset_class")
    for spelling in _spellings(text):
        try:
            found = asset_class_of(spelling)
        except Invalid:
            continue
        if kind is None or found is kind:
            return spelling
    raise Invalid(f"the symbol {text!r} ({asset_class or 'of no class'}) has no spelling here")


def digits(value: Decimal) -> str:
    """A number as it is sent: plain digits, never an exponent."""
    return f"{value:f}"


def _spellings(text: str) -> Sequence[str]:
    """Spellings a symbol may have here, likeliest first: no pair is as short as the longest name of a share."""
    split = [f"{text[: -len(end)]}-{end}" for end in QUOTED_IN if text.endswith(end) and text != end]
    return (text.replace("/", "-"), *split)
