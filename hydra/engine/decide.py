"""The heart: ``decide(snapshot, book) -> Plan``. Pure: no clock, no network, no disk, no randomness.

It happens in two halves because bots are asked in between. ``consider`` opens or shuts every gate, proposes the exits and
says what each bot is to be asked; ``conclude`` judges what they answered. ``decide`` is both at once, for a snapshot that
already carries the answers: the cycle and its replay run the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from hydra.engine.admit import Admission, admit
from hydra.engine.answers import CHAIN
from hydra.engine.drafts import Drafts
from hydra.engine.gatekeeper import Answers
from hydra.engine.manage import manage
from hydra.engine.release import release_all
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote, asset_class_of
from hydra.model.orders import Cancel, Order, OrderStatus, OrderType, Purpose, Send, Skip
from hydra.model.portfolio import FLATTEN_ALL, Halt, Holding, Mode
from hydra.model.same import Same, kept
from hydra.model.snapshot import GateAnswer, Plan, Scope, Sessions, Snapshot, StopMoved, View
from hydra.model.values import Value, replace
from hydra.policy import BotPolicy, minute_of
from hydra.ports import Question
from hydra.risk.halts import Obeyed, automatic_halts, obey
from hydra.risk.plugs import RuleBook


class Consideration(Value, frozen=True, kw_only=True):
    """The first half of a decision: everything that does not depend on what the bots will say.

    ``gates`` are all answers of the gates, ``shut`` those that are not a pass. ``reachable``: the venue answers.
    """

    mode: Mode
    gates: Sequence[GateAnswer]
    shut: tuple[GateAnswer, ...]
    reachable: bool
    halts: tuple[Halt, ...]
    obeyed: Obeyed
    cancels: tuple[Cancel, ...]
    exits: tuple[Send, ...]
    stops: tuple[StopMoved, ...]
    skips: tuple[Skip, ...]
    questions: tuple[Question, ...]
    drafts: Drafts


def decide(snapshot: Snapshot, book: RuleBook) -> Plan:
    """The plan for a snapshot that carries the bots' answers."""
    return conclude(snapshot, book, consider(snapshot, book))


def consider(snapshot: Snapshot, book: RuleBook) -> Consideration:
    """Gate, latch, manage, and prepare the questions."""
    gates = Answers(snapshot, book)
    reachable = gates.open("broker_reachable")
    obeyed = obey(snapshot, book.policy)
    if obeyed.releases:
        snapshot = replace(snapshot, ledger=release_all(snapshot.ledger, obeyed.releases))
    halts = (*automatic_halts(snapshot, book), *obeyed.halts)
    drafts = Drafts(snapshot)
    managed = manage(snapshot, book, drafts, reachable=reachable)
    halts = (*halts, *managed.halts)
    mode = _mode(snapshot, latched=bool(halts) or (bool(snapshot.ledger.halts) and not obeyed.resumes))
    benched = _benched(snapshot, obeyed)
    questions, skips = _questions(snapshot, book, _Shut(gates.shut, mode), benched)
    entries = _entries_at_work(snapshot.ledger.orders)
    cancels = (*_entries_to_cancel(entries, mode, benched), *_entries_too_old(entries, snapshot.at, book))
    return Consideration(
        mode=mode,
        gates=gates,
        shut=gates.shut,
        reachable=reachable,
        halts=halts,
        obeyed=obeyed,
        cancels=_each_once((*cancels, *managed.cancels)),
        exits=managed.sends,
        stops=managed.stops,
        skips=(*obeyed.refused, *managed.skips, *skips),
        questions=questions,
        drafts=drafts,
    )


def conclude(snapshot: Snapshot, book: RuleBook, considered: Consideration) -> Plan:
    """Judge the answers, bot by bot in the policy's order, and write the plan."""
    admission = Admission(
        snapshot,
        book,
        considered.drafts,
        managed=considered.exits,
        reachable=considered.reachable,
    )
    answers = snapshot.answers
    admit(admission, [(question.view, answers.get(question.bot)) for question in considered.questions])
    obeyed = considered.obeyed
    return Plan(
        cycle=snapshot.cycle,
        mode=considered.mode,
        answers=considered.shut,
        skips=(*considered.skips, *admission.skips),
        judgements=tuple(admission.judgements),
        cancels=considered.cancels,
        sends=(*admission.managed, *admission.exits, *admission.entries),
        stops=considered.stops,
        halts=considered.halts,
        resumes=obeyed.resumes,
        flattens=obeyed.flattens,
        accepts=obeyed.accepts,
        releases=obeyed.releases,
    )


