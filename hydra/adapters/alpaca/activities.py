"""The account's activities at Alpaca: executions, and everything else that changed cash or positions.

Both are lists in pages, read through a ``Cursor`` that looks back (``OVERLAPS``). ``KINDS`` says what a type is called here; one
that is not in it is OTHER: its cash is explained and nothing else.

    an activity's    is
    ---------------  -----------------------------------------------------------------------------------------------
    time             when it was posted (``created_at``); where that is missing, the New York time its id begins with
    amount           ``net_amount``; dollars, any other currency is refused
    quantity         ``qty``, where it says how a position changed; of a dividend it is only what was paid for
    ratio            of a split: from the announcements, ``None`` where they do not have it
    new symbol       of a change of name: from the announcements, or from the row that books the same quantity in

Alpaca may book a split in two rows, old shares out and new ones in. Those of one day and symbol that are read together are told
as one, so that a ratio counts once. One whose status is ``canceled`` changed nothing and is told so; an unknown status raises.

An account that trades pairs all day has a fee of a coin for every trade, and the ten days of the overlap are many pages. Where
they are (``PAGES_EASY``), the whole overlap is read now and then only. In between everything of the last hour is read, and of
the whole overlap the types that change cash or shares and come late (``LATE``); a coin's fee that comes later than that lies
within what its fill says that it may cost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from hydra.adapters.alpaca.access import Clients, ask
from hydra.adapters.alpaca.announcements import Announcements
from hydra.adapters.alpaca.cursors import Cursor
from hydra.adapters.alpaca.order_list import PAGES_MOST, as_rows
from hydra.adapters.alpaca.terms import Row, canonical, moment, moment_or_none, number_or_none, reading, text_of
from hydra.adapters.calendar import NEW_YORK
from hydra.model.activities import Activity, ActivityKind
from hydra.model.errors import Invalid, Unreachable
from hydra.model.money import ZERO
from hydra.model.values import replace

PAGE = 100
"""Activities in an answer, at most."""
FILLS, OTHERS = "fills", "activities"
OVERLAPS: Mapping[str, timedelta] = {FILLS: timedelta(minutes=10), OTHERS: timedelta(days=10)}
"""How long before the latest one an activity may still be posted."""

FILLS_PATH = "/account/activities/FILL"
EVERY_PATH, EVERY = "/account/activities", {"category": "non_trade_activity"}
PAGES_EASY = 2
"""Pages of the overlap that are read every time."""
CALLS_A_PAGE = 10
"""How many times, for each page of the overlap, less is read before it is read whole again."""
RECENT = timedelta(hours=1)
LATE = (
    "FEE,PTC,PTR,DIV,DIVCGL,DIVCGS,DIVFEE,DIVNRA,DIVROC,CGD,INT,INTNRA,INTTW,CSD,CSW,JNLC,JNLS,ACATC,ACATS,"
    "SPLIT,SPIN,NC,MA,REORG,OPASN,OPEXC,OPEXP,OPTRD"
)

_K = ActivityKind
_BY_KIND = {
    _K.FEE: "FEE PTC PTR",
    _K.COIN_FEE: "CFEE",
    _K.DIVIDEND: "DIV DIVCGL DIVCGS DIVFEE DIVFT DIVNRA DIVROC DIVTW DIVTXEX DIVWH CGD",
    _K.INTEREST: "INT INTNRA INTTW INTPNL SWP",
    _K.TRANSFER: "TRANS CSD CSW ACATC ACATS JNL JNLC JNLS FOPT OCT",
    _K.SPLIT: "SPLIT",
    _K.RENAME: "NC",
    _K.OPTION: "OPASN OPEXC OPEXP OPTRD OPCSH",
    _K.OTHER: "MISC MA OPCA REO REORG SPIN CIL EXTRD FXTRD MEM VOF WH",
}
KINDS: Mapping[str, ActivityKind] = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}
"""Every published type but executions, and what it is here."""
_MOVES_SHARES = frozenset({_K.COIN_FEE, _K.SPLIT, _K.RENAME, _K.OPTION, _K.TRANSFER, _K.OTHER})
"""Kinds of which ``qty`` is a change of the position."""
STATUSES = frozenset({"executed", "correct", "canceled"})
_CANCELED = "canceled"
_ID = re.compile(r"(\d{14})(\d{3})::.+", re.ASCII)


class _Read(NamedTuple):
    """An activity with what its row says beside."""

    activity: Activity
    group: str


class Activities:
    """The activities of the account behind ``clients``."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.trading
        self._announcements = Announcements(clients)
        self._easy_calls = 0

    def fills(self, text: str) -> tuple[Sequence[Row], str]:
        """The rows of executions after a cursor, and the next cursor. Raises ``Refused`` for one that was not given out."""
        cursor = Cursor.parse(text, FILLS, OVERLAPS[FILLS])
        rows = self._rows(FILLS, FILLS_PATH, {}, cursor.begins_at)
        fresh = cursor.news([(_id(row), _executed_at(row), row) for row in rows])
        return fresh, str(cursor)

    def others(self, text: str) -> tuple[tuple[Activity, ...], str]:
        """What else happened after a cursor, and the next cursor. Raises ``Refused`` for one that was not given out."""
        cursor = Cursor.parse(text, OTHERS, OVERLAPS[OTHERS])
        easy = self._easy_calls > 0 and bool(text)
        rows = self._recent(cursor) if easy else self._whole(cursor)
        listed = sorted(((_id(row), _posted_at(row), row) for row in rows), key=lambda each: each[1])
        fresh = cursor.news(listed)
        begins_at = cursor.begins_at
        pages = sum(begins_at is not None and at >= begins_at for _, at, _ in listed) // PAGE + 1
        if easy:
            self._easy_calls -= 1
        else:
            self._easy_calls = CALLS_A_PAGE * pages if pages > PAGES_EASY else 0
        read = [_Read(_activity(row), str(row.get("group_id") or "")) for row in fresh]
        told = tuple(self._with_announcement(each) for each in _renamed(_joined(read)))
        return told, str(cursor)

    def _whole(self, cursor: Cursor) -> Sequence[Row]:
        """Everything since the overlap's begin."""
        return list(self._rows(OTHERS, EVERY_PATH, EVERY, cursor.begins_at))

    def _recent(self, cursor: Cursor) -> Sequence[Row]:
        """Everything of the last hour, and since the overlap's begin what comes late; some rows are there twice."""
        latest_at = cursor.latest_at
        late = list(self._rows(OTHERS, EVERY_PATH, {"activity_types": LATE}, cursor.begins_at))
        return [*late, *self._rows(OTHERS, EVERY_PATH, EVERY, None if latest_at is None else latest_at - RECENT)]

    def after_fills(self) -> str:
        """The cursor after every execution there is."""
        return self._after(FILLS, FILLS_PATH, {}, _executed_at)

    def after_others(self) -> str:
        """The cursor after everything else there is."""
        return self._after(OTHERS, EVERY_PATH, EVERY, _posted_at)

    def _after(self, what: str, path: str, query: Mapping[str, Any], time_of: Callable[[Row], datetime]) -> str:
        """Read from the newest back, to the begin of the overlap and one page further: ids may be out of step with times."""
        newest: datetime | None = None
        listed: list[tuple[str, datetime, None]] = []
        for page in self._pages(what, path, {**query, "direction": "desc", "page_size": PAGE}):
            times = [time_of(row) for row in page]
            listed += [(_id(row), at, None) for row, at in zip(page, times, strict=True)]
            if newest is not None and times and max(times) < newest - OVERLAPS[what]:
                break
            newest = max([*times, *([newest] if newest else [])], default=None)
        cursor = Cursor(what, OVERLAPS[what])
        cursor.news(listed)
        return str(cursor)

    def _rows(self, what: str, path: str, query: Mapping[str, Any], begins_at: datetime | None) -> Iterator[Row]:
        asked: dict[str, Any] = {**query, "direction": "asc", "page_size": PAGE}
        if begins_at is not None:
            # What is asked for is later than this; whole seconds keep clear of how fractions are compared.
            asked["after"] = f"{begins_at - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
        for page in self._pages(what, path, asked):
            yield from page

    def _pages(self, what: str, path: str, query: Mapping[str, Any]) -> Iterator[Sequence[Row]]:
        asked = dict(query)
        for _ in range(PAGES_MOST):
            page = as_rows(what, ask(what, lambda query=dict(asked): self._client.get(path, query)))  # type: ignore[misc]  # mypy has no type for the default
            yield page
            if len(page) < PAGE:
                return
            last = _id(page[-1])
            if last == asked.get("page_token"):
                raise Unreachable(f"{what}: the pages do not go on after {last}")
            asked["page_token"] = last
        raise Unreachable(f"{what}: more than {PAGES_MOST} pages")

    def _with_announcement(self, activity: Activity) -> Activity:
        day = activity.at.astimezone(NEW_YORK).date()
        if activity.kind is _K.SPLIT:
            return replace(activity, ratio=self._announcements.ratio(activity.symbol, day))
        if activity.kind is _K.RENAME and not activity.new_symbol:
            return replace(activity, new_symbol=self._announcements.new_symbol(activity.symbol, day))
        return activity


