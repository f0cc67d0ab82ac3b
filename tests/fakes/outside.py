"""A whole outside for the engine in memory: the real simulated venue on a script, a journal on a fake disk, and faults.

``Stage`` is one account, one engine and one hand on the clock. Every port stands behind a ``Faulty`` wrapper, so a test
can make any call of any port fail, lie, or fail after it was carried out, without touching the engine's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.adapters.memory.files import LossyFiles
from hydra.adapters.memory.outside import MemoryInbox, SteadyProbes
from hydra.adapters.memory.store import MemoryStore
from hydra.adapters.reads import read_inline
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.plugs import rule_book
from hydra.engine.cycle import CycleReport, Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import catch_up, recover
from hydra.model.events import Certified, Event, OrderSent, SegmentOpened
from hydra.model.isolation import INLINE
from hydra.model.orders import Intent, Order, OrderStatus, Protection, Purpose, Side, Size, SizeKind
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.model.snapshot import View
from hydra.policy import Policy, SessionPolicy
from hydra.ports import Bot, Head, Question
from hydra.risk.plugs import RuleBook
from tests.fakes.feed import ScriptedFeed, bar, quote

OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening; the plain calendar's minutes are UTC."""
MINUTE = timedelta(minutes=1)
FOLDER = Path("/logs")
PAPER = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"
SPREAD = Decimal("0.01")
BOT = "buyer"

Prices = Sequence[tuple[Any, Any, Any, Any]]
FLAT: Prices = [(100, 100, 100, 100)] * 12
"""Twelve minutes in which nothing happens."""


# -- the policy


@lru_cache(maxsize=1)
def _paper() -> Policy:
    return load_policy(PAPER, {}, None)


def policy(*, bots: Sequence[Mapping[str, Any]] = ({"id": BOT},), **sections: Mapping[str, Any]) -> Policy:
    """The paper policy with sections changed (``risk={"daily_loss": ...}``) and bots that trade all day."""
    paper = _paper()
    plain = paper.bots[0].model_copy(
        update={
            "session": SessionPolicy(trade_start="14:30", trade_end="20:30", manage_until="20:50"),
            "symbols": ("SPY",),
            "time_stop_minutes": None,
            "break_even": None,
            "trailing": None,
        }
    )
    changed = {name: getattr(paper, name).model_copy(update=dict(keys)) for name, keys in sections.items()}
    return paper.model_copy(update={**changed, "bots": tuple(plain.model_copy(update=dict(one)) for one in bots)})


# -- bots that follow a script


def entry(
    bot: str = BOT, symbol: str = "SPY", *, stop: Any = 98, target: Any = 104, quantity: Any = 10, **more: Any
) -> Intent:
    """A wish to buy ten shares at about 100."""
    fields = {
        "side": Side.BUY,
        "size": Size(kind=SizeKind.QUANTITY, amount=Decimal(str(quantity))),
        "reference": Decimal(100),
        "protection": Protection(stop=Decimal(str(stop)), target=None if target is None else Decimal(str(target))),
        "thesis": "the script says so",
    }
    return Intent(bot=bot, symbol=symbol, **{**fields, **more})


def leave(bot: str = BOT, symbol: str = "SPY", quantity: Any = 10) -> Intent:
    """A wish to sell what is held."""
    return Intent(
        bot=bot,
        symbol=symbol,
        side=Side.SELL,
        size=Size(kind=SizeKind.QUANTITY, amount=Decimal(str(quantity))),
        reference=Decimal(100),
        purpose=Purpose.EXIT,
        thesis="the script says so",
    )


def scripted(script: Mapping[int, Sequence[Intent]]) -> Bot:
    """A bot that wishes what is written for the minute after the opening, and remembers when it last did."""
    opening = OPEN.hour * 60 + OPEN.minute

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        minute = view.minute - opening
        wishes = script.get(minute, ())
        return list(wishes), {**memory, "last": minute} if wishes else memory

    return bot


def buys_at(minute: int = 2, **more: Any) -> Bot:
    """A bot that wishes one entry."""
    return scripted({minute: [entry(**more)]})


