"""From wishes to orders: what each bot answered is sized, judged, reserved and drafted, one intent after the other.

A wish that cannot be judged (a closed gate, another bot's symbol, no price) is skipped with its reason; one that can is
capped by the rule book. What is admitted counts at once against whatever is judged next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.engine.manage import cannot_act, exit_order
from hydra.guard import attempt
from hydra.model.market import AssetClass, Instrument, Quote, asset_class_of
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
from hydra.policy import BotPolicy
from hydra.risk.judge import judge
from hydra.risk.plugs import Case, Reserved, RuleBook

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
        self.reserved = Reserved(notional_by_symbol={}, risk_by_bot={}, entries_by_bot={})

    def drop_stop(self, holding: Holding) -> None:
        """Leave out a stop that was to protect a holding which goes now: it would only stand in the exit's way."""
        mine = [s for s in self.managed if (s.order.bot, s.order.symbol) == (holding.bot, holding.symbol)]
        for send in mine:
            self.drafts.give_back(send.order.symbol, send.order.quantity)
        self.managed = tuple(send for send in self.managed if send not in mine)

    def skip(self, subject: str, code: str, reason: str) -> None:
        """Note what was not done, and why."""
        self.skips.append(Skip(subject=subject, code=code, reason=reason))


def admit(admission: Admission, view: View, answer: Answer | None) -> None:
    """Judge one bot's answer. No answer, or a failed one, is an abstention."""
    bot = admission.book.bots[view.bot]
    if answer is None or answer.failure is not None:
        failure = answer.failure if answer is not None else None
        why = f"{failure.kind}: {failure.reason}" if failure is not None else "gave no answer"
        admission.skip(bot.id, "abstained", why)
        return
    if len(answer.intents) > _INTENTS_MAX:
        admission.skip(bot.id, "flood", f"{len(answer.intents)} intents in one answer, at most {_INTENTS_MAX}")
        return
    for intent in sorted(answer.intents, key=lambda one: one.purpose is Purpose.ENTRY):
        why_not = _not_its_own(intent, bot)
        if why_not is not None:
            admission.skip(f"{bot.id}|{intent.symbol}", "not_its_own", why_not)
        elif intent.purpose is Purpose.EXIT:
            _admit_exit(admission, intent, view)
        else:
            _admit_entry(admission, intent, view, bot)
    wished = {intent.symbol for intent in answer.intents}
    for symbol in view.symbols:
        if symbol not in wished and view.may_enter[symbol]:
            code = "holds" if symbol in view.holdings else "no_signal"
            admission.skip(f"{bot.id}|{symbol}", code, "the bot wishes nothing")


def _not_its_own(intent: Intent, bot: BotPolicy) -> str | None:
    if intent.bot != bot.id:
        return f"{bot.id} spoke for {intent.bot}"
    return None if intent.symbol in bot.symbols else f"{bot.id} does not trade {intent.symbol}"


def _admit_exit(admission: Admission, intent: Intent, view: View) -> None:
    holding = view.holdings.get(intent.symbol)
    subject = f"{view.bot}|{intent.symbol}"
    if holding is None:
        admission.skip(subject, "nothing_to_exit", "the bot holds none of it")
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
        admission.exits += exit_order(holding, admission.snapshot, admission.drafts, f"{view.bot}: {intent.thesis}")


def _planned(sends: Iterable[Send], of: Holding | BotPolicy, purpose: Purpose, symbol: str = "") -> bool:
    bot, symbol = (of.bot, of.symbol) if isinstance(of, Holding) else (of.id, symbol)
    return any((send.order.bot, send.order.symbol, send.order.purpose) == (bot, symbol, purpose) for send in sends)


def _admit_entry(admission: Admission, intent: Intent, view: View, bot: BotPolicy) -> None:
    subject = f"{bot.id}|{intent.symbol}"
    if not view.may_enter[intent.symbol]:
        admission.skip(subject, "barred", "entries are barred for this symbol now")
        return
    if intent.side is not Side.BUY:
        admission.skip(subject, "short", "short entries are not admitted")
        return
    if _planned(admission.entries, bot, Purpose.ENTRY, intent.symbol):
        admission.skip(subject, "entry_under_way", "an entry is planned in this cycle already")
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
    verdict = judge(case, admission.book.rules)
    if verdict.admitted == 0:
        admission.judgements.append(verdict)
        admission.skip(subject, "capped", verdict.reason)
        return
    send = Send(order=_entry(admission, case, verdict.admitted))
    reserved = _reserve(admission.reserved, case, verdict.admitted)
    admission.judgements.append(verdict)
    admission.entries.append(send)
    admission.reserved = reserved


def _case(admission: Admission, intent: Intent, bot: BotPolicy) -> Case | str:
    """The intent with everything the rules need, or why there is none."""
    snapshot = admission.snapshot
    instrument, quote = snapshot.sight.instruments.get(intent.symbol), snapshot.sight.quotes.get(intent.symbol)
    equity = snapshot.ledger.equity
    if instrument is None or quote is None or equity is None or intent.protection is None:
        return "instrument, quote, equity or protection is unknown"
    price = quote.ask if intent.limit is None else intent.limit
    risk_per_unit = (price - intent.protection.stop) * instrument.multiplier
    if risk_per_unit <= 0:
        return f"the stop {plain(intent.protection.stop)} is not below the price {plain(price)}"
    unit_cost = price * instrument.multiplier
    return Case(
        snapshot=snapshot,
        policy=admission.book.policy,
        bot=bot,
        intent=intent,
        instrument=instrument,
        quote=quote,
        price=price,
        unit_cost=unit_cost,
        risk_per_unit=risk_per_unit,
        asked=asked_quantity(intent.size, equity, unit_cost, risk_per_unit),
        equity=equity,
        reserved=admission.reserved,
    )


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
        limit=None if intent.limit is None else to_increment(intent.limit, case.instrument.price_increment, "down"),
        time_in_force=TimeInForce.GTC if crypto else TimeInForce.DAY,
        protection=_as_the_venue_quotes(intent, case.instrument),
        reference=_reference(intent, case.quote),
        thesis=intent.thesis,
    )


def _as_the_venue_quotes(intent: Intent, instrument: Instrument) -> Protection | None:
    """The protection in the venue's increments; the stop is rounded towards the entry, so that risk only shrinks."""
    wished = intent.protection
    if wished is None:
        return None
    tick = instrument.price_increment
    target = None if wished.target is None else to_increment(wished.target, tick)
    return Protection(stop=to_increment(wished.stop, tick, "up"), target=target)


def _reference(intent: Intent, quote: Quote) -> Decimal:
    return quote.ask if intent.order_type is OrderType.MARKET else intent.entry


def _reserve(reserved: Reserved, case: Case, quantity: Decimal) -> Reserved:
    cost, risk = quantity * case.unit_cost, quantity * case.risk_per_unit
    return Reserved(
        orders=reserved.orders + 1,
        cash=reserved.cash + cost,
        notional=reserved.notional + cost,
        notional_by_symbol=_add(reserved.notional_by_symbol, case.intent.symbol, cost),
        risk=reserved.risk + risk,
        risk_by_bot=_add(reserved.risk_by_bot, case.bot.id, risk),
        entries_by_bot={**reserved.entries_by_bot, case.bot.id: reserved.entries_by_bot.get(case.bot.id, 0) + 1},
    )


def _add(sums: Mapping[str, Decimal], key: str, amount: Decimal) -> dict[str, Decimal]:
    return {**sums, key: sums.get(key, ZERO) + amount}
