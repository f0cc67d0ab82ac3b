"""Executions and other activities: each given out once, none lost, whatever the venue posts late, and what each means here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.alpaca.activities import KINDS, LATE, OVERLAPS
from hydra.adapters.alpaca.cursors import Cursor
from hydra.model.activities import Activity, ActivityKind
from hydra.model.errors import Refused, Unreachable
from tests.adapters.alpaca.rows import FEE, FILL, ORDER_ID, order
from tests.adapters.alpaca.scripted import HTML, Answer, Dropped, Rig, Said, rig
from tests.adapters.exchange.server import openapi

FILLS = "GET /v2/account/activities/FILL"
OTHERS = "GET /v2/account/activities"
ANNOUNCED = "GET /v1/corporate-actions"
ANNOUNCED_OF_OLD = "GET /v2/corporate_actions/announcements"
ONE = {f"GET /v2/orders/{ORDER_ID}": Said(200, order(status="filled"))}
NONE = Said(404, {"message": "Not Found"})
K = ActivityKind
AT = datetime(2022, 2, 2, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fill(number: int, seconds: int = 0) -> dict[str, Any]:
    """An execution of its own, so many seconds after the first."""
    at = AT + timedelta(seconds=seconds)
    return {**FILL, "id": f"{number:017d}::x", "transaction_time": at.isoformat()}


def fee(number: int, **changes: Any) -> dict[str, Any]:
    """A fee of its own."""
    return {**FEE, "id": f"{number:017d}::x", **changes}


def told(rows: list[dict[str, Any]], **more: Answer) -> tuple[Activity, ...]:
    """What the broker makes of these rows."""
    script = {ANNOUNCED: NONE, ANNOUNCED_OF_OLD: NONE, OTHERS: Said(200, rows)}
    names = {"announced": ANNOUNCED, "of_old": ANNOUNCED_OF_OLD}
    with rig({**script, **{names[name]: answer for name, answer in more.items()}}) as at:
        return at.broker.activities("").activities


def names(at: Rig, cursor: str) -> tuple[list[int], str]:
    """The numbers of the executions after a cursor, and the next cursor."""
    page = at.broker.fills(cursor)
    return [int(each.fill_id.partition(":")[0]) for each in page.fills], page.cursor


def test_an_execution_that_shares_its_instant_with_one_already_read_is_not_lost() -> None:
    answers = [Said(200, [fill(5)]), Said(200, [fill(2), fill(5), fill(7)]), Said(200, [fill(2), fill(5), fill(7)])]
    with rig({FILLS: answers, **ONE}) as at:
        first, cursor = names(at, "")
        second, cursor = names(at, cursor)
        assert (first, second) == ([5], [2, 7])
        assert names(at, cursor) == ([], cursor)


def test_an_execution_that_is_listed_twice_counts_once() -> None:
    with rig({FILLS: Said(200, [fill(1), fill(1), fill(2)]), **ONE}) as at:
        first, cursor = names(at, "")
        assert first == [1, 2]
        assert names(at, cursor) == ([], cursor)


def test_an_execution_that_is_twice_where_pages_end_counts_once() -> None:
    pages = [Said(200, [fill(number) for number in range(100)]), Said(200, [fill(99), fill(100)])]
    with rig({FILLS: pages, **ONE}) as at:
        assert names(at, "")[0] == list(range(101))
        assert at.scripted.asked[1].query["page_token"] == fill(99)["id"]
        assert {each.query["direction"] for each in at.scripted.asked[:2]} == {"asc"}


def test_what_is_asked_for_begins_before_the_latest_one() -> None:
    with rig({FILLS: Said(200, [fill(1, 3600)]), **ONE}) as at:
        _, cursor = names(at, "")
        names(at, cursor)
        assert "after" not in at.scripted.asked[0].query
        assert at.scripted.asked[-1].query["after"] == "2022-02-02T18:49:59Z"


def test_a_list_that_is_empty_for_once_changes_nothing() -> None:
    with rig({FILLS: [Said(200, [fill(1)]), Said(200, []), Said(200, [fill(1)])], **ONE}) as at:
        _, cursor = names(at, "")
        assert names(at, cursor) == ([], cursor)
        assert names(at, cursor) == ([], cursor)


def test_an_account_without_executions_has_no_place_yet() -> None:
    with rig(Said(200, [])) as at:
        assert (at.broker.fills("").cursor, at.broker.activities("").cursor) == ("", "")


@pytest.mark.parametrize(
    "answer", [Said(500, HTML), Said(200, HTML), Said(200, b""), Dropped(), Said(200, [{}])], ids=str
)
def test_a_page_without_an_answer_gives_nothing_out(answer: Answer) -> None:
    full = Said(200, [fill(number) for number in range(100)])
    with rig({FILLS: [full, answer, full, Said(200, [])], **ONE}) as at:
        with pytest.raises(Unreachable):
            at.broker.fills("")
        assert len(at.broker.fills("").fills) == 100


def test_pages_that_repeat_themselves_are_no_answer() -> None:
    full = Said(200, [fill(number) for number in range(100)])
    with rig({FILLS: full}) as at, pytest.raises(Unreachable, match="do not go on"):
        at.broker.fills("")


@pytest.mark.parametrize(
    "changes", [{"transaction_time": None}, {"transaction_time": "now"}, {"id": None}, {"order_id": None}], ids=str
)
def test_an_execution_without_its_names_and_times_is_no_answer(changes: dict[str, Any]) -> None:
    with rig({FILLS: Said(200, [{**FILL, **changes}]), **ONE}) as at, pytest.raises(Unreachable):
        at.broker.fills("")


@pytest.mark.parametrize(
    "cursor", ["never-given-out", "7", "fills1", "fills1..", "20220202135509981::x", "fills1.0-a.b"]
)
def test_a_cursor_that_was_not_given_out_is_refused_before_anything_is_asked(cursor: str) -> None:
    with rig(Said(500)) as at:
        with pytest.raises(Refused, match="not given out"):
            at.broker.fills(cursor)
        with pytest.raises(Refused, match="not given out"):
            at.broker.activities(cursor)
        assert at.scripted.asked == []


def test_a_cursor_of_the_other_list_and_a_changed_one_are_refused() -> None:
    with rig({FILLS: Said(200, [FILL]), OTHERS: Said(200, [FEE]), **ONE}) as at:
        fills, others = at.broker.fills("").cursor, at.broker.activities("").cursor
        for wrong in (others, fills[:-1] + ("A" if fills[-1] != "A" else "B"), fills.replace("fills1.6", "fills1.7")):
            with pytest.raises(Refused):
                at.broker.fills(wrong)
        with pytest.raises(Refused):
            at.broker.activities(fills)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    posted=st.lists(
        st.lists(st.tuples(st.integers(0, 20 * 60 * 1000), st.integers(0, 9)), max_size=6), min_size=1, max_size=12
    )
)
def test_each_activity_is_given_out_once_however_late_within_the_overlap(posted: list[list[tuple[int, int]]]) -> None:
    overlap = timedelta(minutes=10)
    listed: list[tuple[str, datetime, str]] = []
    latest, cursor = 0, ""
    given_out: list[str] = []
    for batch in posted:
        for offset, rank in batch:
            milliseconds = max(offset, latest - int(overlap.total_seconds() * 1000))
            latest = max(latest, milliseconds)
            at = AT + timedelta(milliseconds=milliseconds)
            name = f"{milliseconds:09d}.{rank}.{len(listed)}"
            listed.append((name, at, name))
        place = Cursor.parse(cursor, "fills", overlap)
        begin = place.begins_at
        shown = [each for each in sorted(listed) if begin is None or each[1] > begin - timedelta(seconds=1)]
        given_out += place.news(shown)
        cursor = str(place)
    assert sorted(given_out) == sorted(name for name, _, _ in listed)


def test_a_cursor_holds_no_more_than_its_overlap() -> None:
    place = Cursor("fills", timedelta(minutes=10))
    place.news([(str(number), AT + number * HOUR, number) for number in range(1000)])
    assert len(str(place)) < 50
    assert Cursor.parse(str(place), "fills", timedelta(minutes=10)).begins_at == AT + 999 * HOUR - timedelta(minutes=10)


def test_an_activity_that_is_posted_days_late_is_not_lost() -> None:
    late = fee(2, created_at=(AT - timedelta(days=9)).isoformat())
    now = fee(1, created_at=AT.isoformat())
    with rig({OTHERS: [Said(200, [now]), Said(200, [late, now])]}) as at:
        first = at.broker.activities("")
        second = at.broker.activities(first.cursor)
        assert [each.activity_id for each in (*first.activities, *second.activities)] == [now["id"], late["id"]]
        assert at.scripted.asked[1].query["after"] == "2022-01-23T17:59:59Z"
        assert at.scripted.asked[0].query["category"] == "non_trade_activity"


def test_many_pages_of_overlap_are_read_whole_now_and_then_and_nothing_is_lost() -> None:
    def page(begin: int, count: int) -> list[dict[str, Any]]:
        times = (AT + timedelta(minutes=number) for number in range(begin, begin + count))
        return [fee(begin + n, activity_type="CFEE", created_at=at.isoformat()) for n, at in enumerate(times)]

    late = fee(9_000, created_at=(AT - timedelta(days=3)).isoformat())
    coin = fee(9_001, activity_type="CFEE", created_at=(AT - timedelta(days=3)).isoformat())
    whole = [page(0, 100), page(100, 100), page(200, 50)]
    answers = [
        *whole,
        [],
        [],
        [late],
        page(230, 20),
        *([[late], page(230, 20)] * 28),
        [coin, *page(0, 99)],
        page(99, 50),
    ]
    with rig({OTHERS: [Said(200, each) for each in answers]}) as at:
        first = at.broker.activities("")
        assert len(first.activities) == 250
        assert at.broker.activities(first.cursor).activities == ()
        assert at.scripted.asked[3].query["after"] == "2022-01-23T22:08:59Z", "ten days, of what comes late"
        assert at.scripted.asked[4].query["after"] == "2022-02-02T21:08:59Z", "an hour, of everything"
        assert "CFEE" not in at.scripted.asked[3].query["activity_types"]
        second = at.broker.activities(first.cursor)
        assert [each.activity_id for each in second.activities] == [late["id"]]
        for _ in range(28):
            assert at.broker.activities(second.cursor) == second.__class__(activities=(), cursor=second.cursor)
        third = at.broker.activities(second.cursor)
        assert [each.activity_id for each in third.activities] == [coin["id"]]


def test_a_long_past_does_not_make_the_overlap_long() -> None:
    old = [fee(number, created_at=(AT - timedelta(days=400 - number)).isoformat()) for number in range(399)]
    answers = [old[:100], old[100:200], old[200:300], old[300:], old[-9:]]
    with rig({OTHERS: [Said(200, each) for each in answers]}) as at:
        cursor = at.broker.activities("").cursor
        assert at.broker.activities(cursor).activities == ()
        assert len(at.scripted.asked) == 5
        assert "activity_types" not in at.scripted.asked[4].query


def test_what_is_read_in_between_are_published_types() -> None:
    published = set(openapi.published("trading-api")["components"]["schemas"]["ActivityType"]["enum"])
    assert set(LATE.split(",")) <= published & set(KINDS)
    assert not {"CFEE", "MISC", "FILL"} & set(LATE.split(","))


def test_the_overlaps_are_longer_than_what_a_venue_is_late() -> None:
    assert OVERLAPS["fills"] >= timedelta(minutes=5)
    assert OVERLAPS["activities"] >= timedelta(days=7)


def test_every_published_type_means_something_here() -> None:
    published = set(openapi.published("trading-api")["components"]["schemas"]["ActivityType"]["enum"])
    assert published - set(KINDS) == {"FILL"}
    assert set(KINDS.values()) == set(ActivityKind)


@pytest.mark.parametrize(
    ("changes", "kind", "amount"),
    [
        ({}, K.FEE, "-0.02"),
        ({"activity_type": "CFEE", "net_amount": "-1.5", "symbol": "BTC/USD"}, K.COIN_FEE, "-1.5"),
        ({"activity_type": "DIV", "net_amount": "1.02", "qty": "2", "symbol": "T"}, K.DIVIDEND, "1.02"),
        ({"activity_type": "DIVNRA", "net_amount": "-0.3"}, K.DIVIDEND, "-0.3"),
        ({"activity_type": "INT", "net_amount": "0.11"}, K.INTEREST, "0.11"),
        ({"activity_type": "CSD", "net_amount": "1000"}, K.TRANSFER, "1000"),
        ({"activity_type": "CSW", "net_amount": "-1000"}, K.TRANSFER, "-1000"),
        ({"activity_type": "TRANS", "net_amount": "5"}, K.TRANSFER, "5"),
        ({"activity_type": "JNLC", "net_amount": "5"}, K.TRANSFER, "5"),
        ({"activity_type": "OPASN", "net_amount": "0"}, K.OPTION, "0"),
        ({"activity_type": "OPTRD", "net_amount": "-75000"}, K.OPTION, "-75000"),
        ({"activity_type": "MA", "net_amount": "20"}, K.OTHER, "20"),
        ({"activity_type": "NEWLY_INVENTED", "net_amount": "20"}, K.OTHER, "20"),
        ({"status": "correct"}, K.FEE, "-0.02"),
        ({"status": "canceled"}, K.OTHER, "0"),
        ({"status": None, "currency": None, "net_amount": None}, K.FEE, "0"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_activity_is_of_its_kind_and_amount(changes: dict[str, Any], kind: ActivityKind, amount: str) -> None:
    (activity,) = told([fee(1, **changes)])
    assert (activity.kind, activity.amount) == (kind, Decimal(amount))
    assert activity.at == datetime(2022, 2, 3, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "symbol", "quantity"),
    [
        ({"activity_type": "CFEE", "symbol": "BTCUSD", "qty": "-0.00025"}, "BTC-USD", "-0.00025"),
        ({"activity_type": "CFEE", "symbol": "BTC", "qty": "-0.00025"}, "BTC-USD", "-0.00025"),
        ({"activity_type": "DIV", "symbol": "T", "qty": "2"}, "T", "0"),
        ({"activity_type": "OPEXP", "symbol": "GOOG160115C00750000", "qty": "-1"}, "GOOG160115C00750000", "-1"),
        ({"activity_type": "ACATS", "symbol": "AAPL", "qty": "7"}, "AAPL", "7"),
        ({"activity_type": "MISC", "symbol": "912797XX0", "qty": "7"}, "912797XX0", "7"),
        ({"symbol": None}, "", "0"),
    ],
    ids=str,
)
def test_an_activity_has_its_name_here_and_a_quantity_only_where_it_moves_one(
    changes: dict[str, Any], symbol: str, quantity: str
) -> None:
    (activity,) = told([fee(1, **changes)])
    assert (activity.symbol, activity.quantity) == (symbol, Decimal(quantity))


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"created_at": None}, datetime(2019, 8, 1, 5, 19, 55, 196000, UTC)),
        ({"created_at": None, "id": "odd"}, datetime(2022, 2, 3, 5, tzinfo=UTC)),
    ],
    ids=["by its id", "by its date"],
)
def test_an_activity_without_a_time_of_posting_has_that_of_its_id(changes: dict[str, Any], at: datetime) -> None:
    (activity,) = told([{**FEE, "id": "20190801011955196::5f596936", **changes}])
    assert activity.at == at


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "unheard_of"},
        {"currency": "EUR"},
        {"net_amount": "NaN"},
        {"qty": "NaN", "activity_type": "SPLIT"},
        {"activity_type": "FILL"},
        {"activity_type": None},
        {"created_at": "once"},
        {"created_at": None, "date": None, "id": "odd"},
    ],
    ids=str,
)
def test_an_activity_that_is_not_understood_is_never_left_out(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="activit"):
        told([{**FEE, **changes}])


SPLIT = fee(1, activity_type="SPLIT", symbol="AAPL", qty="30", net_amount="0", created_at="2020-08-31T08:00:00Z")


def announced(**more: Any) -> Said:
    """The market data's announcement of a four-for-one, in numbers as they are published."""
    row = {"id": "1", "symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2020-08-31", **more}
    return Said(200, {"corporate_actions": {"forward_splits": [row]}, "next_page_token": None})


