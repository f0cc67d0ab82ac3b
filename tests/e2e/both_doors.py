"""One recorded day through both doors of the venue, in real processes, and the lists of orders that came of it.

The in-process door is ``hydra run --data`` in an account as at Alpaca. The other is ``hydra sim --lockstep`` with the same data in
one process, and ``test-broker``, ``verify-balance``, ``qc`` and ``run`` through the Alpaca adapter in others, after each other. The
policies differ in nothing but the names of broker and market.
"""

from __future__ import annotations

import gzip
import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.engine.fold import fold
from hydra.model.orders import Order
from hydra.model.portfolio import Ledger
from tests.e2e import contract_bot
from tests.e2e.place import PAPER, Place, Told

KEY, SECRET = "PKTEST", "secret"
DATA = "data"
RUN_SECONDS = 500
FIRST = ("test-broker", "verify-balance", "qc")
TESTER = "test-broker"
METADATA = "Metadata-Version: 2.1\nName: contract-bot\nVersion: 1\n"
ENTRY_POINTS = "[hydra.bots]\ncontract = contract_bot:make\n[hydra.markets]\nhere = contract_bot:here\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDay:
    """A day of the shared data: which files, and which bots (TOML). ``hour`` is a part of it in which they trade.

    A contract is listed from its first quote on, and ``test-broker`` wants a bar of it, so a day of contracts begins with its first
    trade.
    """

    name: str
    files: tuple[str, ...]
    day: tuple[datetime, datetime]
    hour: tuple[datetime, datetime]
    bots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run left: its orders in the order of their decisions, and its own document."""

    orders: list[dict[str, Any]]
    document: dict[str, Any]


def _bot(name: str, symbols: str, **more: str) -> str:
    keys = {
        "id": f'"{name}"',
        "bot": '"momentum"',
        "enabled": "true",
        "bucket": '"momentum"',
        "symbols": symbols,
        "trades_per_day": "50",
        "positions": "1",
        "stop_loss": "0.002",
        "time_stop_minutes": "20",
        "signal": '"sma_cross"',
        "parameters": "{ fast = 3, slow = 9 }",
        "session": '{ trade_start = "09:32", trade_end = "15:30", manage_until = "15:55" }',
        **more,
    }
    return "\n".join(("[[bots]]", *(f"{key} = {value}" for key, value in keys.items()), ""))


def _option_bot(name: str, underlying: str, option: str) -> str:
    """A bot that enters a structure whenever it holds none, and keeps it for ten minutes."""
    keys = {
        "id": f'"{name}"',
        "bot": '"options"',
        "enabled": "true",
        "bucket": '"options"',
        "symbols": f'["{underlying}"]',
        "trades_per_day": "20",
        "positions": "1",
        "time_stop_minutes": "10",
        "size": '{ by = "notional", amount = 2500 }',
        "session": '{ trade_start = "09:45", trade_end = "12:30", manage_until = "12:50" }',
    }
    return "\n".join(("[[bots]]", *(f"{key} = {value}" for key, value in keys.items()), "[bots.option]", option, ""))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ALL_DAY = '{ trade_start = "00:00", trade_end = "23:50", manage_until = "23:58" }'
SPY = RealDay(
    name="SPY 2013-10-07",
    files=("bars/SPY-1min-20131007-20131011.csv", "quotes/SPY-1min-20131007-20131011.csv"),
    day=(_at("2013-10-07 00:00"), _at("2013-10-08 00:00")),
    hour=(_at("2013-10-07 13:20"), _at("2013-10-07 14:20")),
    bots=_bot("spy-trend", '["SPY"]', stop_loss="0.001", take_profit="0.002")
    + _bot("spy-breakout", '["SPY"]', signal='"breakout"', parameters="{ lookback = 15 }", stop_loss="0.001"),
)
PAIRS = RealDay(
    name="BTC-USD and ETH-USD 2017-09-03",
    files=tuple(
        f"{kind}/{pair}-USD-1min-20170903-20170904.csv" for kind in ("bars", "quotes") for pair in ("BTC", "ETH")
    ),
    day=(_at("2017-09-03 00:00"), _at("2017-09-04 00:00")),
    hour=(_at("2017-09-03 12:00"), _at("2017-09-03 13:00")),
    bots=_bot("btc-trend", '["BTC-USD"]', bucket='"crypto"', session=ALL_DAY, take_profit="0.004")
    + _bot("eth-trend", '["ETH-USD"]', bucket='"crypto"', session=ALL_DAY, stop_loss="0.004"),
)
GOOG = RealDay(
    name="GOOG with its chain 2015-12-24",
    files=(
        "bars/GOOG-1min-20151224.csv",
        "quotes/GOOG-1min-20151224.csv",
        "options/GOOG-chain-1min-20151224.csv.gz",
        "options/GOOG-trades-1min-20151224.csv",
        "options/GOOG-openinterest-20151224.csv",
    ),
    day=(_at("2015-12-24 14:40"), _at("2015-12-25 00:00")),
    hour=(_at("2015-12-24 14:40"), _at("2015-12-24 15:20")),
    bots=_bot(
        "goog-call",
        '["GOOG151231C00750000"]',
        bot='"contract"',
        bucket='"options"',
        stop_loss="0.3",
        session='{ trade_start = "09:35", trade_end = "12:30", manage_until = "12:50" }',
    )
    + _bot("goog-trend", '["GOOG"]')
    + _option_bot(
        "goog-condor",
        "GOOG",
        'structure = "iron_condor"\ndays_least = 7\ndays_most = 40\ndelta = 0.25\nwidth = 10\nclose_days_before = 1',
    )
    + _option_bot(
        "goog-straddle",
        "GOOG",
        'structure = "long_straddle"\ndays_least = 3\ndays_most = 30\ndelta_band = 0.2\nclose_days_before = 1',
    ),
)
DAYS = (SPY, PAIRS, GOOG)


def lay_out(day: RealDay, place: Place, shared: Path, span: tuple[datetime, datetime]) -> None:
    """Put the rows of a span of time into the place's folder of data, and the contract bot on its path."""
    for name in day.files:
        source, target = shared / name, place.folder / DATA / name.removesuffix(".gz")
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = source.read_bytes()
        header, *rows = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode().splitlines()
        begins, ends = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in span)
        begins = "" if "openinterest" in name else begins  # published before the opening
        target.write_text("\n".join([header, *(row for row in rows if begins <= row.split(",", 1)[0] < ends), ""]))
    site = place.folder / "site"
    info = site / "contract_bot-1.dist-info"
    info.mkdir(parents=True)
    shutil.copy(contract_bot.__file__, site / "contract_bot.py")
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    place.env["PYTHONPATH"] = str(site)


