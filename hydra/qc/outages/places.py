"""Where a storm may strike: named moments of the engine's dealings with its ports, and the wrappers that notice them.

A wrapper stands before a port and passes every call on. Around each call it tells the ``Hand`` where the engine is; when
the planned place has been visited often enough, the hand strikes. The engine is composed with the wrappers, not patched.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hydra.engine.outside import Outside
from hydra.model.events import KIND_OF
from hydra.model.orders import Order

ORDER_PLACES = (
    "order_sent.after",  # in memory, not yet durable
    "order_sent.sync.before",
    "order_sent.sync.after",  # durable, not yet sent
    "broker.submit.before",
    "broker.submit.within",  # while the venue is writing its books
    "broker.submit.after",  # the venue has it, the engine has not heard
    "order_accepted.before",  # heard, not yet journaled
    "order_accepted.after",  # journaled, not yet durable
    "cancel_sent.after",
    "broker.cancel.before",
    "broker.cancel.within",
    "broker.cancel.after",
    "cancel_heard.after",
    "gap.unsaid",  # the legs are canceled, nobody has written that their holding will be sold
    "gap.said",  # the legs are canceled, the sale is journaled and not sent
)
"""Between deciding on an order and having written down what became of it."""

OTHER_PLACES = (
    "observed.after",
    "decided.before",
    "decided.after",
    "cycle_closed.before",
    "journal.append.before",
    "journal.append.after",
    "journal.sync.before",
    "journal.sync.within",
    "journal.sync.after",
    "store.commit.before",
    "store.commit.within",
    "store.commit.after",
    "clock.wait.before",
    "clock.wait.within",
    "clock.wait.after",
    "market.poll.after",
)
ANYWHERE, OPENING, RECOVERING, DISK = "anywhere", "opening", "recovering", "disk"
"""A moment by the wall clock in the loop; one while everything is opened; a port call of the recovery, or right after the
last; the n-th operation on a disk. A victim that does not come by its place is struck anywhere, in the end."""

ON_ITS_WAY = "broker.submit on its way"
"""The engine is gone, and the venue gets the order after the next one has begun."""

WRAPPED = ("clock", "market", "broker", "journal", "store")


@dataclass(frozen=True, slots=True)
class Blow:
    """Strike at the ``visits``-th visit of ``place``; from outside, strike ``delay_seconds`` after that."""

    place: str
    visits: int = 1
    delay_seconds: float = 0.0

    @property
    def on_order(self) -> bool:
        """True for a place of an order's sending."""
        return self.place in ORDER_PLACES or self.place == ON_ITS_WAY


def draw(chance: random.Random, *, on_order: bool = False) -> Blow:
    """A blow for a running engine: two of three on the sending of orders, or certainly one of those."""
    if on_order or chance.random() < 0.67:
        return Blow(chance.choice(ORDER_PLACES), chance.randint(1, 2 if on_order else 6), chance.uniform(0, 0.004))
    if chance.random() < 0.2:
        return Blow(ANYWHERE, delay_seconds=chance.uniform(0, 0.25))
    return Blow(chance.choice(OTHER_PLACES), chance.randint(1, 40), chance.uniform(0, 0.002))


def draw_recovery(chance: random.Random, opening_seconds: float) -> Blow:
    """A blow for an engine that is still taking up what the last one left."""
    if chance.random() < 0.5:
        return Blow(OPENING, delay_seconds=chance.uniform(0, opening_seconds))
    return Blow(RECOVERING, chance.randint(1, 24))


@dataclass(slots=True)
class Hand:
    """Counts the visits of the planned place and strikes once; ``subject`` is what the call was about."""

    blow: Blow
    strike: Callable[[], None]
    recovering: bool = False
    subject: Any = None
    _left: int = field(init=False)
    _struck: bool = False
    _last_kind: str = ""
    _released: bool = False

    def __post_init__(self) -> None:
        self._left = self.blow.visits

    def visit(self, port: str, method: str, when: str, subject: Any) -> None:
        """The engine is right before or right after a call."""
        places = self._places(port, method, when, subject)
        planned = self.blow.place
        early = planned == port or (planned == RECOVERING and self.recovering)
        if self._struck or (planned not in places and not early):
            return
        self._left -= 1
        if self._left == 0:
            self._struck, self.subject = True, subject
            self.strike()

    def _places(self, port: str, method: str, when: str, subject: Any) -> set[str]:
        call = f"{port}.{method}"
        places = {f"{call}.{when}"}
        if when == "before":
            places.add(f"{call}.within")
        if call == "journal.append":
            kind = KIND_OF[type(subject)]
            places.add(f"{kind}.{when}")
            if kind == "order_sent" and when == "before" and self._released:
                places.add("gap.unsaid")
            self._last_kind = kind
        elif call == "journal.sync":
            places.add(f"{self._last_kind}.sync.{when}")
        elif call == "broker.cancel" and when == "after":
            self._released = True
        elif call == "broker.submit" and when == "before":
            assert isinstance(subject, Order)
            if self._released and subject.purpose.reduces:
                places.add("gap.said")
            self._released = False
        return places


class Watched:
    """A port behind a hand."""

    def __init__(self, name: str, inner: Any, hand: Hand) -> None:
        self._name = name
        self._inner = inner
        self._hand = hand

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._inner, method)

        def call(*arguments: Any) -> Any:
            subject = arguments[0] if arguments else None
            self._hand.visit(self._name, method, "before", subject)
            answer = real(*arguments)
            self._hand.visit(self._name, method, "after", subject)
            return answer

        return call


def behind(hand: Hand, outside: Outside) -> Outside:
    """The same outside with every wrapped port behind the hand."""
    watched: dict[str, Any] = {name: Watched(name, getattr(outside, name), hand) for name in WRAPPED}
    return replace(outside, **watched)
