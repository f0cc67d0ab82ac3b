"""``hydra sim``: the simulated exchange as a server, for any Alpaca client, until it is interrupted."""

from __future__ import annotations

import os
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.bootstrap.sim import Sim, SimOptions, open_sim
from hydra.cli.commands.options import moment_of, setup_of
from hydra.cli.frame import Frame, Result
from hydra.cli.screen import words
from hydra.cli.screen.summary import pairs
from hydra.cli.stopper import Stopper
from hydra.model.errors import BadConfig, Unreachable

if TYPE_CHECKING:
    from rich.console import Console

USUAL_RATE_LIMIT = 200
"""Requests a minute, as at Alpaca."""
_MOMENT = "%Y-%m-%d %H:%M:%S UTC"


def command(frame: Frame) -> Result:
    """Open the venue, serve it, and say what happened in it."""
    with open_sim(setup_of(frame), _options(frame), os.environ) as sim:
        began = sim.exchange.now
        people, stopper = frame.people(), Stopper()
        address = _address(frame.options["host"], frame.options["port"])

        def ready(host: str, port: int) -> None:
            nonlocal address
            address = _address(host, port)
            _announce(people, sim, address, exposed=not _is_loopback(host))

        with stopper.listening():
            try:
                sim.serve(frame.options["host"], frame.options["port"], ready, stopper.event.is_set)
            except Unreachable:
                if stopper.exit_code is None:
                    raise
        return _result(sim, address, began, stopper.exit_code or 0)


def _options(frame: Frame) -> SimOptions:
    options = frame.options
    speed = options["speed"]
    if options["lockstep"] and speed is not None:
        raise BadConfig(f"--speed {speed}: with --lockstep the clock moves only when told; leave one of them out")
    return SimOptions(
        data=tuple(options["data"] or ()),
        at=moment_of("--at", options["at"]),
        seed=options["seed"],
        speed=_speed("1" if speed is None else speed),
        lockstep=options["lockstep"],
        faults=options["faults"],
        fault_admin=options["fault_admin"],
        rate_limit=_rate_limit(options["rate_limit"], lockstep=options["lockstep"]),
    )


def _rate_limit(asked: int | None, *, lockstep: bool) -> int:
    """Requests a minute, 0 for no limit: as at Alpaca, unless a minute of the venue is not a minute of its clients."""
    if asked is not None:
        return asked
    return 0 if lockstep else USUAL_RATE_LIMIT


def _speed(text: str) -> float | None:
    """Venue seconds a second; ``None`` for as fast as it goes. Accepts what market.speed accepts."""
    from pydantic import TypeAdapter, ValidationError

    from hydra.policy import Speed

    try:
        TypeAdapter(Speed).validate_python(text)
    except ValidationError:
        raise BadConfig(f"--speed: {text!r} is neither a number above 0 (such as 60 or 0.5) nor max") from None
    return None if text == "max" else float(text)


def _announce(people: Console, sim: Sim, address: str, *, exposed: bool) -> None:
    """Where it listens and how to speak to it; the address is on the first line, alone."""
    people.print(Text.assemble(("serving ", "dim"), (address, "bold")), soft_wrap=True)
    if exposed:
        people.print(
            Text(
                "warning: whoever reaches this port and has the key can trade on the simulated account"
                + (", and change its faults" if sim.options.fault_admin else ""),
                "yellow",
            )
        )
    people.print(pairs(_facts(sim, address)))
    for note in sim.notes:
        people.print(Text(words.one_line(note), "dim"))
    people.print(Text("Ctrl-C ends it; the books stay", "dim"))
    people.file.flush()


def _facts(sim: Sim, address: str) -> list[tuple[str, Text | str]]:
    return [
        ("market", words.one_line(sim.exchange.feed.describe())),
        ("clock", f"{sim.exchange.now:{_MOMENT}}, {_pace(sim.options)}"),
        ("books", str(sim.books)),
        ("faults", _faults(sim)),
        ("key", f"{words.one_line(sim.key)}; {sim.options.rate_limit or 'any number of'} requests a minute"),
        ("alpaca-py", f'TradingClient(key, secret, url_override="{address}")'),
        ("streams", f"{address.replace('http', 'ws', 1)}/stream for orders, /v2/iex and the like for prices"),
    ]


def _pace(options: SimOptions) -> str:
    if options.lockstep:
        return "lockstep: it moves by POST /sim/clock"
    if options.speed is None:
        return "as fast as it goes"
    return "real time" if options.speed == 1 else f"{options.speed:g} times real time"


def _faults(sim: Sim) -> str:
    if sim.plan is None:
        return "none"
    told = words.some(len(sim.plan.rules), "rule")
    if sim.options.faults is not None:
        told += f" of {sim.options.faults}"
    return told + (", changed by /sim/faults" if sim.options.fault_admin else "")


def _result(sim: Sim, address: str, began: datetime, exit_code: int) -> Result:
    exchange = sim.exchange
    ended, equity = exchange.now, exchange.figures().equity
    document: dict[str, Any] = {
        "url": address,
        "key": sim.key,
        "market": exchange.feed.describe(),
        "books": str(sim.books),
        "began": began,
        "ended": ended,
        "orders": len(exchange.tickets()),
        "working": len(exchange.working()),
        "fills": len(exchange.executions()),
        "positions": len(exchange.held()),
        "equity": str(equity),
        "faults": sum(tally.acted for _, tally in sim.plan.tallies()) if sim.plan is not None else 0,
        "notes": list(sim.notes),
    }

    def show(people: Console) -> None:
        facts = ", ".join(
            (
                words.some(document["orders"], "order"),
                words.some(document["fills"], "fill"),
                words.some(document["positions"], "position"),
                f"equity {words.dollars(equity)}",
            )
        )
        people.print(f"ended at {ended:{_MOMENT}}: {facts}", markup=False)
        if document["faults"]:
            people.print(f"{words.some(document['faults'], 'fault')} happened on demand", markup=False)

    return Result(exit_code=exit_code, document=document, show=show)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
