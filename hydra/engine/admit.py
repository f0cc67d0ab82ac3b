"""From wishes to orders: what each bot answered is sized, judged, reserved and drafted, one intent after the other.

A wish that cannot be judged (a closed gate, another bot's symbol, no price) is skipped with its reason; one that can is
capped by the rule book. What is admitted counts at once against whatever is judged next.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from hydra.engine.drafts import Drafts
from hydra.engine.manage import cannot_act, exit_order
from hydra.engine.unwind import close
from hydra.guard import attempt
from hydra.model.market import (
    AssetClass,
    Instrument,
    OptionContract,
    OptionQuote,
    Quote,
    asset_class_of,
    multiplier_of,
    usual_instrument,
)
from hydra.model.money import ZERO, plain, to_increment
from hydra.model.orders import (
    Intent,
    Judgement,
    Order,
    OrderType,
    Protection,
    Purpose,
    Send,
    Side,
    Size,
    SizeKind,
    Skip,
    TimeInForce,
)
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Answer, Snapshot, View
from hydra.model.structures import most_lost_of, structures_of
from hydra.model.values import replace
from hydra.policy import BotPolicy
from hydra.risk.judge import judge
from hydra.risk.plugs import Case, RuleBook
from hydra.risk.standing import Open, Standing, standing_of

_INTENTS_MAX = 50
"""More wishes than this in one answer are noise, not strategy."""


class Admission:
    """The provisional book of one cycle."""

    def __init__(
        self, snapshot: Snapshot, book: RuleBook, drafts: Drafts, *, managed: tuple[Send, ...], reachable: bool
    ) -> None:
        self.snapshot = snapshot
        self.book = book
        self.drafts = drafts
        self.managed = managed
        self.reachable = reachable
        self.skips: list[Skip] = []
        self.judgements: list[Judgement] = []
        self.exits: list[Send] = []
        self.entries: list[Send] = []
        self._standing: Standing | None = None

    @property
    def standing(self) -> Standing:
        """Where everything stands, what leaves in this cycle included. Summed up when the first entry is judged."""
        if self._standing is None:
            self._standing = standing_of(self.snapshot.ledger)
            for send in (*self.managed, *self.exits):
                self._standing.plan(send.order)
        return self._standing

    def leave(self, *sends: Send) -> None:
        """Take in exits that a bot wishes."""
        self.exits += sends
        if self._standing is not None:
            for send in sends:
                self._standing.plan(send.order)

    def drop_stop(self, holding: Holding) -> None:
        """Leave out a stop that was to protect a holding which goes now: it would only stand in the exit's way."""
        mine = [s for s in self.managed if (s.order.bot, s.order.symbol) == (holding.bot, holding.symbol)]
        for send in mine:
            self.drafts.give_back(send.order.symbol, send.order.quantity)
        self.managed = tuple(send for send in self.managed if send not in mine)

    def skip(self, subject: str, code: str, reason: str) -> None:
        """Note what was not done, and why."""
        self.skips.append(Skip(subject=subject, code=code, reason=reason))


def admit(admission: Admission, asked: Iterable[tuple[View, Answer | None]]) -> None:
    """Judge the bots' answers in the policy's order: every bot's exits first, as they are sent first, then the entries."""
    heard: list[tuple[View, tuple[Intent, ...]]] = []
    wished = False
    for view, answer in asked:
        if answer is None or answer.failure is not None or answer.intents:
            intents = _wishes(admission, view, answer)
            if intents is not None:
                heard.append((view, intents))
                wished = True
        else:
            heard.append((view, ()))  # as nearly all of them
    for view, intents in heard if wished else ():
        for intent in intents:
            if intent.purpose is Purpose.EXIT:
                _admit_exit(admission, intent, view)
    skips = admission.skips
    for view, intents in heard:
        if intents or view.holdings or False in view.may_enter.values():
            for intent in intents:
                if intent.purpose is Purpose.ENTRY:
                    _admit_entry(admission, intent, view, admission.book.bots[view.bot])
            _note_silence(skips, view, intents)
        else:
            skips += _silent_in_all(view.bot, view.symbols)  # nothing is held, and nothing is wished


