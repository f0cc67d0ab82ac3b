"""The outside world as the engine is given it: every port, in one bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hydra.guard import Outcome
from hydra.model.portfolio import Binding
from hydra.ports import BotHost, Broker, Calendar, Clock, Inbox, Journal, Market, Probes, Store

ReadAll: TypeAlias = Callable[[Mapping[str, Callable[[], Any]]], Mapping[str, Outcome[Any]]]
"""Ask everything once, side by side where that helps, each within its deadline; an answer or a failure for every name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a cycle reads, writes and asks. ``binding`` says what is running, to be held against the certificate."""

    clock: Clock
    calendar: Calendar
    market: Market
    broker: Broker
    journal: Journal
    store: Store
    inbox: Inbox
    probes: Probes
    bots: BotHost
    read_all: ReadAll
    binding: Callable[[], Binding]
