"""Who is asked or told in the middle of a change may ask the venue back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from hydra.adapters.exchange.model import Ticket, Update
from hydra.adapters.exchange.terms import Status
from tests.adapters.exchange.scenes import Scene, open_books
from tests.contracts.broker_contract import accepted, buy


def test_a_ration_that_asks_for_the_time_does_not_undo_the_order_it_is_asked_about(tmp_path: Path) -> None:
    scene = Scene(books=open_books(tmp_path))
    asked: list[datetime] = []

    def half(ticket: Ticket, quantity: Decimal) -> Decimal:
        asked.append(scene.venue.now)
        assert scene.venue.ticket_named(ticket.client_id) is not None
        return quantity // 2

    scene.venue.ration = half
    accepted(scene.broker.submit(buy(limit=None)))
    ticket = scene.venue.ticket_named("b1")
    assert ticket is not None
    assert (ticket.status, ticket.filled) == (Status.PARTIALLY_FILLED, Decimal(5))
    assert asked


def test_a_listener_sees_the_account_as_the_news_left_it(tmp_path: Path) -> None:
    scene = Scene(books=open_books(tmp_path))
    seen: list[Decimal] = []

    def listen(updates: Sequence[Update]) -> None:
        assert updates
        seen.append(scene.venue.figures().cash)

    scene.venue.subscribe(listen)
    accepted(scene.broker.submit(buy(limit=None)))
    assert seen[-1] == scene.broker.account().cash == Decimal("8999.90")  # 10 at the ask of 100.01