def _wishes(admission: Admission, view: View, answer: Answer | None) -> tuple[Intent, ...] | None:
    """What a bot wishes for itself; ``None`` for no answer, a failed one or a flood: it abstains."""
    bot = admission.book.bots[view.bot]
    if answer is None or answer.failure is not None:
        failure = answer.failure if answer is not None else None
        why = f"{failure.kind}: {failure.reason}" if failure is not None else "gave no answer"
        admission.skip(bot.id, "abstained", why)
        return None
    if len(answer.intents) > _INTENTS_MAX:
        admission.skip(bot.id, "flood", f"{len(answer.intents)} intents in one answer, at most {_INTENTS_MAX}")
        return None
    kept: list[Intent] = []
    for intent in answer.intents:
        why_not = _not_its_own(intent, bot)
        if why_not is None:
            kept.append(intent)
        else:
            admission.skip(f"{bot.id}|{intent.symbol}", "not_its_own", why_not)
    return tuple(kept)


def _note_silence(skips: list[Skip], view: View, intents: tuple[Intent, ...]) -> None:
    """Why nothing is entered where something could be: the bot has it, or wishes nothing."""
    may_enter, holdings = view.may_enter, view.holdings
    wished = [intent.symbol for intent in intents] if intents else ()
    structures: list[str] | None = None
    for symbol in view.symbols:
        if symbol in wished or not may_enter[symbol]:
            continue
        held = symbol in holdings
        if holdings and not held:
            structures = _structures(view) if structures is None else structures
            held = symbol in structures
        skips.append(_silent(view.bot, symbol, "holds" if held else "no_signal"))


@lru_cache(maxsize=1024)
def _silent(bot: str, symbol: str, code: str) -> Skip:
    """The same word in nearly every cycle."""
    return Skip(subject=f"{bot}|{symbol}", code=code, reason="the bot wishes nothing")


@lru_cache(maxsize=256)
def _silent_in_all(bot: str, symbols: tuple[str, ...]) -> tuple[Skip, ...]:
    """The words for a bot that holds nothing, may enter everything, and wishes nothing."""
    return tuple(_silent(bot, symbol, "no_signal") for symbol in symbols)


def _not_its_own(intent: Intent, bot: BotPolicy) -> str | None:
    if intent.bot != bot.id:
        return f"{bot.id} spoke for {intent.bot}"
    return None if intent.symbol in bot.symbols else f"{bot.id} does not trade {intent.symbol}"


def _admit_exit(admission: Admission, intent: Intent, view: View) -> None:
    holding = view.holdings.get(intent.symbol)
    subject = f"{view.bot}|{intent.symbol}"
    if holding is None:
        _unwind(admission, intent, view)
    elif (intent.side is Side.SELL) is not (holding.quantity > 0):
        admission.skip(subject, "wrong_side", f"a {intent.side} would add to {plain(holding.quantity)}")
    elif 0 < holding.exit_refused == admission.snapshot.cycle - 1:
        admission.skip(subject, "exit_waits", "the venue refused its exit in the last cycle; its stop goes first")
    elif _planned((*admission.managed, *admission.exits), holding, Purpose.EXIT):
        admission.skip(subject, "exit_under_way", "an order for this holding is planned in this cycle already")
    elif why_not := cannot_act(holding, admission.snapshot, reachable=admission.reachable):
        admission.skip(subject, "exit_waits", why_not)
    else:
        admission.drop_stop(holding)
        sends = exit_order(holding, admission.snapshot, admission.drafts, f"{view.bot}: {intent.thesis}")
        admission.leave(*sends)


def _structures(view: View) -> list[str]:
    """What the bot holds structures on, once for each of their legs."""
    return [OptionContract.parse(held.symbol).root for held in view.holdings.values() if held.structure]


def _unwind(admission: Admission, intent: Intent, view: View) -> None:
    """An exit from what is held on an underlying: its structures, whole."""
    subject = f"{view.bot}|{intent.symbol}"
    mine = [
        one
        for one in structures_of(admission.snapshot.ledger)
        if (one.bot, one.underlying) == (view.bot, intent.symbol)
    ]
    if not mine:
        admission.skip(subject, "nothing_to_exit", "the bot holds none of it")
    for structure in mine:
        if any(s.order.bot == view.bot and s.order.symbol == intent.symbol for s in admission.managed):
            admission.skip(subject, "exit_under_way", "an order for this holding is planned in this cycle already")
            continue
        closing = close(structure, admission.snapshot, admission.drafts, reachable=admission.reachable)
        if isinstance(closing, str):
            admission.skip(subject, "exit_waits", closing)
        else:
            admission.leave(closing.send(admission.drafts, "", f"{view.bot}: {intent.thesis}"))


