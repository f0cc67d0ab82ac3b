"""Orders and executions as Alpaca tells of them, in our words.

Whatever a person has placed beside Hydra is told too, in shapes Hydra never asks for:

    an order in several contracts    its own row has neither symbol nor side: it is named after what its contracts are on, and
                                     a credit (a limit below zero) is a SELL, anything else a BUY; prices are without sign
    an order sized in dollars        has no quantity: what it means at its limit, else what has filled, else the smallest part

What cannot be told so raises ``Unreachable`` with the order's id; nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hydra.adapters.account_rules import fee_most
from hydra.adapters.alpaca.terms import (
    FILL_SIDES,
    MLEG,
    SIDES_READ,
    STATUSES,
    TYPES_READ,
    Row,
    canonical,
    moment,
    moment_or_none,
    number,
    number_or_none,
    reading,
    text_of,
    word,
)
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.money import ZERO
from hydra.model.orders import Fill, OrderStatus, Side, VenueOrder

_PART = Decimal("1e-9")
"""The smallest part of a share or a coin that Alpaca trades."""


def order_of(row: Row, parent: str = "") -> VenueOrder:
    """An order; ``parent`` is the client id of the entry it hangs on."""
    with reading(f"order {row.get('id')}"):
        filled = number_or_none(row, "filled_qty") or ZERO
        symbol, side = _combined(row) if is_combined(row) else _single(row)
        return VenueOrder(
            venue_id=text_of(row, "id"),
            client_id=text_of(row, "client_order_id"),
            symbol=symbol,
            side=side,
            order_type=word(TYPES_READ, row, "type"),
            quantity=_quantity(row, filled),
            status=_status(row, filled),
            filled=filled,
            average_price=_unsigned(number_or_none(row, "filled_avg_price")),
            limit=_unsigned(number_or_none(row, "limit_price")),
            stop=number_or_none(row, "stop_price"),
            parent=parent,
            updated_at=moment_or_none(row, "updated_at"),
        )


def fill_of(row: Row, venue_id: str, client_id: str) -> Fill:
    """An execution of the order with these ids. It says nothing of a fee; what it may cost at most beside its price is bounded."""
    with reading(f"execution {row.get('id')}"):
        if row.get("activity_type") != "FILL":
            raise Invalid(f"activity_type is {row.get('activity_type')!r}, expected FILL")
        symbol, side = canonical(text_of(row, "symbol")), word(FILL_SIDES, row, "side")
        quantity, price = number(row, "qty"), number(row, "price")
        cash, coin = fee_most(symbol, side, quantity, price)
        return Fill(
            fill_id=text_of(row, "id"),
            venue_id=venue_id,
            client_id=client_id,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            at=moment(row, "transaction_time"),
            cash_fee_most=cash,
            coin_fee_most=coin,
        )


def is_combined(row: Row) -> bool:
    """True for an order in several contracts, false for one of its contracts and everything else."""
    return row.get("order_class") == MLEG and not row.get("symbol")


def is_part(row: Row) -> bool:
    """True for one contract of an order in several, as the list of orders and executions have it."""
    return row.get("order_class") == MLEG and not is_combined(row)


def legs_of(row: Row) -> Sequence[Row]:
    """The orders that are shown beneath this one."""
    legs = row.get("legs")
    return legs if isinstance(legs, list) else ()


def _single(row: Row) -> tuple[str, Side]:
    return canonical(text_of(row, "symbol"), text_of(row, "asset_class")), word(SIDES_READ, row, "side")


def _combined(row: Row) -> tuple[str, Side]:
    """The underlying, and who pays: a market order says nothing of that and is a BUY by convention."""
    roots = {_root(canonical(text_of(leg, "symbol"))) for leg in legs_of(row)}
    if len(roots) != 1:
        raise Invalid(f"its contracts are on {', '.join(sorted(roots)) or 'nothing'}; expected one underlying")
    limit = number_or_none(row, "limit_price")
    return roots.pop(), Side.SELL if limit is not None and limit < 0 else Side.BUY


def _root(symbol: str) -> str:
    """What a contract is on: its root, without the digit of an adjusted one. Shares are on themselves."""
    if asset_class_of(symbol) is not AssetClass.OPTION:
        return symbol
    return OptionContract.parse(symbol).root.rstrip("0123456789")


def _quantity(row: Row, filled: Decimal) -> Decimal:
    quantity = number_or_none(row, "qty")
    if quantity is not None:
        return quantity
    notional, limit = number(row, "notional"), number_or_none(row, "limit_price")
    return max(filled, _PART if limit is None or limit <= 0 else (notional / limit).quantize(_PART))


def _status(row: Row, filled: Decimal) -> OrderStatus:
    status: OrderStatus = word(STATUSES, row, "status")
    if status is OrderStatus.ACCEPTED and filled > 0:
        return OrderStatus.PARTIALLY_FILLED
    return status


def _unsigned(price: Decimal | None) -> Decimal | None:
    return None if price is None else abs(price)