def _activity(row: Row) -> Activity:
    with reading(f"activity {row.get('id')}"):
        name, status = text_of(row, "activity_type"), row.get("status") or "executed"
        if name == "FILL":
            raise Invalid("an execution among the others")
        if status not in STATUSES:
            raise Invalid(f"status is {status!r}; known are {', '.join(sorted(STATUSES))}")
        if row.get("currency") not in (None, "", "USD"):
            raise Invalid(f"its currency is {row.get('currency')!r}; expected USD")
        kind = KINDS.get(name, _K.OTHER)
        gone = status == _CANCELED
        quantity = number_or_none(row, "qty") or ZERO
        return Activity(
            activity_id=_id(row),
            kind=_K.OTHER if gone else kind,
            at=_posted_at(row),
            symbol=_symbol(row, kind),
            quantity=quantity if kind in _MOVES_SHARES and not gone else ZERO,
            amount=ZERO if gone else number_or_none(row, "net_amount") or ZERO,
            note=_note(row, name, str(status)),
        )


def _note(row: Row, name: str, status: str) -> str:
    said = (name, row.get("activity_sub_type"), None if status == "executed" else status, row.get("description"))
    return " ".join(str(each) for each in said if each)


def _symbol(row: Row, kind: ActivityKind) -> str:
    """The symbol as it is called here; as it stands there, if it has no name here (a CUSIP, say). A coin alone is its pair."""
    text = row.get("symbol")
    if not isinstance(text, str) or not text:
        return ""
    try:
        found = canonical(text)
    except Invalid:
        return text
    return f"{found}-USD" if kind is _K.COIN_FEE and "-" not in found else found