def _planned(sends: Iterable[Send], of: Holding | BotPolicy, purpose: Purpose, symbol: str = "") -> bool:
    bot, symbol = (of.bot, of.symbol) if isinstance(of, Holding) else (of.id, symbol)
    for send in sends:
        order = send.order
        if order.purpose is purpose and order.symbol == symbol and order.bot == bot:
            return True
    return False


def _admit_entry(admission: Admission, intent: Intent, view: View, bot: BotPolicy) -> None:
    subject = f"{bot.id}|{intent.symbol}"
    if not view.may_enter[intent.symbol]:
        admission.skip(subject, "barred", "entries are barred for this symbol now")
        return
    if intent.side is not Side.BUY and not intent.legs and not bot.shorts:
        admission.skip(subject, "short", f"{bot.id} does not sell short")
        return
    if _planned(admission.entries, bot, Purpose.ENTRY, intent.symbol):
        admission.skip(subject, "entry_under_way", "an entry is planned in this cycle already")
        return
    if intent.symbol in view.ordered:
        admission.skip(subject, "entry_under_way", "an entry works at the venue already")
        return
    if intent.symbol in view.holdings or intent.symbol in _structures(view):
        # A holding has one entry, one stop and one target: what is added to it would have others.
        admission.skip(subject, "holds", "the bot has it already, and each once")
        return
    outcome = attempt(subject, lambda: _judge_entry(admission, intent, bot))
    if outcome.failure is not None:
        why = f"{outcome.failure.kind}: {outcome.failure.reason}"
        admission.skip(subject, "cannot_size", f"no order can be made of this wish: {why}")


def _judge_entry(admission: Admission, intent: Intent, bot: BotPolicy) -> None:
    """Size, cap, draft and reserve; whatever the wish's numbers break (an overflow, a price of 0) breaks nothing else."""
    subject = f"{bot.id}|{intent.symbol}"
    case = _case(admission, intent, bot)
    if isinstance(case, str):
        admission.skip(subject, "cannot_size", case)
        return
    verdict = judge(case, admission.book.rules, intent)
    if verdict.admitted == 0:
        admission.judgements.append(verdict)
        admission.skip(subject, "capped", verdict.reason)
        return
    order = _structure(admission, case, verdict.admitted) if intent.legs else _entry(admission, case, verdict.admitted)
    admission.judgements.append(verdict)
    admission.entries.append(Send(order=order))
    admission.standing.admit(_reserved(case, verdict.admitted))


def _case(admission: Admission, intent: Intent, bot: BotPolicy) -> Case | str:
    """The intent with everything the rules need, or why there is none."""
    snapshot = admission.snapshot
    quote, equity = snapshot.sight.quotes.get(intent.symbol), snapshot.ledger.equity
    if quote is None or equity is None:
        return "quote or equity is unknown"
    instrument = (
        usual_instrument(intent.legs[0].symbol) if intent.legs else snapshot.sight.instruments.get(intent.symbol)
    )
    if instrument is None:
        return "the instrument is unknown"
    intent = _as_the_venue_quotes(intent, instrument)
    terms = _terms_of_legs(intent, snapshot) if intent.legs else _terms(intent, quote, instrument)
    if isinstance(terms, str):
        return terms
    return Case(
        snapshot=snapshot,
        policy=admission.book.policy,
        bot=bot,
        intent=intent,
        instrument=instrument,
        quote=quote,
        price=terms.price,
        unit_cost=terms.unit_cost,
        risk_per_unit=terms.risk_per_unit,
        asked=asked_quantity(intent.size, equity, terms.unit_cost, terms.risk_per_unit),
        equity=equity,
        standing=admission.standing,
        leg_quotes=terms.leg_quotes,
    )


class _Terms(NamedTuple):
    price: Decimal
    unit_cost: Decimal
    risk_per_unit: Decimal
    leg_quotes: tuple[OptionQuote, ...] = ()


def _terms(intent: Intent, quote: Quote, instrument: Instrument) -> _Terms | str:
    if intent.protection is None:
        return "the protection is unknown"
    price = intent.limit
    if price is None:
        price = quote.ask if intent.side is Side.BUY else quote.bid
    risk_per_unit = (price - intent.protection.stop) * intent.side.sign * instrument.multiplier
    if risk_per_unit <= 0:
        side = "below" if intent.side is Side.BUY else "above"
        return f"the stop {plain(intent.protection.stop)} is not {side} the price {plain(price)}"
    return _Terms(price, price * instrument.multiplier, risk_per_unit)


