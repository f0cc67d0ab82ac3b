"""Examples for ``docs/reference/events.md``, out of runs of the real engine: ``python -m tests.docs.make_events``.

A day in the simulated exchange gives most kinds. The venue's bad days are staged at the broker's port: the first order is
refused, the answer to the second is lost, so is that to the first cancellation, and a stop fills while no engine is looking.
One bot does not answer in time, once. Then an operator halts and resumes, and releases that bot; somebody buys by hand, which is
accepted, one bot is flattened, the store is damaged, and the doctor mends it. Last come a backtest and a tournament.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.bootstrap.setup import STORE, Setup, read_setup
from hydra.bootstrap.writer import Writer
from hydra.cli.commands import backtest, doctor, flatten, operator, qc, tournament
from hydra.cli.frame import Command, Frame, Result
from hydra.engine.run import Loop
from hydra.model.events import KINDS
from hydra.model.orders import Order, OrderStatus, OrderType, Purpose, Side
from hydra.model.snapshot import Answer, Failure
from hydra.ports import Ack, AckOutcome, BotHost, Broker, Question
from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "reference" / "events.md"
WIDTH = 118
LATE = "spy-breakout"
"""The bot that does not answer in time."""
_KEPT = 2
_LONG = 3


class BadDay:
    """A broker that refuses the first order and loses two answers: to the second one, and to the first cancellation."""

    def __init__(self, venue: Broker) -> None:
        self._venue = venue
        self._submitted = 0
        self._cancelled = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def submit(self, order: Order) -> Ack:
        """Refuse, lose the answer, then behave."""
        self._submitted += 1
        if self._submitted == 1:
            return Ack(outcome=AckOutcome.REJECTED, reason=f"{order.symbol} is not tradable right now")
        ack = self._venue.submit(order)
        if self._submitted == 2:
            raise TimeoutError("no answer within 2 s")
        return ack

    def cancel(self, venue_id: str) -> Ack:
        """Lose the first answer, then behave."""
        self._cancelled += 1
        ack = self._venue.cancel(venue_id)
        if self._cancelled == 1:
            raise TimeoutError("no answer within 2 s")
        return ack


class BadBot:
    """A bot host in which one bot's first answer comes too late."""

    def __init__(self, bots: BotHost, late: str) -> None:
        self._bots = bots
        self._late: str | None = late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bots, name)

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Lose one answer, then behave."""
        return tuple(self._late_one(answer) for answer in self._bots.ask(questions))

    def _late_one(self, answer: Answer) -> Answer:
        if answer.bot != self._late:
            return answer
        self._late = None
        failure = Failure(what=answer.bot, kind="timeout", reason="no answer within 500 ms")
        return Answer(bot=answer.bot, failure=failure)


def options(folder: Path, /, **more: Any) -> dict[str, Any]:
    """A command's options for a state and a journal below ``folder``."""
    places = {"config": ROOT / "configs" / "paper.toml", "state_dir": folder / "state", "log_dir": folder / "logs"}
    return {**places, "json": True, "debug": False, **more}


def call(entry: Command, name: str, folder: Path, /, **more: Any) -> Result:
    """A command without its screen."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return entry(Frame(command=name, options=options(folder, **more)))


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Work in ``folder``, with nothing of Hydra in the environment but what makes positions short, and bots prompt on any machine."""
    place, before = Path.cwd(), dict(os.environ)
    for name in [name for name in os.environ if name.startswith("HYDRA_") or name.endswith("_API_KEY")]:
        del os.environ[name]
    os.environ["HYDRA_BOTS__AAPL_TREND__TIME_STOP_MINUTES"] = "5"
    os.environ["HYDRA_ISOLATION__HOST"] = "inline"
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)


