"""A recording with a hole in the session: no entry in what has no fresh price, whatever else is traded meanwhile."""

from __future__ import annotations

from tests.e2e.place import Place, refusals
from tests.e2e.tape import swings, write_bars


def _entries_of(place: Place, symbol: str) -> list[str]:
    sent = [event["data"]["order"] for event in place.entries()]
    return [order["sent_at"] for order in sent if order["symbol"] == symbol]


def test_no_entry_is_made_in_a_symbol_whose_prices_have_a_hole_and_others_are_traded(certified: Place) -> None:
    tape = certified.folder / "tape"
    hole = range(75, 150)
    write_bars(tape, "AAPL", swings)
    write_bars(tape, "SPY", lambda minute: None if minute in hole else swings(minute))
    told = certified.hydra("run", "--data", "tape", "--json")
    assert told.code == 0
    said = refusals(certified.events(), "data_fresh")
    assert said
    assert all(reason.startswith("SPY: last ") and "s old, limit 120 s" in reason for reason in said)
    barred = [at for at in _entries_of(certified, "SPY") if "2025-01-06T15:47" <= at < "2025-01-06T17:00"]
    assert barred == []
    assert "2025-01-06T16:01:00Z" in _entries_of(certified, "AAPL")
    assert "2025-01-06T17:" in "".join(_entries_of(certified, "SPY")), "with prices again it is traded again"
    assert certified.hydra("replay", "logs").code == 0


def test_a_feed_that_ends_for_one_symbol_leaves_no_entry_in_it_and_its_exit_is_still_sent(certified: Place) -> None:
    tape = certified.folder / "tape"
    write_bars(tape, "AAPL", swings)
    write_bars(tape, "SPY", lambda minute: swings(minute) if minute < 95 else None)
    told = certified.hydra("run", "--data", "tape", "--json")
    assert told.code == 0
    assert len(_entries_of(certified, "SPY")) == 2
    assert all(at < "2025-01-06T16:07" for at in _entries_of(certified, "SPY"))
    exits = [event["data"]["order"] for event in certified.events() if event["kind"] == "order_sent"]
    assert [order["symbol"] for order in exits if order["purpose"] == "exit"] == ["SPY", "SPY"]
    assert [halt["kind"] for halt in told.document["halts_now"]] == ["stale_data", "unprotected"], (
        "what is held has no price and the exits cannot fill, and it says so"
    )
