"""The tables of the state store, in words and without a database: name, kind, meaning and field of every column.

Decimals are text in full precision, times are ISO text in UTC (they sort as text), lists and mappings are JSON text, yes
and no are 1 and 0: the same on every database, and readable with nothing but ``sqlite3``. ``place`` is an entry's position
in the ledger, counted from 0; in the tables that keep history it is null once the entry has left the ledger. So the tables
are a function of the last ledger and of everything that ever was in one, however often it was committed.

It stands apart from the tables that SQLAlchemy knows (``tables.py`` makes them of this), so that looking into a store needs
no more than the standard library: importing SQLAlchemy takes longer than everything else ``hydra status`` does.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

SCHEMA = "0006"
"""The newest migration: the schema this program reads and writes."""
VERSION_TABLE = "alembic_version"


class Kind(Enum):
    """How a field is written into its column."""

    TEXT = "text"
    WORD = "word"
    DECIMAL = "decimal"
    TIME = "time"
    DATE = "date"
    WHOLE = "whole"
    SMALL = "small whole"
    YES_NO = "yes or no"
    JSON = "json"


class Column(NamedTuple):
    """A column: what it means, and the ``field`` it holds (a dotted path; empty: of no value's). ``key``: primary."""

    name: str
    kind: Kind
    doc: str
    field: str
    nullable: bool
    key: bool


class Table:
    """A table by its name, with its columns in order."""

    def __init__(self, name: str, *columns: Column) -> None:
        self.name = name
        self.columns = columns
        self.keys = tuple(column.name for column in columns if column.key)


def _column(
    name: str, kind: Kind, doc: str, *, field: str | None = None, nullable: bool = False, key: bool = False
) -> Column:
    """A column holding ``field``: the one of its own name unless given."""
    return Column(name, kind, doc, name if field is None else field, nullable, key)


def _own(name: str, doc: str, *, nullable: bool = False, key: bool = False) -> Column:
    """A column of the table's own, a small whole number: it holds no field."""
    return Column(name, Kind.SMALL, doc, "", nullable, key)


K = Kind

position = Table(
    "position",
    _own("id", "always 1: the table has one row", key=True),
    _column(
        "seq", K.WHOLE, "sequence number of the last journal event in these tables; 0 for an empty store", field=""
    ),
    _column("hash", K.TEXT, "hash of that event", field=""),
    _column("run", K.TEXT, "the run that wrote last"),
    _column("cycle", K.WHOLE, "its cycle"),
    _column("at", K.TIME, "the time of that cycle", nullable=True),
    _column("day_date", K.DATE, "the exchange day", field="day.date", nullable=True),
    _column(
        "day_start_equity",
        K.DECIMAL,
        "equity at the start of the day, dollars",
        field="day.start_equity",
        nullable=True,
    ),
    _column("equity", K.DECIMAL, "what the account was last seen with, dollars; null when unread", nullable=True),
    _column("peak_equity", K.DECIMAL, "the highest equity seen, dollars"),
    _column("cash", K.DECIMAL, "what the account must hold if fills explain everything, dollars", nullable=True),
    _column("fill_cursor", K.TEXT, "the venue's cursor after the last fill that was read"),
    _column(
        "foreign_quantities",
        K.JSON,
        "quantity by symbol that was in the account before the first cycle",
        field="foreign",
    ),
    _column("sent_at", K.JSON, "sending times of the last minute's orders"),
    _column("failed_at", K.JSON, "times of failed reads within the failure window"),
    _column("residual_cycles", K.WHOLE, "cycles in a row in which ledger and venue disagreed"),
    _column("certificate", K.JSON, "what the last passed preflight left", nullable=True),
    _column("obeyed", K.JSON, "ids of the last commands that were taken in"),
    _column("activity_cursor", K.TEXT, "the venue's cursor after the last activity that was read"),
    _column("foreign_orders", K.JSON, "venue ids of open orders that are not ours and may be there"),
    _column("unposted", K.JSON, "the most that sales may still be charged, dollars, by their time"),
    _column("flatten", K.JSON, "bots whose holdings are being closed at an operator's word; * for every bot's"),
    _column(
        "day_before",
        K.DECIMAL,
        "the equity last seen on the day before, dollars; null when there was none",
        field="day.before",
        nullable=True,
    ),
    _column("counted_on", K.DATE, "the exchange day that what is counted by day belongs to", nullable=True),
    _column("day_trades", K.JSON, "exchange days on which something was opened and closed, one entry a trade"),
    _column(
        "isolation", K.JSON, "what kept the bots apart when they were last asked; null when unknown", nullable=True
    ),
    _column(
        "binding",
        K.JSON,
        "what was running when last looked, to be held against the certificate; null when unknown",
        nullable=True,
    ),
)

orders = Table(
    "orders",
    _column("client_id", K.TEXT, "the order's identity, chosen before it is sent", key=True),
    _own("place", "position among the ledger's orders; null for an order that is done and only history", nullable=True),
    _column("run", K.TEXT, "the run that sent it"),
    _column("cycle", K.WHOLE, "the cycle that sent it"),
    _column("bot", K.TEXT, "whose order it is"),
    _column("symbol", K.TEXT, "canonical symbol"),
    _column("side", K.WORD, "buy or sell"),
    _column("quantity", K.DECIMAL, "units ordered"),
    _column("order_type", K.WORD, "market, limit, stop or stop_limit"),
    _column("purpose", K.WORD, "entry, exit, stop or target"),
    _column("time_in_force", K.WORD, "day, gtc, ioc or fok"),
    _column("limit_price", K.DECIMAL, "limit price", field="limit", nullable=True),
    _column("stop_price", K.DECIMAL, "stop price", field="stop", nullable=True),
    _column("protection_stop", K.DECIMAL, "price of the stop it asks for", field="protection.stop", nullable=True),
    _column(
        "protection_target", K.DECIMAL, "price of the target it asks for", field="protection.target", nullable=True
    ),
    _column("reference", K.DECIMAL, "the price the decision was made at", nullable=True),
    _column("thesis", K.TEXT, "why, in the bot's words"),
    _column("status", K.WORD, "where the order stands, as far as it is known"),
    _column("venue_id", K.TEXT, "the venue's identity for it; empty until known"),
    _column("parent", K.TEXT, "client id of the entry this protects; empty otherwise"),
    _column("filled", K.DECIMAL, "units in the fills that were seen"),
    _column("venue_filled", K.DECIMAL, "units the venue says have filled"),
    _column("average_price", K.DECIMAL, "average price of its fills", nullable=True),
    _column("fees", K.DECIMAL, "fees of its fills, dollars"),
    _column("sent_at", K.TIME, "when it was sent", nullable=True),
    _column("updated_at", K.TIME, "when its status last changed", nullable=True),
    _column("reason", K.TEXT, "why it was refused, canceled or is unknown"),
    _column("legs", K.JSON, "the contracts of an order for a structure, with what has filled of each; empty otherwise"),
    _column("cause", K.TEXT, "name of the exit that decided it; empty for any other order"),
)

fills = Table(
    "fills",
    _column("fill_id", K.TEXT, "the venue's identity for the execution", key=True),
    _own("place", "position among the ledger's new fills; null once the next observation came", nullable=True),
    _column("venue_id", K.TEXT, "the venue's identity for the order"),
    _column("client_id", K.TEXT, "the order"),
    _column("symbol", K.TEXT, "canonical symbol"),
    _column("side", K.WORD, "buy or sell"),
    _column("quantity", K.DECIMAL, "units"),
    _column("price", K.DECIMAL, "price a unit"),
    _column("at", K.TIME, "when it happened"),
    _column("fee", K.DECIMAL, "dollars"),
    _column("cash_fee_most", K.DECIMAL, "the most the venue may still charge for it, dollars"),
    _column("coin_fee_most", K.DECIMAL, "the most it may keep of the coin that was bought, units"),
)

holdings = Table(
    "holdings",
    _column("bot", K.TEXT, "who holds it", key=True),
    _column("symbol", K.TEXT, "canonical symbol", key=True),
    _own("place", "position among the ledger's holdings"),
    _column("quantity", K.DECIMAL, "units; negative for a short"),
    _column("average_price", K.DECIMAL, "average entry price"),
    _column(
        "protection_stop",
        K.DECIMAL,
        "price at which it is given up; null for a leg of a structure",
        field="protection.stop",
        nullable=True,
    ),
    _column(
        "protection_target", K.DECIMAL, "price at which it is taken home", field="protection.target", nullable=True
    ),
    _column("entry", K.TEXT, "client id of the entry order"),
    _column("opened_at", K.TIME, "when it was opened"),
    _column("opened_cycle", K.WHOLE, "in which cycle"),
    _column("entered", K.DECIMAL, "units entered so far"),
    _column("exited_value", K.DECIMAL, "what exits have brought in so far, dollars"),
    _column("fees", K.DECIMAL, "fees so far, dollars"),
    _column("realized", K.DECIMAL, "profit taken so far, dollars"),
    _column("unprotected_since", K.TIME, "since when no stop rests at the venue; null when one does", nullable=True),
    _column("withheld", K.DECIMAL, "units the venue has kept of the purchases as its fee"),
    _column("withheld_most", K.DECIMAL, "the most it may keep, units"),
    _column("exit_refused", K.WHOLE, "the cycle in which the venue last refused an exit; 0 for never"),
    _column("leaving", K.TEXT, "why it was decided to close it, until the order for it is sent; empty otherwise"),
    _column("cause", K.TEXT, "name of the exit that decided to close it, as long as leaving says why; empty otherwise"),
    _column("opened_on", K.DATE, "the exchange day it was opened on", nullable=True),
    _column(
        "best", K.DECIMAL, "the best price since it was opened: highest for a long, lowest for a short", nullable=True
    ),
    _column("structure", K.TEXT, "client id of the entry of which it is a leg; empty for what is no leg"),
)

trades = Table(
    "trades",
    _column("trade_id", K.TEXT, "the round trip's identity", key=True),
    _own("place", "position among the ledger's new trades; null once the next observation came", nullable=True),
    _column("bot", K.TEXT, "whose trade it was"),
    _column("symbol", K.TEXT, "canonical symbol"),
    _column("quantity", K.DECIMAL, "units"),
    _column("entry_price", K.DECIMAL, "average price in"),
    _column("exit_price", K.DECIMAL, "average price out"),
    _column("opened_at", K.TIME, "when it was opened"),
    _column("closed_at", K.TIME, "when it was closed"),
    _column("fees", K.DECIMAL, "fees in and out, dollars"),
    _column("profit", K.DECIMAL, "after fees, dollars"),
    _column("reason", K.TEXT, "why it was closed"),
    _column("structure", K.TEXT, "client id of the entry of which it was a leg; empty for what was no leg"),
)

bots = Table(
    "bots",
    _column("bot", K.TEXT, "the bot's id in the policy", key=True),
    _own("place", "position among the ledger's bots"),
    _column("memory", K.JSON, "what the bot remembers"),
    _column("strikes", K.WHOLE, "failed answers, counted towards quarantine"),
    _column("trades_today", K.WHOLE, "entries of the day"),
    _column("realized_today", K.DECIMAL, "profit taken today, dollars"),
    _column("realized", K.DECIMAL, "profit taken ever, dollars"),
    _column("fees", K.DECIMAL, "fees ever, dollars"),
    _column("loss_streak", K.WHOLE, "trades lost in a row today"),
    _column("stopped", K.JSON, "when a stop last closed a holding today, by symbol"),
    _column("entered", K.JSON, "when an entry was last sent today, by symbol and side"),
)

halts = Table(
    "halts",
    _own("place", "position among the latched halts", key=True),
    _column("kind", K.TEXT, "what stopped trading"),
    _column("reason", K.TEXT, "the reason with its numbers"),
    _column("at", K.TIME, "when"),
    _column("by", K.TEXT, "who"),
    _column("automatic", K.YES_NO, "1 when no person asked for it"),
    _column("cool_off_until", K.TIME, "not to be lifted before without force", nullable=True),
    _column("flatten", K.YES_NO, "1 when everything is closed as well"),
)

TABLES = (position, orders, fills, holdings, trades, bots, halts)