def configure(place: Place, day: RealDay, broker: str) -> None:
    """The policy for the paper, with the day's bots, for the simulated venue or for Alpaca."""
    head = PAPER.read_text().split("[[bots]]", 1)[0]
    names = {"sim": ('name = "sim"', 'name = "here"'), "alpaca": ('name = "alpaca"', 'name = "alpaca"')}[broker]
    for before, after in (
        ('account = "plain"', 'account = "alpaca"'),
        ('name = "sim"', names[0]),
        ('name = "synthetic"', names[1]),
        ("momentum = 0.25", "momentum = 0.4"),
        ("options = 0.50", "options = 0.3"),
        ("crypto = 0.25", "crypto = 0.3"),
        ("daily_loss = 0.02 ", "daily_loss = 0.05 "),
        ("unknown_grace_seconds = 10", "unknown_grace_seconds = 30"),
        ("unprotected_seconds = 10", "unprotected_seconds = 600"),  # an exit in a thin market takes some minutes
    ):
        assert before in head, before
        head = head.replace(before, after)
    place.config.write_text(head + day.bots)


def in_process(place: Place, day: RealDay) -> Outcome:
    """The day through the in-process door."""
    configure(place, day, "sim")
    qc = place.hydra("qc")
    assert qc.code == 0, qc.text
    run = _run(place, "--data", DATA)
    return Outcome(orders=orders_of(place), document=run.document)