def foreseen(considered: Consideration, cycle: int) -> Plan:
    """As much of the plan as is carried out before the bots are asked: halts, and what an operator wants."""
    obeyed = considered.obeyed
    return Plan(
        cycle=cycle,
        mode=considered.mode,
        halts=considered.halts,
        resumes=obeyed.resumes,
        flattens=obeyed.flattens,
        accepts=obeyed.accepts,
        releases=obeyed.releases,
    )


def ask_gates(snapshot: Snapshot, book: RuleBook) -> tuple[GateAnswer, ...]:
    """Every gate's answer for every key of its scope, in words."""
    return tuple(Answers(snapshot, book))


def _mode(snapshot: Snapshot, *, latched: bool) -> Mode:
    if not latched:
        return Mode.ACTIVE
    ledger = snapshot.ledger
    busy = bool(ledger.holdings) or any(not order.status.terminal for order in ledger.orders.values())
    return Mode.REDUCING if busy else Mode.HALTED


def _benched(snapshot: Snapshot, obeyed: Obeyed) -> frozenset[str]:
    """The bots whose holdings are being closed at an operator's word; ``FLATTEN_ALL`` for every bot."""
    if not obeyed.flattens and not snapshot.ledger.flatten:
        return frozenset()
    asked = frozenset(command.bot or FLATTEN_ALL for command in obeyed.flattens)
    return asked if obeyed.resumes else asked | frozenset(snapshot.ledger.flatten)


@kept
def _entries_at_work(orders: Mapping[str, Order]) -> tuple[Order, ...]:
    """The entries among the orders that are not done, in their order."""
    return tuple([order for order in orders.values() if order.purpose is Purpose.ENTRY and not order.status.terminal])


def _entries_to_cancel(entries: tuple[Order, ...], mode: Mode, benched: frozenset[str]) -> list[Cancel]:
    if mode is Mode.ACTIVE and not benched:
        return []
    return [
        Cancel(
            client_id=order.client_id,
            venue_id=order.venue_id,
            reason=f"no entries for {order.bot}: flattened" if order.bot in benched else "no entries in a halt",
        )
        for order in entries
        if order.venue_id and (mode is not Mode.ACTIVE or order.bot in benched)
    ]


def _entries_too_old(entries: tuple[Order, ...], at: datetime, book: RuleBook) -> list[Cancel]:
    """Entries at a limit that have waited longer than their bot's ``entry.seconds``."""
    found: list[Cancel] = []
    for order in entries:
        bot = book.bots.get(order.bot)
        if bot is None or order.order_type is not OrderType.LIMIT:
            continue
        if order.status is OrderStatus.PENDING_CANCEL or not order.venue_id:
            continue
        waited = 0.0 if order.sent_at is None else (at - order.sent_at).total_seconds()
        if waited >= bot.entry.seconds:
            reason = f"unfilled for {waited:.0f} s, at most {bot.entry.seconds}"
            found.append(Cancel(client_id=order.client_id, venue_id=order.venue_id, reason=reason))
    return found


def _each_once(cancels: tuple[Cancel, ...]) -> tuple[Cancel, ...]:
    return tuple({cancel.client_id: cancel for cancel in reversed(cancels)}.values())[::-1] if cancels else ()


def _questions(
    snapshot: Snapshot, book: RuleBook, shut: _Shut, benched: frozenset[str]
) -> tuple[tuple[Question, ...], tuple[Skip, ...]]:
    """What each bot is asked, in policy order, and why nothing may be entered where nothing may."""
    questions: list[Question] = []
    skips: list[Skip] = []
    mine = Belongings(snapshot)
    strikes_max, records = book.policy.engine.bot_strikes, snapshot.ledger.bots
    sessions = snapshot.sight.sessions
    for bot in book.policy.enabled_bots:
        record = records.get(bot.id)
        if record is not None and record.strikes >= strikes_max:
            skips.append(Skip(subject=bot.id, code="quarantine", reason=f"{record.strikes} failed answers"))
            continue
        if benched and bot.id in benched:
            reason = "an operator had it flattened; `hydra resume` lets it trade again"
            skips.append(Skip(subject=bot.id, code="flattened", reason=reason))
            continue
        window = _outside_window(sessions, bot) or (_outside_options(sessions) if bot.option is not None else None)
        if window is None and shut.none:
            may_enter = dict.fromkeys(bot.symbols, True)
        else:
            barred = {symbol: shut.why(symbol) or window for symbol in bot.symbols}
            skips += [_skipped(bot.id, symbol, *why) for symbol, why in barred.items() if why]
            may_enter = {symbol: why is None for symbol, why in barred.items()}
        question = question_for(snapshot, bot, may_enter, mine)
        if question is not None:
            questions.append(question)
    return tuple(questions), tuple(skips)