def _id(row: Row) -> str:
    with reading("an activity"):
        return text_of(row, "id")


def _executed_at(row: Row) -> datetime:
    with reading(f"execution {row.get('id')}"):
        return moment(row, "transaction_time")


def _posted_at(row: Row) -> datetime:
    with reading(f"activity {row.get('id')}"):
        posted = moment_or_none(row, "created_at")
        if posted is not None:
            return posted
        match = _ID.fullmatch(text_of(row, "id"))
        if match is not None:
            local = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
            return (local + timedelta(milliseconds=int(match[2]))).astimezone(UTC)
        day = datetime.fromisoformat(text_of(row, "date")).date()
        return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def _joined(read: Sequence[_Read]) -> list[_Read]:
    """The rows of one split as one; everything else as it is."""
    kept: dict[object, _Read] = {}
    for each in read:
        activity = each.activity
        key: object = activity.activity_id
        if activity.kind is _K.SPLIT:
            key = (activity.symbol, activity.at.astimezone(NEW_YORK).date())
        if key not in kept:
            kept[key] = each
            continue
        first = kept[key].activity
        whole = replace(first, quantity=first.quantity + activity.quantity, amount=first.amount + activity.amount)
        kept[key] = kept[key]._replace(activity=whole)
    return list(kept.values())


def _renamed(read: Sequence[_Read]) -> list[Activity]:
    """Names that follow from the rows themselves: what is booked out of one symbol and into one other, at one time."""
    outs = [each for each in read if each.activity.kind is _K.RENAME and each.activity.quantity < 0]
    told: list[Activity] = []
    for each in read:
        activity = each.activity
        if each in outs:
            found = {other.activity.symbol for other in read if _books_in(each, other)}
            rivals = [other for other in outs if other is not each and _like(each, other)]
            if len(found) == 1 and not rivals:
                activity = replace(activity, new_symbol=found.pop())
        told.append(activity)
    return told


def _books_in(out: _Read, other: _Read) -> bool:
    kind, quantity = other.activity.kind, other.activity.quantity
    same = other.group == out.group and other.activity.at == out.activity.at
    return (
        kind is _K.RENAME
        and same
        and quantity == -out.activity.quantity
        and other.activity.symbol != out.activity.symbol
    )


def _like(one: _Read, other: _Read) -> bool:
    """True for rows that cannot be told apart by group, time and quantity."""
    return (one.group, one.activity.at, one.activity.quantity) == (
        other.group,
        other.activity.at,
        other.activity.quantity,
    )