def live_through_it(folder: Path) -> None:
    """Everything that can happen, in ``folder``; to be called ``elsewhere``."""
    told = options(folder)
    setup = read_setup(told["config"], told["state_dir"], told["log_dir"], os.environ)
    assert call(qc.command, "qc", folder).exit_code == 0
    _bad_day(setup)
    assert call(operator.command, "halt", folder, reason="the news desk called").exit_code == 0
    assert call(operator.command, "resume", folder, reason="false alarm", force=False).exit_code == 0
    released = call(operator.command, "bots release", folder, bot=LATE, reason="it has more memory now", forget=False)
    assert released.exit_code == 0
    with Writer(setup=setup, command="run") as writer:
        _loop(writer, cycles_max=3).run()
        by_hand = Order(
            client_id="by-hand-1",
            run="",
            cycle=0,
            bot="",
            symbol="AAPL",
            side=Side.BUY,
            quantity=Decimal(1),
            order_type=OrderType.MARKET,
            purpose=Purpose.EXIT,
        )
        assert writer.venue.broker.submit(by_hand).outcome is AckOutcome.ACCEPTED
    assert call(doctor.command, "doctor", folder, fix=False, accept_foreign=True, yes=True).exit_code == 0
    assert call(flatten.command, "flatten", folder, bot="spy-trend", yes=True, timeout=120).exit_code == 0
    assert call(operator.command, "resume", folder, reason="spy-trend may trade again", force=True).exit_code == 0
    for companion in ("-wal", "-shm"):
        (setup.state_dir / f"{STORE}{companion}").unlink(missing_ok=True)
    (setup.state_dir / STORE).write_bytes(b"not a database any more")
    assert call(doctor.command, "doctor", folder, fix=True, accept_foreign=False, yes=False).exit_code == 0
    _backtest(folder)
    _tournament(folder)


def _tournament(folder: Path) -> None:
    """Two iterations of local rules in the invented market."""
    names = ("interval", "data", "speed", "granularity", "control", "replay")
    asked = {
        **dict.fromkeys(names),
        "assets": ["BTC-USD"],
        "market": "synthetic",
        "iterations": 2,
        "recorded_votes": False,
    }
    config = ROOT / "configs" / "tournament.toml"
    assert call(tournament.command, "tournament", folder, paper=True, config=config, **asked).exit_code == 0


def _backtest(folder: Path) -> None:
    """An exchange day of a share that swings, as history: most of it is passed over."""
    opening, price, rows = datetime(2025, 1, 6, 14, 30, tzinfo=UTC), 590.0, ["timestamp,open,high,low,close,volume"]
    for minute in range(390):
        close = round(590 + 4 * math.sin(minute / 25), 2)
        at = opening + timedelta(minutes=minute)
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{price},{max(price, close)},{min(price, close)},{close},20000")
        price = close
    data = folder / "SPY-1min-20250106.csv"
    data.write_text("\n".join(rows) + "\n", encoding="utf-8")
    names = ("since", "until", "seed", "symbols", "report", "trades")
    asked = {**dict.fromkeys(names), "check_lookahead": False, "every_cycle": False, "journal": True}
    assert call(backtest.command, "backtest", folder, data=[data], bot="momentum", **asked).exit_code == 0


def _bad_day(setup: Setup) -> None:
    """Trade until an exit has taken its stop back and something is held; then be ended, and miss the stop."""
    with Writer(setup=setup, command="run") as writer:
        engine = writer.engine
        outside = engine.outside
        engine.outside = replace(outside, broker=BadDay(outside.broker), bots=BadBot(outside.bots, LATE))
        cancelled = 0

        def enough() -> int | None:
            stops = [o for o in engine.ledger.orders.values() if o.purpose is Purpose.STOP and not o.status.terminal]
            working = stops and all(order.status is OrderStatus.ACCEPTED for order in stops)
            return 143 if cancelled and working and engine.ledger.holdings else None

        loop = _loop(writer, cycles_max=900)
        loop.stopped = enough

        def watch(report: Any) -> None:
            nonlocal cancelled
            cancelled += sum(len(send.release) for send in report.plan.sends)

        loop.watch = watch
        assert loop.run().exit_code == 143
        for _minute in range(600):
            if not writer.venue.broker.positions() or not writer.venue.clock.wait(0):
                break