def test_a_split_has_the_ratio_of_its_announcement() -> None:
    (split,) = told([SPLIT], announced=announced())
    assert (split.kind, split.symbol, split.quantity, split.ratio) == (K.SPLIT, "AAPL", Decimal(30), Decimal(4))


def test_a_reverse_split_in_two_rows_counts_its_ratio_once() -> None:
    rows = {"reverse_splits": [{"id": "1", "symbol": "AAPL", "new_rate": 1, "old_rate": 50, "ex_date": "2020-08-31"}]}
    out, back = {**SPLIT, "qty": "-100"}, {**SPLIT, "id": "2::x", "qty": "2"}
    (split,) = told([out, back], announced=Said(200, {"corporate_actions": rows}))
    assert (split.quantity, split.ratio) == (Decimal(-98), Decimal("0.02"))


def test_where_market_data_have_no_announcements_the_older_ones_are_asked() -> None:
    row = {"id": "1", "initiating_symbol": "AAPL", "ex_date": "2020-08-31", "new_rate": "4", "old_rate": "1"}
    (split,) = told([SPLIT], of_old=Said(200, [row]))
    assert split.ratio == 4


@pytest.mark.parametrize(
    "answer",
    [
        Said(200, {"corporate_actions": {}}),
        announced(symbol="MSFT"),
        announced(ex_date="2020-08-31", symbol="AAPLX"),
        NONE,
        Said(403, {"message": "not subscribed"}),
        Said(
            200,
            {
                "corporate_actions": {
                    "forward_splits": [
                        {"symbol": "AAPL", "new_rate": rate, "old_rate": 1, "ex_date": "2020-08-31"} for rate in (4, 5)
                    ]
                }
            },
        ),
    ],
    ids=["none", "another's", "alike", "404", "403", "two that differ"],
)
def test_a_split_that_nobody_announces_clearly_has_no_ratio(answer: Answer) -> None:
    (split,) = told([SPLIT], announced=answer)
    assert split.ratio is None


