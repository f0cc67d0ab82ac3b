"""Alpaca put together: the address, the keys, the clients, and the doors the engine uses (entry point ``alpaca`` of ``hydra.brokers``).

Everything that can be refused without asking anybody is refused first: keys that are absent, and an address, a mode and keys that
do not agree. Then a server on this machine has to show that it is the simulator, without a key. Only what is left gets the keys.

    address            clock                                          trade updates
    -------            -----                                          -------------
    Alpaca             the wall clock; skew is a gate                 as a freshener, unless alpaca.stream is false
    sim, lockstep      the venue's, moved on by every wait            never
    sim, paced         the venue's, followed                          as at Alpaca
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from pydantic import SecretStr

from hydra.adapters.alpaca.address import Address, Kind, address_of
from hydra.adapters.alpaca.clock import Beat, FreshClock, LockstepClock, PacedClock, never
from hydra.adapters.alpaca.simulator import Reading, Simulator, recognise
from hydra.adapters.alpaca.stream import TradeStream
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.clock import RealClock
from hydra.bootstrap.environment import (
    ALPACA_DATA_URL,
    ALPACA_KEY,
    ALPACA_SECRET,
    ALPACA_URL,
    load_secrets,
    read_environment,
)
from hydra.bootstrap.venues import Source, VenueDoors
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from hydra.ports import Clock


class Keys(NamedTuple):
    """What an account is entered with."""

    key: SecretStr
    secret: SecretStr


class _Timing(NamedTuple):
    """Whose clock is followed, and by whose the requests are counted."""

    clock: Clock
    seconds: Callable[[], float]
    per_minute: int
    stream: TradeStream | None


def broker(
    policy: Policy,
    state_dir: Path,
    source: Source,
    stop: threading.Event,
    environ: Mapping[str, str] | None = None,
) -> VenueDoors:
    """The account the environment names. Raises ``BadConfig``, and ``Unreachable`` when a simulator does not answer."""
    told = os.environ if environ is None else environ
    if source.chosen or source.speed is not None:
        raise BadConfig("--data, --seed and --speed are for the simulated broker; broker.name is 'alpaca'")
    if policy.practice:
        raise BadConfig(
            f"practice: true is for the simulated broker; broker.name is 'alpaca', mode {policy.mode!r}. Nothing was sent"
        )
    if policy.market.sessions != "exchange":
        raise BadConfig(f"market.sessions: {policy.market.sessions!r} is for practice; broker.name is 'alpaca'")
    keys = keys_of(told)
    address = read_address(policy, told)
    seconds = float(policy.alpaca.connect_seconds)
    reading = recognise(address.trading, seconds=seconds) if address.kind is Kind.SIM else None
    if reading is not None and address.data != address.trading:
        recognise(address.data, seconds=seconds)
    return _doors(policy, state_dir, address, keys, _timing(policy, address, keys, reading, stop))


def read_address(policy: Policy, environ: Mapping[str, str]) -> Address:
    """Where the environment's account is, with mode and key agreeing. Sends nothing. Raises ``BadConfig``."""
    variables = read_environment(environ).variables
    return address_of(
        url=variables.get(ALPACA_URL, ""),
        data_url=variables.get(ALPACA_DATA_URL, ""),
        mode=policy.mode,
        key=keys_of(environ).key,
    )


def keys_of(environ: Mapping[str, str]) -> Keys:
    """Key and secret. Raises ``BadConfig`` naming the variables that are missing, never a value."""
    secrets = load_secrets(environ)
    missing = [
        name
        for name, value in ((ALPACA_KEY, secrets.alpaca_key), (ALPACA_SECRET, secrets.alpaca_secret))
        if value is None
    ]
    if missing or secrets.alpaca_key is None or secrets.alpaca_secret is None:
        raise BadConfig(
            f"{' and '.join(missing)}: not set; the keys of the account stand in the environment or in .env. Nothing was sent"
        )
    return Keys(secrets.alpaca_key, secrets.alpaca_secret)


def _timing(policy: Policy, address: Address, keys: Keys, reading: Reading | None, stop: threading.Event) -> _Timing:
    per_minute = policy.alpaca.requests_per_minute
    door = Simulator(
        address.trading, key=keys.key, secret=keys.secret, seconds=float(policy.engine.read_deadline_seconds)
    )
    if reading is not None and reading.lockstep:
        lockstep = LockstepClock(door, reading, stop=stop)
        if reading.limited:
            return _Timing(lockstep, monotonic, per_minute, None)
        from hydra.adapters.alpaca.line import UNCOUNTED

        return _Timing(lockstep, lambda: lockstep.now().timestamp(), UNCOUNTED, None)
    stream = TradeStream(address.stream, keys.key, keys.secret) if policy.alpaca.stream else None
    beat = Beat(stop, news=never if stream is None else stream.take)
    if reading is not None:
        return _Timing(PacedClock(door, reading, beat), monotonic, per_minute, stream)
    wall = RealClock(stop)
    return _Timing(wall if stream is None else FreshClock(wall, beat), monotonic, per_minute, stream)


def _doors(policy: Policy, state_dir: Path, address: Address, keys: Keys, timing: _Timing) -> VenueDoors:
    from hydra.adapters.alpaca.access import Access, clients_of
    from hydra.adapters.alpaca.broker import AlpacaBroker
    from hydra.adapters.alpaca.budget import Budget
    from hydra.adapters.alpaca.line import AlpacaLine
    from hydra.adapters.alpaca.market import AlpacaMarket

    access = Access(
        trading_url=address.trading,
        data_url=address.data,
        key=keys.key,
        secret=keys.secret,
        connect_seconds=min(float(policy.alpaca.connect_seconds), float(policy.engine.read_deadline_seconds)),
        read_seconds=float(policy.engine.read_deadline_seconds),
        order_seconds=float(policy.alpaca.order_seconds),
    )
    budget = Budget(timing.per_minute, timing.seconds)
    clients = clients_of(access, budget)
    line = AlpacaLine(clients, budget, address.trading, timing.stream)
    if timing.stream is not None:
        timing.stream.start()
    return VenueDoors(
        broker=AlpacaBroker(clients, url=address.trading, mode=address.kind.value),
        market=AlpacaMarket(
            clients,
            stock_feed=policy.alpaca.stock_feed,
            option_feed=policy.alpaca.option_feed,
            bar_seconds=policy.market.bar_seconds,
            now=timing.clock.now,
        ),
        clock=timing.clock,
        calendar=ExchangeCalendar(state_dir / "cache"),
        seed=policy.engine.seed,
        local=False,
        notes=(f"{_KINDS[address.kind]} at {address.trading}",),
        line=line,
        close=line.close,
    )


_KINDS: Mapping[Kind, str] = {
    Kind.PAPER: "a paper account",
    Kind.LIVE: "a LIVE account, real money,",
    Kind.SIM: "a simulated account",
}