def _loop(writer: Writer, *, cycles_max: int) -> Loop:
    return Loop(
        engine=writer.engine,
        segment=writer.segment,
        cycles_max=cycles_max,
        interval_seconds=5,
        stopped=lambda: None,
        watch=lambda _report: None,
    )


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Every event of the journal, in order; then of those of backtests and the tournament what is in no other."""
    kinds = set()
    for pattern in ("*.jsonl", "backtests/*/*.jsonl", "tournament/*.[0-9]*.jsonl"):
        found = [json.loads(line) for path in (folder / "logs").glob(pattern) for line in path.open(encoding="utf-8")]
        found = [event for event in found if event["kind"] not in kinds]
        kinds |= {event["kind"] for event in found}
        yield from sorted(found, key=lambda event: event["seq"])


def examples(folder: Path) -> dict[str, dict[str, Any]]:
    """The most telling event of each kind, its long lists cut short; this machine's and this user's names replaced."""
    best: dict[str, dict[str, Any]] = {}
    for event in lines(folder):
        known = best.get(event["kind"])
        if known is None or _worth(event) > _worth(known):
            best[event["kind"]] = event
    return {kind: _unnamed(_cut(best[kind]), folder) for kind in KINDS if kind in best}


def _worth(event: Mapping[str, Any]) -> int:
    """How much of its kind an event shows: the number of its fields, up to what a page can bear."""
    data = event["data"]
    if data.get("keyframe"):
        return 0
    if event["kind"] == "segment_opened":
        return int(data["command"] == "run")
    if event["kind"] == "decided":
        return len(data["plan"])
    return len(data) * 10 + sum(len(part) for part in data.values() if isinstance(part, list | dict) and len(part) < 5)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_cut(part) for part in (value[:_KEPT] if len(value) > _LONG else value)]
    return value


def _unnamed(event: dict[str, Any], folder: Path) -> dict[str, Any]:
    text = json.dumps(event).replace(str(folder), "/srv/hydra")
    machines = set(re.findall(r'"host": "([^"]+)"', text)) - {"process", "inline"}  # where bots are asked is no machine
    for host in {os.uname().nodename, *machines}:
        text = text.replace(f'"{host}"', '"trader-1"').replace(f"@{host}", "@trader-1")
    text = re.sub(r'"by": "[^"@]+@', '"by": "ann@', text)
    return json.loads(text)  # type: ignore[no-any-return]  # a mapping went in


def shown(value: Any, indent: int = 0, taken: int = 0) -> str:
    """JSON that breaks lines only where they would be too long; ``taken`` characters of the first are used."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent + taken <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, list):
        inner = [pad + shown(part, indent + 2) for part in value]
        return "[\n" + ",\n".join(inner) + "\n" + " " * indent + "]"
    keys = [f"{json.dumps(key)}: " for key in value]
    inner = [pad + key + shown(part, indent + 2, len(key)) for key, part in zip(keys, value.values(), strict=True)]
    return "{\n" + ",\n".join(_packed(inner, pad)) + "\n" + " " * indent + "}"


def _packed(entries: list[str], pad: str) -> list[str]:
    """Short entries share a line."""
    packed: list[str] = []
    for entry in entries:
        short = "\n" not in entry
        if packed and short and "\n" not in packed[-1] and len(packed[-1]) + len(entry.strip()) + 2 <= WIDTH:
            packed[-1] += ", " + entry.strip()
        else:
            packed.append(entry if short else pad + entry.strip())
    return packed


def renew(text: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the example of every kind replaced by a new one."""
    for kind, event in found.items():
        pattern = re.compile(rf"(^```json {kind}\n).*?(^```$)", re.DOTALL | re.MULTILINE)
        text, count = pattern.subn(lambda old, event=event: f"{old[1]}{shown(event)}\n{old[2]}", text)  # type: ignore[misc]
        if count != 1:
            sys.exit(f"{PAGE}: expected one block ```json {kind}, found {count}")
    return text


def main() -> None:
    """Live through it in a temporary folder and renew the page's examples."""
    with tempfile.TemporaryDirectory() as name, elsewhere(Path(name)):
        live_through_it(Path(name))
        found = examples(Path(name))
    missing = sorted(set(KINDS) - set(found))
    if missing:
        sys.exit(f"no example came out for {', '.join(missing)}")
    PAGE.write_text(renew(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(f"{PAGE}: {len(found)} examples")


if __name__ == "__main__":
    main()