def feed_of(prices: Prices, symbol: str = "SPY", *, gaps: Iterable[int] = ()) -> ScriptedFeed:
    """Minute bars from the opening, each followed by a quote one cent around its close; ``gaps`` have no bar."""
    feed = ScriptedFeed(symbols=[symbol])
    for number, four in enumerate(prices):
        at = OPEN + number * MINUTE
        last = Decimal(str(four[3]))
        if number not in gaps:
            feed.add(bar(symbol, at, four))
        feed.add(quote(symbol, at + MINUTE, last - SPREAD, last + SPREAD))
    return feed


# -- faults


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at one call. With ``after`` the call is carried out first and its answer is lost."""

    error: BaseException | None = None
    answer: Any = None
    after: bool = False


@dataclass(slots=True)
class Faulty:
    """Stands before a port and passes everything on, but for the calls a fault was planned for (counted from 0)."""

    inner: Any
    calls: dict[str, int] = field(default_factory=dict)
    arguments: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    planned: dict[tuple[str, int], Fault] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    before: Callable[[str, tuple[Any, ...]], None] | None = None

    def plan(self, method: str, nth: int, fault: Fault) -> None:
        """Plan a fault for the ``nth`` call of ``method``."""
        self.planned[method, nth] = fault

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self.inner, method)

        def call(*arguments: Any) -> Any:
            number = self.calls.get(method, 0)
            self.calls[method] = number + 1
            self.arguments.append((method, arguments))
            if self.before is not None:
                self.before(method, arguments)
            fault = self.planned.get((method, number)) or self.always.get(method)
            if fault is None:
                return real(*arguments)
            if fault.after:
                real(*arguments)
            if fault.error is not None:
                raise fault.error
            return fault.answer

        return call


# -- the stage

PORTS = ("clock", "calendar", "market", "broker", "journal", "store", "inbox", "probes")


class Stage:
    """One account at the simulated venue, the engine before it, and what they leave behind.

    ``step`` is a cycle and a step of the market; ``restart`` is what the next process does after a crash.
    """

    def __init__(
        self,
        bots: Mapping[str, Bot] | None = None,
        *,
        prices: Prices = FLAT,
        feed: ScriptedFeed | None = None,
        rules: Policy | None = None,
        book: RuleBook | None = None,
        cash: Any = 100_000,
        account: VenueSettings | None = None,
        **fees: Any,
    ) -> None:
        self.bots = dict(bots) if bots is not None else {BOT: buys_at()}
        self.policy = rules if rules is not None else (book.policy if book is not None else policy())
        self.book = book if book is not None else rule_book(self.policy)
        self.files = LossyFiles()
        self.files.make_dir(FOLDER)
        settings = account or VenueSettings(starting_cash=Decimal(cash), crypto_exits=True, **fees)
        calendar = PlainCalendar()
        self.venue = SimulatedVenue(feed or feed_of(prices), calendar, settings)
        self.venue.advance()
        self.clock = Faulty(SimClock(self.venue))
        self.calendar = Faulty(calendar)
        self.market = Faulty(SimMarket(self.venue))
        self.broker = Faulty(SimBroker(self.venue))
        self.store = Faulty(MemoryStore())
        self.inbox = Faulty(MemoryInbox())
        self.probes = Faulty(SteadyProbes())
        self.runs = 0
        self.reports: list[CycleReport] = []
        self._open(Ledger(), None)
        self.certify()

    # -- the run

    def certify(self) -> None:
        """Leave the certificate that fits what is running."""
        bound = self.binding()
        shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
        self.engine.record(Certified(certificate=Certificate(wall=OPEN, minutes=15, head="0" * 64, **shared)))
        self.engine.settle()

    def binding(self) -> Binding:
        return Binding(
            policy_hash=self.policy.hash,
            code_hash="code",
            account_id=self.broker.inner.identity().account_id,
            url="sim://memory",
            mode=self.policy.mode,
            host="here",
        )

    def segment(self, number: int = 1) -> SegmentOpened:
        return SegmentOpened(
            segment=number,
            wall=OPEN,
            command="hydra run",
            host="here",
            pid=7,
            version="0",
            code_hash="code",
            policy_hash=self.policy.hash,
            policy=self.policy.document(),
            seed=1,
            market="script",
            practice=False,
            ledger=Ledger(),
        )

    def cycle(self) -> CycleReport:
        """One cycle; the clock stands still."""
        report = self.engine.cycle()
        self.reports.append(report)
        return report

    def step(self, count: int = 1) -> CycleReport:
        """Cycles, each followed by the market's next minute."""
        for _ in range(count):
            self.cycle()
            self.clock.inner.wait(60)
        return self.reports[-1]

    def day(self) -> None:
        """Cycle until the script ends."""
        for _ in range(1000):
            self.cycle()
            if not self.clock.inner.wait(60):
                return
        raise AssertionError("the script has no end")

    def restart(self) -> None:
        """The next process: fold the journal's tail, recover from the venue, go on."""
        tails: list[Any] = []

        def events_after(head: Head) -> Iterable[Event]:
            reading = read_journal(self.files, FOLDER, after=head)
            yield from reading
            tails.append(reading.tail)

        ledger, _ = catch_up(self.store.inner, events_after)
        self._open(ledger, take_up(self.files, tails[0]))

    def crash(self) -> None:
        """Lose power, and start again."""
        self.files.crash()
        self.restart()

    def _open(self, ledger: Ledger, head: Head | None) -> None:
        self.runs += 1
        after = {} if head is None else {"after": head}
        writer = JournalWriter(self.files, FOLDER, f"run-{self.runs}", now=lambda: self.venue.now, **after)  # type: ignore[arg-type]  # head or nothing
        self.journal = Faulty(writer)
        host = InlineBotHost(self.bots, None)
        self.asked: list[Question] = []

        class Host:
            """Remembers what was asked."""

            isolation = INLINE

            @staticmethod
            def ask(questions: Sequence[Question]) -> Any:
                self.asked += questions
                return host.ask(questions)

            @staticmethod
            def close() -> None:
                """Nothing to end."""

        ports: dict[str, Any] = {name: getattr(self, name) for name in PORTS}
        self.outside = Outside(**ports, bots=Host(), read_all=read_inline, binding=self.binding)
        self.engine = Engine(self.outside, self.book, ledger)
        self.engine.open_segment(self.segment())
        self.engine.record(recover(self.outside, self.engine.ledger, self.policy))
        self.engine.settle()

    # -- what a test asks of it

    @property
    def ledger(self) -> Ledger:
        return self.engine.ledger

    def events(self) -> list[Event]:
        """The journal as a reader finds it."""
        return list(read_journal(self.files, FOLDER))

    def sent(self, purpose: Purpose | None = None) -> list[Order]:
        """The orders in the journal."""
        orders = [event.data.order for event in self.events() if isinstance(event.data, OrderSent)]
        return [order for order in orders if purpose in (None, order.purpose)]

    def submitted(self) -> list[str]:
        """The client ids that reached the broker's door, each as often as it did."""
        return [arguments[0].client_id for method, arguments in self.broker.arguments if method == "submit"]

    def at_venue(self) -> dict[str, Decimal]:
        """Positions at the venue."""
        return {position.symbol: position.quantity for position in self.broker.inner.positions()}

    def in_ledger(self) -> dict[str, Decimal]:
        """Holdings in the ledger, by symbol."""
        sums: dict[str, Decimal] = {}
        for holding in self.ledger.holdings.values():
            sums[holding.symbol] = sums.get(holding.symbol, Decimal(0)) + holding.quantity
        return sums

    def agrees(self) -> bool:
        """True when ledger and venue tell the same story, without asking the gate that says so."""
        open_there = {order.client_id for order in self.broker.inner.open_orders()}
        open_here = {o.client_id for o in self.ledger.orders.values() if not o.status.terminal}
        unresolved = any(o.status is OrderStatus.UNKNOWN for o in self.ledger.orders.values())
        cash = self.broker.inner.account().cash == self.ledger.cash
        return self.at_venue() == self.in_ledger() and open_there == open_here and cash and not unresolved