def _terms_of_legs(intent: Intent, snapshot: Snapshot) -> _Terms | str:
    """What one unit of a structure binds and may lose, from its legs and its limit alone."""
    assert intent.limit is not None, "an intent with legs has a limit"
    chain = snapshot.sight.chains.get(intent.symbol, {})
    strange = [leg.symbol for leg in intent.legs if _root(leg.symbol) != intent.symbol]
    if strange:
        return f"{', '.join(strange)}: no contract on {intent.symbol}"
    unquoted = [leg.symbol for leg in intent.legs if leg.symbol not in chain]
    if unquoted:
        return f"{', '.join(unquoted)}: not quoted"
    lost = most_lost_of(intent.legs, intent.limit * intent.side.sign)
    if lost is None:
        return "nothing bounds what these legs can lose"
    if lost == 0:
        return f"a net price of {plain(intent.limit)} could lose nothing: these quotes cannot be true"
    received = intent.limit * multiplier_of(intent.legs[0].symbol) if intent.side is Side.SELL else ZERO
    return _Terms(intent.limit, lost + received, lost, tuple(chain[leg.symbol] for leg in intent.legs))


def _root(symbol: str) -> str:
    return OptionContract.parse(symbol).root if asset_class_of(symbol) is AssetClass.OPTION else ""


def asked_quantity(size: Size, equity: Decimal, unit_cost: Decimal, risk_per_unit: Decimal) -> Decimal:
    """A size wish in units of the symbol; ``equity``, ``unit_cost`` and ``risk_per_unit`` in dollars."""
    if size.kind is SizeKind.QUANTITY:
        return size.amount
    if size.kind is SizeKind.NOTIONAL:
        return size.amount / unit_cost
    return max(ZERO, equity) * size.amount / risk_per_unit


def _entry(admission: Admission, case: Case, quantity: Decimal) -> Order:
    intent = case.intent
    crypto = asset_class_of(intent.symbol) is AssetClass.CRYPTO
    return admission.drafts.order(
        bot=case.bot.id,
        symbol=intent.symbol,
        purpose=Purpose.ENTRY,
        side=intent.side,
        quantity=quantity,
        order_type=intent.order_type,
        limit=intent.limit,
        time_in_force=TimeInForce.GTC if crypto else TimeInForce.DAY,
        protection=intent.protection,
        reference=_reference(intent, case.quote),
        thesis=intent.thesis,
    )


def _structure(admission: Admission, case: Case, quantity: Decimal) -> Order:
    intent = case.intent
    return admission.drafts.order(
        bot=case.bot.id,
        symbol=intent.symbol,
        purpose=Purpose.ENTRY,
        side=intent.side,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        limit=intent.limit,
        time_in_force=TimeInForce.DAY,
        legs=tuple(replace(leg, filled=ZERO) for leg in intent.legs),
        reference=intent.reference,
        thesis=intent.thesis,
    )


def _as_the_venue_quotes(intent: Intent, instrument: Instrument) -> Intent:
    """The wish in the venue's price increments: what is judged is what will be sent. Raises ``Invalid`` where they contradict.

    A limit is rounded away from what it trades against, a stop towards the entry: neither risks more than was wished.
    """
    tick, buys = instrument.price_increment, intent.side is Side.BUY
    changes: dict[str, Any] = {}
    if intent.limit is not None:
        changes["limit"] = to_increment(intent.limit, tick, "down" if buys else "up")
    wished = intent.protection
    if wished is not None:
        target = None if wished.target is None else to_increment(wished.target, tick)
        changes["protection"] = Protection(
            stop=to_increment(wished.stop, tick, "up" if buys else "down"), target=target
        )
    return replace(intent, **changes) if changes else intent


def _reference(intent: Intent, quote: Quote) -> Decimal:
    if intent.order_type is not OrderType.MARKET:
        return intent.entry
    return quote.ask if intent.side is Side.BUY else quote.bid


def _reserved(case: Case, quantity: Decimal) -> Open:
    intent, cost, risk = case.intent, quantity * case.unit_cost, quantity * case.risk_per_unit
    return Open(
        bot=case.bot.id,
        symbol=intent.symbol,
        notional=risk if intent.legs else cost,
        risk=risk,
        sign=0 if intent.legs else intent.side.sign,
        cash=cost,
        entering=True,
        side=intent.side,
        price=case.price,
        legs=intent.legs,
    )