@pytest.mark.parametrize(
    "answer",
    [
        Said(500, HTML),
        Said(429, {"message": "too many"}),
        Dropped(),
        Said(200, HTML),
        Said(200, {}),
        announced(new_rate=0),
        Said(200, b'{"corporate_actions": {"forward_splits": [{"symbol": "AAPL", "new_rate": NaN}]}}'),
    ],
    ids=str,
)
def test_a_split_is_not_given_out_before_its_announcement_could_be_read(answer: Answer) -> None:
    with pytest.raises(Unreachable):
        told([SPLIT], announced=answer)


def test_the_nearest_announcement_counts() -> None:
    rows = [
        {"symbol": "AAPL", "new_rate": rate, "old_rate": 1, "ex_date": day}
        for rate, day in ((2, "2020-08-28"), (4, "2020-08-31"))
    ]
    (split,) = told([SPLIT], announced=Said(200, {"corporate_actions": {"forward_splits": rows}}))
    assert split.ratio == 4


def test_a_split_of_contracts_has_no_ratio_and_asks_nobody() -> None:
    (split,) = told([{**SPLIT, "symbol": "AAPL210115C00400000"}], announced=Said(500))
    assert split.ratio is None


RENAMED = fee(1, activity_type="NC", symbol="FB", qty="-10", net_amount="0", created_at="2022-06-09T08:00:00Z")
NEW_NAME = {**RENAMED, "id": "2::x", "symbol": "META", "qty": "10"}