def over_the_wire(place: Place, day: RealDay, url: str, first: Sequence[str] = FIRST) -> Outcome:
    """The day through the Alpaca adapter, from a simulator that has just begun it; ``first`` are the commands before the run."""
    configure(place, day, "alpaca")
    place.env |= {"HYDRA_ALPACA__URL": url, "HYDRA_ALPACA__KEY": KEY, "HYDRA_ALPACA__SECRET": SECRET}
    for command in first:
        told = place.hydra(command)
        assert told.code == 0, f"{command}: {told.text}"
    run = _run(place)
    return Outcome(orders=orders_of(place), document=run.document)


def _run(place: Place, *options: str) -> Told:
    """``hydra run`` to the end of the recording; a whole day takes its time."""
    process = place.start("run", "--json", *options).process
    try:
        out, err = process.communicate(timeout=RUN_SECONDS)
    finally:
        process.kill()
    told = Told(code=process.returncode, out=out, err=err)
    assert told.code == 0, told.text
    return told


@contextmanager
def simulator(place: Place, day: RealDay) -> Iterator[str]:
    """``hydra sim`` in lockstep on the place's data; its address."""
    configure(place, day, "sim")
    running = place.start("sim", "--lockstep", "--port", "0", "--rate-limit", "0", "--data", DATA)
    try:
        assert running.process.stdout is not None
        found = re.search(r"http://\S+", running.process.stdout.readline())
        assert found is not None, running.process.communicate(timeout=20)
        yield found[0]
        running.signal(signal.SIGTERM)
        assert running.end().code == 143
    finally:
        if running.process.poll() is None:
            running.kill()


def orders_of(place: Place) -> list[dict[str, Any]]:
    """Every order of the journal as it last stood, in the order in which they appeared there.

    Left out are names made of the run, the venue's reasons, which the published protocol does not have, and the order with which
    ``test-broker`` tries out that orders can be placed and taken back.
    """
    ledger, last = Ledger(), dict[str, Order]()
    for event in read_journal(RealFiles(), place.logs):
        ledger = fold(ledger, event)
        last |= {name: order for name, order in ledger.orders.items() if order.bot != TESTER}
    places = {client_id: number for number, client_id in enumerate(last)}
    return [_told(order, places) for order in last.values()]


def _told(order: Order, places: dict[str, int]) -> dict[str, Any]:
    protection = order.protection
    names = ("bot", "symbol", "side", "quantity", "order_type", "limit", "stop", "purpose", "time_in_force", "sent_at")
    told = {name: getattr(order, name) for name in (*names, "status", "filled", "average_price")}
    told["protection"] = None if protection is None else (protection.stop, protection.target)
    told["legs"] = tuple((leg.symbol, leg.side, leg.ratio, leg.opens, leg.filled) for leg in order.legs)
    told["parent"] = places.get(order.parent, order.parent)
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    """Numbers as numbers, so that 1.50 is 1.5."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, Decimal):
        return value.normalize()
    return value.isoformat() if isinstance(value, datetime) else value


def difference(here: Outcome, there: Outcome) -> list[str]:
    """What the two lists disagree in, an order a line."""
    lines = []
    if len(here.orders) != len(there.orders):
        lines.append(f"{len(here.orders)} orders in-process, {len(there.orders)} over the wire")
    for number, (mine, other) in enumerate(zip(here.orders, there.orders, strict=False)):
        unlike = {name: (mine[name], other[name]) for name in mine if mine[name] != other[name]}
        if unlike:
            lines.append(
                f"order {number} ({mine['bot']} {mine['symbol']} {mine['purpose']} {mine['sent_at']}): {unlike}"
            )
    return lines