@lru_cache(maxsize=1024)
def _skipped(bot: str, symbol: str, code: str, reason: str) -> Skip:
    return Skip(subject=f"{bot}|{symbol}", code=code, reason=reason)


class _Shut:
    """The shut gates by reach, for looking up why a symbol is barred."""

    def __init__(self, shut: tuple[GateAnswer, ...], mode: Mode) -> None:
        self._system: tuple[str, str] | None = None
        self._by_key: dict[str, tuple[str, str]] = {}
        for answer in shut:
            why = (answer.gate, answer.reason)
            if answer.scope is Scope.SYSTEM:
                self._system = self._system or why
            else:
                self._by_key.setdefault(answer.key, why)
        if mode is not Mode.ACTIVE and self._system is None:
            self._system = ("mode", f"a halt latches in this cycle: {mode}")
        self.none = self._system is None and not self._by_key
        """True when every gate is open."""

    def why(self, symbol: str) -> tuple[str, str] | None:
        """(code, reason) of the widest shut gate that reaches the symbol; ``None`` when all are open."""
        return self._system or self._by_key.get(asset_class_of(symbol)) or self._by_key.get(symbol)


def _outside_window(sessions: Sessions | None, bot: BotPolicy) -> tuple[str, str] | None:
    if sessions is None:
        return ("bot_window", "the exchange's time of day is unknown")
    if bot.session is None:
        return None
    if minute_of(bot.session.trade_start) <= sessions.minute < minute_of(bot.session.trade_end):
        return None
    return ("bot_window", f"{bot.id} enters from {bot.session.trade_start} to {bot.session.trade_end}")


def _outside_options(sessions: Sessions | None) -> tuple[str, str] | None:
    """Contracts have a session of their own, beside that of what they are on."""
    session = None if sessions is None else sessions.by_class.get(AssetClass.OPTION)
    if session is not None and session.open:
        return None
    return ("session", f"the option session is {'unknown' if session is None else session.phase}")


@lru_cache(maxsize=32)
def _by_symbol(chain: Same[Mapping[str, OptionQuote]]) -> tuple[OptionQuote, ...]:
    """A chain is read now and then, and shown in every cycle."""
    return tuple(sorted(chain.value.values(), key=attrgetter("symbol")))


class Belongings:
    """What every bot holds and has ordered, and the chains there are: looked up once a cycle, for all of them."""

    __slots__ = ("chains", "holdings", "ordered")

    def __init__(self, snapshot: Snapshot) -> None:
        ledger, sight = snapshot.ledger, snapshot.sight
        self.holdings: dict[str, dict[str, Holding]] = {}
        for held in ledger.holdings.values():
            self.holdings.setdefault(held.bot, {})[held.symbol] = held
        self.ordered: dict[str, tuple[str, ...]] = {}
        for order in _entries_at_work(ledger.orders) if ledger.orders else ():
            self.ordered[order.bot] = (*self.ordered.get(order.bot, ()), order.symbol)
        self.chains: dict[str, tuple[OptionQuote, ...]] = {}
        for underlying, chain in sight.chains.items():
            if CHAIN + underlying not in sight.missing:
                self.chains[underlying] = _by_symbol(Same(chain))


def question_for(
    snapshot: Snapshot, bot: BotPolicy, may_enter: Mapping[str, bool], belongings: Belongings | None = None
) -> Question | None:
    """What the bot is shown; ``None`` when it neither holds anything nor could enter anything."""
    ledger, sight = snapshot.ledger, snapshot.sight
    mine = belongings or Belongings(snapshot)
    holdings = mine.holdings.get(bot.id, {})
    if not holdings and True not in may_enter.values():
        return None
    if ledger.equity is None or sight.sessions is None:
        return None
    symbols, windows, prices = bot.symbols, sight.bars, sight.quotes
    bars: dict[str, tuple[Bar, ...]] = {}
    quotes: dict[str, Quote] = {}
    for symbol in symbols:
        if symbol in windows:
            bars[symbol] = windows[symbol]
        if symbol in prices:
            quotes[symbol] = prices[symbol]
    view = View(
        bot=bot.id,
        at=snapshot.at,
        minute=sight.sessions.minute,
        day=sight.sessions.day,
        symbols=symbols,
        bars=bars,
        quotes=quotes,
        holdings=holdings,
        ordered=mine.ordered.get(bot.id, ()),
        chains={s: mine.chains[s] for s in symbols if s in mine.chains} if bot.option is not None else {},
        may_enter=may_enter,
        equity=ledger.equity,
    )
    return Question(bot=bot.id, view=view, memory=ledger.bot(bot.id).memory)