def test_a_new_name_is_that_of_the_announcement() -> None:
    rows = {"name_changes": [{"old_symbol": "FB", "new_symbol": "META", "process_date": "2022-06-09"}]}
    (renamed,) = told([RENAMED], announced=Said(200, {"corporate_actions": rows}))
    assert (renamed.kind, renamed.quantity, renamed.new_symbol) == (K.RENAME, Decimal(-10), "META")


def test_a_new_name_follows_from_what_is_booked_in() -> None:
    old, new = told([RENAMED, NEW_NAME])
    assert (old.new_symbol, new.new_symbol) == ("META", "")


@pytest.mark.parametrize(
    "rows",
    [
        [RENAMED],
        [RENAMED, {**NEW_NAME, "qty": "11"}],
        [RENAMED, {**NEW_NAME, "created_at": "2022-06-10T08:00:00Z"}],
        [RENAMED, {**NEW_NAME, "group_id": "another"}],
        [RENAMED, NEW_NAME, {**NEW_NAME, "id": "3::x", "symbol": "MVRS"}],
        [RENAMED, {**RENAMED, "id": "4::x", "symbol": "TWX"}, NEW_NAME],
    ],
    ids=["alone", "another size", "another time", "another group", "two new names", "two old names"],
)
def test_a_new_name_is_not_guessed(rows: list[dict[str, Any]]) -> None:
    assert {each.new_symbol for each in told(rows)} == {""}
