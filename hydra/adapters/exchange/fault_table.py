"""Which faults there are, where each can happen, and what it means at either door: one table, ``MEANINGS``.

A fault is a way in which a venue, or the road to it, fails. *Before* means that the request was never carried out, *after*
that it was and its answer was lost. The table is what the parser checks rules against and what the reference prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from hydra.model.values import Value


class FaultKind(StrEnum):
    """A way to fail, as a fault file spells it."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    GATEWAY_AFTER = "504_after"
    RATE_LIMIT = "429"
    SERVER_ERROR = "500"
    HTML = "html_200"
    EMPTY_BODY = "empty_body"
    UNKNOWN_ENUM = "unknown_enum"
    NAN = "nan"
    SLOW = "slow"
    STALE_QUOTE = "stale_quote"
    CROSSED_QUOTE = "crossed_quote"
    MUTE_STREAM = "mute_stream"
    LOST_FILL = "lost_fill"
    DOUBLED_FILL = "doubled_fill"
    PARTIAL_FILL = "partial_fill"
    REJECT_EXIT = "reject_exit"
    ACCOUNT_INACTIVE = "account_inactive"
    ACCOUNT_BLOCKED = "account_blocked"
    CLOCK_OFF = "clock_off"


class Operation(StrEnum):
    """What is asked of a venue, in words that hold at both doors."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    ACCOUNT = "account"
    POSITIONS = "positions"
    ORDERS = "orders"
    ORDER = "order"
    FILLS = "fills"
    INSTRUMENTS = "instruments"
    CLOCK = "clock"
    QUOTES = "quotes"
    BARS = "bars"
    CHAIN = "chain"
    STREAM_TRADES = "stream.trades"
    STREAM_DATA = "stream.data"


ANY = "*"
"""Every operation at which a fault can happen."""
OTHER_NAMES: Mapping[str, Operation] = {"activities": Operation.FILLS, "assets": Operation.INSTRUMENTS}
"""The protocol's own words for two of them."""

_O = Operation
STREAMS = frozenset({_O.STREAM_TRADES, _O.STREAM_DATA})
REQUESTS = frozenset(_O) - STREAMS
WITH_SYMBOLS = frozenset({_O.SUBMIT, _O.CANCEL, _O.REPLACE, _O.ORDER, _O.FILLS, _O.QUOTES, _O.BARS, _O.CHAIN, *STREAMS})
"""Operations that are about symbols, so that a rule can be about one."""
_QUOTING = frozenset({_O.QUOTES, _O.CHAIN, _O.STREAM_DATA})
_FILLING = frozenset({_O.FILLS, _O.STREAM_TRADES})
_TRADING = frozenset({_O.ACCOUNT, _O.SUBMIT, _O.REPLACE})
_WITH_WORDS = frozenset(
    {_O.SUBMIT, _O.REPLACE, _O.ACCOUNT, _O.POSITIONS, _O.ORDERS, _O.ORDER, _O.FILLS, _O.INSTRUMENTS, _O.STREAM_TRADES}
)
_WITH_NUMBERS = (_WITH_WORDS | {_O.QUOTES, _O.BARS, _O.CHAIN, _O.STREAM_DATA}) - {_O.INSTRUMENTS}


class Number(Value, frozen=True, kw_only=True):
    """A parameter of a fault: what it accepts, and what it is when it is not given (``None``: it must be)."""

    least: Decimal
    most: Decimal
    default: Decimal | None
    whole: bool = False


class Meaning(Value, frozen=True, kw_only=True):
    """A fault in full. ``own`` are the operations of a rule that names none; empty: it has to name some.

    ``by_path``: at HTTP a rule may also name requests by method and path. ``http``, ``in_process`` and ``never`` say in
    words what happens at either door and what the fault cannot mean.
    """

    at: frozenset[Operation]
    own: frozenset[Operation] = frozenset()
    by_path: bool = True
    numbers: Mapping[str, Number] = {}
    http: str
    in_process: str
    never: str


