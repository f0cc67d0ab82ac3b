"""The heart: ``decide(snapshot, book) -> Plan``. Pure: no clock, no network, no disk, no randomness.

It happens in two halves because bots are asked in between. ``consider`` opens or shuts every gate, proposes the exits and
says what each bot is to be asked; ``conclude`` judges what they answered. ``decide`` is both at once, for a snapshot that
already carries the answers: the cycle and its replay run the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter

from hydra.engine.admit import Admission, admit
from hydra.engine.answers import CHAIN
from hydra.engine.drafts import Drafts
from hydra.engine.manage import manage
from hydra.engine.release import release_all
from hydra.guard import ask_foreign, shown, told
from hydra.model.market import AssetClass, OptionQuote, asset_class_of
from hydra.model.orders import Cancel, OrderStatus, OrderType, Purpose, Send, Skip
from hydra.model.portfolio import FLATTEN_ALL, Halt, Holding, Mode
from hydra.model.same import Same
from hydra.model.snapshot import Failure, GateAnswer, Plan, Scope, Snapshot, StopMoved, Verdict, View
from hydra.model.values import Value, replace
from hydra.policy import BotPolicy, Policy, minute_of
from hydra.ports import Question
from hydra.risk.gates import keys_of
from hydra.risk.halts import Obeyed, automatic_halts, obey
from hydra.risk.plugs import Gate, Reply, RuleBook

_PASS = Verdict.PASS


class Consideration(Value, frozen=True, kw_only=True):
    """The first half of a decision: everything that does not depend on what the bots will say."""

    mode: Mode
    gates: tuple[GateAnswer, ...]
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
    gates = ask_gates(snapshot, book)
    obeyed = obey(snapshot, book.policy)
    if obeyed.releases:
        snapshot = replace(snapshot, ledger=release_all(snapshot.ledger, obeyed.releases))
    halts = (*automatic_halts(snapshot, book), *obeyed.halts)
    drafts = Drafts(snapshot)
    managed = manage(snapshot, book, drafts, reachable=not _shut(gates, "broker_reachable"))
    halts = (*halts, *managed.halts)
    mode = _mode(snapshot, latched=bool(halts) or (bool(snapshot.ledger.halts) and not obeyed.resumes))
    benched = _benched(snapshot, obeyed)
    questions, skips = _questions(snapshot, book, _Shut(gates, mode), benched)
    cancels = (*_entries_to_cancel(snapshot, mode, benched), *_entries_too_old(snapshot, book))
    return Consideration(
        mode=mode,
        gates=gates,
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
        reachable=not _shut(considered.gates, "broker_reachable"),
    )
    admit(admission, ((question.view, snapshot.answers.get(question.bot)) for question in considered.questions))
    obeyed = considered.obeyed
    return Plan(
        cycle=snapshot.cycle,
        mode=considered.mode,
        answers=tuple([answer for answer in considered.gates if answer.verdict is not _PASS]),
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
    """Every gate's answer for every key of its scope. Whatever is not an answer is a refusal."""
    policy = book.policy
    return tuple([post.ask(snapshot, policy) for post in _posts(Same(book.gates), policy.symbols)])


@lru_cache(maxsize=8)
def _posts(gates: Same[tuple[Gate, ...]], symbols: tuple[str, ...]) -> tuple[_Post, ...]:
    return tuple(_Post(gate, key) for gate in gates.value for key in keys_of(gate.scope, symbols))


class _Post:
    """One gate for one key. What it made of the last reply is kept: the very same reply makes the very same answer."""

    __slots__ = ("_gate", "_key", "_last")

    def __init__(self, gate: Gate, key: str) -> None:
        self._gate = gate
        self._key = key
        self._last: tuple[Reply | None, GateAnswer | None] = (None, None)

    def ask(self, snapshot: Snapshot, policy: Policy) -> GateAnswer:
        """The gate's answer now."""
        gate = self._gate
        reply = ask_foreign(gate.name, gate.ask, snapshot, policy, self._key)
        last, answer = self._last  # read and written as one: threads that decide at once share it
        if answer is None or reply is not last:
            answer = _answer_of(gate, self._key, reply)
            self._last = (reply, answer) if type(reply) is Reply else (None, None)
        return answer


def _answer_of(gate: Gate, key: str, reply: object) -> GateAnswer:
    if type(reply) is Failure:
        reply = Reply(verdict=Verdict.REFUSE, reason=f"the gate failed: {reply.kind}: {reply.reason}")
    elif type(reply) is not Reply or type(reply.verdict) is not Verdict or type(reply.reason) is not str:
        reply = Reply(verdict=Verdict.REFUSE, reason=f"the gate answered with {shown(reply)}, not with a reply")
    return GateAnswer(gate=gate.name, scope=gate.scope, verdict=reply.verdict, reason=told(reply.reason), key=key)


def _shut(gates: tuple[GateAnswer, ...], name: str) -> bool:
    """True unless the named gate is there and open: a missing gate is shut."""
    verdicts = [answer.verdict for answer in gates if answer.gate == name]
    return not verdicts or verdicts.count(_PASS) < len(verdicts)


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


def _entries_to_cancel(snapshot: Snapshot, mode: Mode, benched: frozenset[str]) -> tuple[Cancel, ...]:
    if mode is Mode.ACTIVE and not benched:
        return ()
    return tuple(
        Cancel(
            client_id=order.client_id,
            venue_id=order.venue_id,
            reason=f"no entries for {order.bot}: flattened" if order.bot in benched else "no entries in a halt",
        )
        for order in snapshot.ledger.orders.values()
        if order.purpose is Purpose.ENTRY
        and not order.status.terminal
        and order.venue_id
        and (mode is not Mode.ACTIVE or order.bot in benched)
    )


