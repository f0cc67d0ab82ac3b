"""Who answers behind the configured address, how well, and whether an order can go and come back: ``test-broker``, and a part of ``qc``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hydra.qc import broker as venue
from hydra.qc.broker import Bench
from hydra.qc.check import Check, Finding
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.round_trip import round_trip

_ORDER_SECONDS = 60.0
"""An order that is not answered for is looked up ten times."""
_RECOVER_SECONDS = 60.0


def _bench(subject: Subject) -> Bench:
    return need(subject.bench, "the broker")


def _of(ask: Callable[[Bench], Finding]) -> Callable[[Subject], Finding]:
    return lambda subject: ask(_bench(subject))


def _data(plug: CheckPlug, subject: Subject) -> tuple[Check, ...]:
    bench = _bench(subject)
    return tuple(
        plug.check(
            partial(venue.data, bench, symbol),
            name=f"data {symbol}",
            question=f"Are there fresh prices of {symbol}?",
        )
        for symbol in bench.policy.symbols
    )


address = CheckPlug(
    name="address",
    question="Which account at which venue answers?",
    remedy="check the network, HYDRA_ALPACA__URL and the keys",
    make=one(_of(venue.address)),
)
mode = CheckPlug(
    name="mode",
    question="Is the address of the kind that the configuration says?",
    remedy="make `mode` and the address (with its keys) agree",
    make=one(_of(venue.mode)),
)
account = CheckPlug(
    name="account",
    question="Is it the account the ledger was made with, active and free to trade?",
    remedy="look at the account at the venue; another account needs a --state-dir and a --log-dir of its own",
    make=one(_of(venue.account)),
)
reconnect = CheckPlug(
    name="reconnect",
    question="Can the line be dropped and made again?",
    remedy="check the network",
    make=lambda plug, subject: venue.reconnecting(plug.check, _bench(subject)),
    deadline_seconds=30.0,
    may_make_none=True,
)
clock_skew = CheckPlug(
    name="clock_skew",
    question="Does the venue's clock agree with the one that is followed?",
    remedy="synchronise this machine's clock",
    make=one(_of(venue.clock_skew)),
)
latency = CheckPlug(
    name="latency",
    question="Does it answer well within the deadline?",
    remedy="use a nearer network, or set a longer engine.read_deadline_seconds",
    make=one(_of(venue.latency)),
)
session = CheckPlug(
    name="session",
    question="Does the venue's session agree with our calendar?",
    remedy="trade only when both agree: look for an unscheduled closing at the venue, update exchange_calendars",
    make=one(_of(venue.session)),
)
venue_calendar = CheckPlug(
    name="venue_calendar",
    question="Does the venue say of the session what our calendar says?",
    remedy="trade only when both agree: look for an unscheduled closing at the venue, update exchange_calendars",
    make=one(_of(venue.venue_calendar)),
)
instruments = CheckPlug(
    name="instruments",
    question="Is every symbol tradable?",
    remedy="take the symbol out of the configuration, or ask the venue why",
    make=one(_of(venue.instruments)),
)
data = CheckPlug(
    name="data",
    question="Are there fresh prices of every symbol?",
    remedy="check the market data source, and whether the subscription has this symbol",
    make=_data,
    may_make_none=True,
)
recover = CheckPlug(
    name="recover",
    question="Does the venue say what happened meanwhile?",
    remedy="wait until the venue answers; `hydra doctor`",
    make=one(_of(venue.recovered)),
    deadline_seconds=_RECOVER_SECONDS,
)
line = CheckPlug(
    name="line",
    question="Are the streams and the request budget well?",
    remedy="`hydra test-broker --reconnect`; without a stream Hydra asks instead",
    make=lambda plug, subject: venue.line_health(plug.check, _bench(subject)),
    critical=False,
    may_make_none=True,
)
order_round_trip = CheckPlug(
    name="order_round_trip",
    question="Does an order go there and come back?",
    remedy="look for the order at the venue and cancel it there; `hydra status` shows what is still open",
    make=one(_of(round_trip)),
    deadline_seconds=_ORDER_SECONDS,
)