_HANG = {"seconds": Number(least=Decimal("0.01"), most=Decimal(3600), default=Decimal(600))}
_NOT_READABLE = "the request is carried out, then `Unreachable`: not in its own language"
MEANINGS: Mapping[FaultKind, Meaning] = {
    FaultKind.TIMEOUT_BEFORE: Meaning(
        at=REQUESTS,
        numbers=_HANG,
        http="the request is not carried out; no byte comes back until the client goes away, or `seconds` (600) are over "
        "and the socket is closed",
        in_process="nothing is done; `Unreachable` at once",
        never="waiting, in-process: an engine that reads inline would stand still",
    ),
    FaultKind.TIMEOUT_AFTER: Meaning(
        at=REQUESTS,
        numbers=_HANG,
        http="the request is carried out; then as `timeout_before`",
        in_process="the request is carried out, then `Unreachable`",
        never="waiting, in-process",
    ),
    FaultKind.DROP_BEFORE: Meaning(
        at=REQUESTS | STREAMS,
        http="the request is not carried out, the socket is closed without an answer; on a stream the message is not sent",
        in_process="nothing is done; `Unreachable`",
        never="a refused connection: the request has arrived",
    ),
    FaultKind.DROP_AFTER: Meaning(
        at=REQUESTS,
        http="the request is carried out, the socket is closed without an answer",
        in_process="the request is carried out, then `Unreachable`",
        never="half an answer",
    ),
    FaultKind.GATEWAY_AFTER: Meaning(
        at=REQUESTS,
        http="the request is carried out; status 504 with a gateway's HTML page",
        in_process="the request is carried out, then `Unreachable`",
        never="that nothing happened",
    ),
    FaultKind.RATE_LIMIT: Meaning(
        at=REQUESTS,
        numbers={"seconds": Number(least=Decimal(1), most=Decimal(3600), default=Decimal(1), whole=True)},
        http="not carried out; status 429, `Retry-After: seconds` (1), and no request left",
        in_process="nothing is done; `Unreachable` naming the seconds",
        never="a limit that is counted: it ends as the rule says, not when the client slows down",
    ),
    FaultKind.SERVER_ERROR: Meaning(
        at=REQUESTS,
        http="not carried out; status 500 with an error body",
        in_process="nothing is done; `Unreachable`",
        never="that the request was carried out; a client cannot know that",
    ),
    FaultKind.HTML: Meaning(
        at=REQUESTS,
        http="the request is carried out; status 200 with an HTML page",
        in_process=_NOT_READABLE,
        never="a page with anything in it",
    ),
    FaultKind.EMPTY_BODY: Meaning(
        at=REQUESTS,
        http="the request is carried out; status 200 and no body",
        in_process=_NOT_READABLE,
        never="*there is none*: an empty list has a body",
    ),
    FaultKind.UNKNOWN_ENUM: Meaning(
        at=_WITH_WORDS,
        http="the request is carried out; every status, side, type and the like in the answer is a word that does not exist",
        in_process=_NOT_READABLE,
        never="a new field, which clients have to bear",
    ),
    FaultKind.NAN: Meaning(
        at=_WITH_NUMBERS,
        http="the request is carried out; every number in the answer is NaN, in quotes where the number was",
        in_process="the request is carried out, then `Invalid`, which is what a value says that is built from NaN",
        never="a NaN in the venue's books",
    ),
    FaultKind.SLOW: Meaning(
        at=REQUESTS | STREAMS,
        numbers={"ms": Number(least=Decimal(1), most=Decimal(600_000), default=None, whole=True)},
        http="`ms` pass before the request is carried out, or before a stream's message is sent",
        in_process="`ms` of real time pass before the request is carried out",
        never="venue time: its clock goes on as it would",
    ),
    FaultKind.STALE_QUOTE: Meaning(
        at=_QUOTING,
        own=_QUOTING,
        numbers={"seconds": Number(least=Decimal(1), most=Decimal(10**8), default=Decimal(3600))},
        http="quotes carry a time that is `seconds` (3600) older",
        in_process="the same",
        never="what orders fill at: the venue goes on trading at the true quote",
    ),
    FaultKind.CROSSED_QUOTE: Meaning(
        at=_QUOTING,
        own=_QUOTING,
        http="the bid of every quote is above its ask",
        in_process="`Invalid`: such a quote cannot be built; a crossed contract is left out of its chain",
        never="what orders fill at",
    ),
    FaultKind.MUTE_STREAM: Meaning(
        at=STREAMS,
        own=STREAMS,
        by_path=False,
        http="the socket stays open, and from the message on at which the rule is due nothing is sent",
        in_process="nothing: this door has no streams",
        never="a gap with an end, other than by `until`",
    ),
    FaultKind.LOST_FILL: Meaning(
        at=_FILLING,
        own=_FILLING,
        by_path=False,
        http="an execution is missing from the activities, or its event from the stream, for good",
        in_process="an execution is missing from `fills` for good",
        never="a lost execution: position, cash and order have it",
    ),
    FaultKind.DOUBLED_FILL: Meaning(
        at=_FILLING,
        own=_FILLING,
        by_path=False,
        http="an execution is listed twice, or its event is sent twice, with the same id",
        in_process="an execution is in `fills` twice, with the same id",
        never="a doubled execution: position, cash and order have it once",
    ),
    FaultKind.PARTIAL_FILL: Meaning(
        at=frozenset({_O.SUBMIT}),
        own=frozenset({_O.SUBMIT}),
        by_path=False,
        numbers={
            "fraction": Number(least=Decimal("0.01"), most=Decimal("0.99"), default=Decimal("0.5")),
            "seconds": Number(least=Decimal(1), most=Decimal(10**8), default=Decimal(60)),
        },
        http="until `seconds` (60) of venue time have passed the order fills to `fraction` (0.5) of its quantity at most, "
        "rounded down to what can be traded",
        in_process="the same",
        never="an order with several legs, and one that fills whole or not at all",
    ),
    FaultKind.REJECT_EXIT: Meaning(
        at=frozenset({_O.SUBMIT}),
        own=frozenset({_O.SUBMIT}),
        by_path=False,
        http="an order that reduces what is held is refused: insufficient quantity, 403",
        in_process="an order that reduces what is held is rejected",
        never="the legs of a bracket, which are no requests; only orders that reduce are counted",
    ),
    FaultKind.ACCOUNT_INACTIVE: Meaning(
        at=_TRADING,
        own=_TRADING,
        by_path=False,
        http="the account's status is `INACTIVE`; orders and replacements are refused with 403",
        in_process="the account's status is `INACTIVE`; orders are rejected",
        never="an account that stays so: the books do not know of it",
    ),
    FaultKind.ACCOUNT_BLOCKED: Meaning(
        at=_TRADING,
        own=_TRADING,
        by_path=False,
        http="the account says that it and its trading are blocked; orders and replacements are refused with 403",
        in_process="the account is blocked; orders are rejected",
        never="an account that stays so",
    ),
    FaultKind.CLOCK_OFF: Meaning(
        at=frozenset({_O.CLOCK}),
        own=frozenset({_O.CLOCK}),
        by_path=False,
        numbers={"seconds": Number(least=Decimal(-(10**8)), most=Decimal(10**8), default=None)},
        http="the venue's clock says a time that is off by `seconds`; below zero: it is behind",
        in_process="the broker's `now` does",
        never="the times of orders, fills and prices, and the clock the engine itself reads",
    ),
}
"""Every fault. A rule that asks for one at an operation outside ``at`` is refused."""

BY_EXECUTION = frozenset({FaultKind.LOST_FILL, FaultKind.DOUBLED_FILL})
"""Faults whose occurrences are executions."""
OF_THE_ACCOUNT = frozenset({FaultKind.ACCOUNT_INACTIVE, FaultKind.ACCOUNT_BLOCKED})
WITHIN = frozenset({*OF_THE_ACCOUNT, FaultKind.CLOCK_OFF})
"""Faults the venue itself shows while it answers; the door only says that they are due."""
OF_ORDERS = frozenset({FaultKind.PARTIAL_FILL, FaultKind.REJECT_EXIT})
OF_THE_ROAD = frozenset(FaultKind) - BY_EXECUTION - WITHIN - OF_ORDERS - {FaultKind.MUTE_STREAM}
"""Faults that happen to a request or an answer on its way."""