def _entries_too_old(snapshot: Snapshot, book: RuleBook) -> tuple[Cancel, ...]:
    """Entries at a limit that have waited longer than their bot's ``entry.seconds``."""
    found: list[Cancel] = []
    for order in snapshot.ledger.orders.values():
        bot = book.bots.get(order.bot)
        if bot is None or order.purpose is not Purpose.ENTRY or order.order_type is not OrderType.LIMIT:
            continue
        if order.status.terminal or order.status is OrderStatus.PENDING_CANCEL or not order.venue_id:
            continue
        waited = 0.0 if order.sent_at is None else (snapshot.at - order.sent_at).total_seconds()
        if waited >= bot.entry.seconds:
            reason = f"unfilled for {waited:.0f} s, at most {bot.entry.seconds}"
            found.append(Cancel(client_id=order.client_id, venue_id=order.venue_id, reason=reason))
    return tuple(found)


def _each_once(cancels: tuple[Cancel, ...]) -> tuple[Cancel, ...]:
    return tuple({cancel.client_id: cancel for cancel in reversed(cancels)}.values())[::-1] if cancels else ()


def _questions(
    snapshot: Snapshot, book: RuleBook, shut: _Shut, benched: frozenset[str]
) -> tuple[tuple[Question, ...], tuple[Skip, ...]]:
    """What each bot is asked, in policy order, and why nothing may be entered where nothing may."""
    questions: list[Question] = []
    skips: list[Skip] = []
    mine = Belongings(snapshot)
    for bot in book.policy.enabled_bots:
        record = snapshot.ledger.bot(bot.id)
        if record.strikes >= book.policy.engine.bot_strikes:
            skips.append(Skip(subject=bot.id, code="quarantine", reason=f"{record.strikes} failed answers"))
            continue
        if bot.id in benched:
            reason = "an operator had it flattened; `hydra resume` lets it trade again"
            skips.append(Skip(subject=bot.id, code="flattened", reason=reason))
            continue
        window = _outside_window(snapshot, bot) or _outside_options(snapshot, bot)
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

    def __init__(self, gates: tuple[GateAnswer, ...], mode: Mode) -> None:
        self._system: tuple[str, str] | None = None
        self._by_key: dict[str, tuple[str, str]] = {}
        for answer in gates:
            if answer.verdict is _PASS:
                continue
            why = (answer.gate, answer.reason)
            if answer.scope is Scope.SYSTEM:
                self._system = self._system or why
            else:
                self._by_key.setdefault(answer.key, why)
        if mode is not Mode.ACTIVE and self._system is None:
            self._system = ("mode", f"a halt latches in this cycle: {mode}")

    @property
    def none(self) -> bool:
        """True when every gate is open."""
        return self._system is None and not self._by_key

    def why(self, symbol: str) -> tuple[str, str] | None:
        """(code, reason) of the widest shut gate that reaches the symbol; ``None`` when all are open."""
        return self._system or self._by_key.get(asset_class_of(symbol)) or self._by_key.get(symbol)


def _outside_window(snapshot: Snapshot, bot: BotPolicy) -> tuple[str, str] | None:
    sessions = snapshot.sight.sessions
    if sessions is None:
        return ("bot_window", "the exchange's time of day is unknown")
    if bot.session is None:
        return None
    if minute_of(bot.session.trade_start) <= sessions.minute < minute_of(bot.session.trade_end):
        return None
    return ("bot_window", f"{bot.id} enters from {bot.session.trade_start} to {bot.session.trade_end}")


def _outside_options(snapshot: Snapshot, bot: BotPolicy) -> tuple[str, str] | None:
    """Contracts have a session of their own, beside that of what they are on."""
    if bot.option is None:
        return None
    sessions = snapshot.sight.sessions
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

    def __init__(self, snapshot: Snapshot) -> None:
        self.holdings: dict[str, dict[str, Holding]] = {}
        for held in snapshot.ledger.holdings.values():
            self.holdings.setdefault(held.bot, {})[held.symbol] = held
        self.ordered: dict[str, tuple[str, ...]] = {}
        for order in snapshot.ledger.orders.values():
            if order.purpose is Purpose.ENTRY and not order.status.terminal:
                self.ordered[order.bot] = (*self.ordered.get(order.bot, ()), order.symbol)
        sight = snapshot.sight
        self.chains: dict[str, tuple[OptionQuote, ...]] = {
            underlying: _by_symbol(Same(chain))
            for underlying, chain in sight.chains.items()
            if CHAIN + underlying not in sight.missing
        }


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
    view = View(
        bot=bot.id,
        at=snapshot.at,
        minute=sight.sessions.minute,
        day=sight.sessions.day,
        symbols=bot.symbols,
        bars={s: sight.bars[s] for s in bot.symbols if s in sight.bars},
        quotes={s: sight.quotes[s] for s in bot.symbols if s in sight.quotes},
        holdings=holdings,
        ordered=mine.ordered.get(bot.id, ()),
        chains={s: mine.chains[s] for s in bot.symbols if s in mine.chains} if bot.option is not None else {},
        may_enter=may_enter,
        equity=ledger.equity,
    )
    return Question(bot=bot.id, view=view, memory=ledger.bot(bot.id).memory)
