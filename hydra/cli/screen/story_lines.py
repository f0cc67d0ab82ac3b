"""The parts of a told cycle, each as lines: what was seen, what was managed, who was asked, what left and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import structures, styles, words
from hydra.engine.story import Story
from hydra.model.events import (
    CancelHeard,
    CancelSent,
    OrderAccepted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    OrderWithheld,
)
from hydra.model.orders import Intent, Order, Purpose, SizeKind
from hydra.model.snapshot import Answer, Session
from hydra.model.values import Value

_SYMBOLS_MOST = 40
_SIZES = {SizeKind.NOTIONAL: "${} worth", SizeKind.RISK: "{} of equity at risk", SizeKind.QUANTITY: "{}"}

Lines = list[RenderableType]


def seen_of(story: Story) -> Lines:
    """Time and sessions, the account, prices, news, and what was missing."""
    seen, sight, ledger = story.seen, story.sight, story.after
    lines: Lines = []
    if sight.sessions is not None:
        sessions = sight.sessions.by_class.items()
        lines.append(Text("; ".join(f"{kind.value} {_session(session)}" for kind, session in sessions)))
    if ledger.equity is None or ledger.day is None:
        lines.append(Text(f"equity {words.dollars(ledger.equity)}"))
    else:
        day = ledger.equity - ledger.day.start_equity
        lines.append(
            Text.assemble(
                f"equity {words.dollars(ledger.equity)}, day ",
                (words.change(day), styles.gain(day)),
                f", cash by the ledger {words.dollars(ledger.cash)}",
            )
        )
    lines += [Text(f"holds {_held(story)}"), *_prices(story)]
    lines += [Text(f"keyframe: {words.some(len(seen.bars), 'bar')} of history", "dim")] if seen.keyframe else []
    for fill in seen.fills:
        what = f"{fill.side} {words.quantity(fill.quantity)} {fill.symbol} at {words.price(fill.price)}"
        lines.append(Text(f"filled: {what} ({fill.client_id})", "cyan"))
    lines += [Text(f"{one.kind.value}: {one.symbol} {one.activity_id}".strip(), "cyan") for one in seen.activities]
    for command in seen.commands:
        lines.append(
            Text(f"the operator {command.by} says: {command.action} {command.bot}: {command.reason}", "magenta")
        )
    for failure in seen.missing:
        told = f"missing: {failure.what}: {failure.kind}: {words.one_line(failure.reason)}"
        lines.append(Text(told, "bold red"))
    for name, probe in sight.probes.items():
        if not probe.ok:
            lines.append(Text(f"unwell: {name}: {words.one_line(probe.reason)}", "bold red"))
    return lines


def _session(session: Session) -> str:
    ends = f" until {session.closes_at:%H:%M}Z" if session.open and session.closes_at is not None else ""
    opens = f", opens {session.opens_at:%m-%d %H:%M}Z" if not session.open and session.opens_at is not None else ""
    return f"{session.phase}{ends}{opens}"


def _held(story: Story) -> str:
    held = [f"{one.bot} {words.quantity(one.quantity)} {one.symbol}" for one in story.after.holdings.values()]
    working = [order for order in story.before.orders.values() if not order.status.terminal]
    return f"{', '.join(held) or 'nothing'}; {words.some(len(working), 'order')} working"


def _prices(story: Story) -> Iterator[RenderableType]:
    """A row a symbol: bid and ask with their age, the last closed bar."""
    sight, at = story.sight, story.seen.at
    symbols = story.policy.symbols
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("symbol", no_wrap=True)
    for title in ("bid", "ask", "age s", "last close"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("bar of", no_wrap=True)
    news = {quote.symbol for quote in story.seen.quotes} | {bar.symbol for bar in story.seen.bars}
    for symbol in symbols[:_SYMBOLS_MOST]:
        quote, bars = sight.quotes.get(symbol), sight.bars.get(symbol, ())
        style = "" if symbol in news else "dim"
        table.add_row(
            Text(symbol, style or "bold"),
            Text("none" if quote is None else words.price(quote.bid), style),
            Text("" if quote is None else words.price(quote.ask), style),
            Text("" if quote is None else f"{(at - quote.at).total_seconds():,.0f}", style),
            Text("none" if not bars else words.price(bars[-1].close), style),
            Text("" if not bars else f"{bars[-1].at:%H:%M:%S}Z", style),
        )
    yield table
    if len(symbols) > _SYMBOLS_MOST:
        yield Text(f"+{len(symbols) - _SYMBOLS_MOST} more symbols", "dim")
    for underlying, chain in ((name, chain) for name, chain in sight.chains.items() if chain):
        yield Text(f"chain of {underlying}: {words.some(len(chain), 'contract')}", "dim")


def managed_of(story: Story, bot: str | None) -> Lines:
    """What was closed, protected anew, taken back, latched or lifted before anybody was asked."""
    considered = story.considered
    lines: Lines = []
    lines += [Text(f"halt {halt.kind}: {halt.reason} (by {halt.by})", "bold red") for halt in considered.halts]
    obeyed = considered.obeyed
    for word, commands in (("resumed", obeyed.resumes), ("flatten", obeyed.flattens), ("released", obeyed.releases)):
        lines += [Text(f"{word} {each.bot}: {each.reason} (by {each.by})", "magenta") for each in commands]
    lines += [
        Text(f"{moved.bot} {moved.symbol}: stop to {words.price(moved.stop)}: {moved.reason}")
        for moved in considered.stops
        if bot in (None, moved.bot)
    ]
    for send in considered.exits:
        if bot in (None, send.order.bot):
            lines.append(Text(order_text(send.order), "magenta"))
    orders = story.before.orders
    for cancel in considered.cancels:
        order = orders.get(cancel.client_id)
        if order is None or bot in (None, order.bot):
            lines.append(Text(f"takes back {cancel.client_id}: {cancel.reason}"))
    return lines


def answers_of(story: Story, bot: str | None) -> Lines:
    """Each bot of the policy: what it wished, how it failed, that it wished nothing, or why it was not asked."""
    asked = {question.bot for question in story.considered.questions}
    told = {} if story.answered is None else {answer.bot: answer for answer in story.answered.answers}
    skips: dict[str, list[str]] = {}
    for skip in story.considered.skips:
        skips.setdefault(skip.subject.partition("|")[0], []).append(words.in_words(skip.code))
    lines: Lines = []
    for each in story.policy.bots:
        if bot is not None and each.id != bot:
            continue
        if not each.enabled:
            lines.append(Text(f"{each.id}: not enabled", "dim"))
        elif each.id not in asked:
            why = "; ".join(dict.fromkeys(skips.get(each.id, ["it could enter nothing and held nothing"])))
            lines.append(Text(f"{each.id}: not asked: {why}", "dim"))
        elif story.answered is None:
            lines.append(Text(f"{each.id}: asked, and no answer was written any more", "yellow"))
        else:
            lines += _said(each.id, told.get(each.id))
    return lines


def _said(bot: str, answer: Answer | None) -> Lines:
    if answer is not None and answer.failure is not None:
        failure = answer.failure
        return [Text(f"{bot}: failed: {failure.kind}: {words.one_line(failure.reason)}", "bold red")]
    if answer is None or not answer.intents:
        remembers = "" if answer is None or answer.memory is None else ", and remembers something new"
        return [Text(f"{bot}: wishes nothing{remembers}")]
    lines: Lines = []
    for intent in answer.intents:
        lines.append(Text.assemble((f"{bot}: ", "bold"), (_wish(intent), "cyan")))
        lines.append(Text(f"  because: {words.one_line(intent.thesis)}"))
    return lines


def _wish(intent: Intent) -> str:
    size = _SIZES[intent.size.kind].format(words.quantity(intent.size.amount))
    if intent.size.kind is SizeKind.RISK:
        size = f"{intent.size.amount * 100:.2f}% of equity at risk"
    what = f"{intent.symbol} {structures.label_of(_legs(intent))}" if intent.legs else intent.symbol
    at = f"limit {words.price(intent.limit)}" if intent.limit is not None else f"at {words.price(intent.reference)}"
    guard = ""
    if intent.protection is not None:
        target = intent.protection.target
        guard = f", stop {words.price(intent.protection.stop)}"
        guard += "" if target is None else f", target {words.price(target)}"
    return f"{intent.purpose} {intent.side} {what}, {size}, {at}{guard}"


def what_of(intent: Intent) -> str:
    """``SPY``, or a structure with its strikes."""
    return f"{intent.symbol} {structures.label_of(_legs(intent))}" if intent.legs else intent.symbol


def _legs(intent: Intent) -> tuple[tuple[str, Decimal], ...]:
    return tuple((leg.symbol, Decimal(leg.side.sign * leg.ratio)) for leg in intent.legs)


def order_text(order: Order) -> str:
    """One order: whose, what for, side, size, symbol, prices, and why."""
    what = f"{order.symbol} {structures.ordered(order)}" if order.legs else order.symbol
    prices = [f"limit {words.price(order.limit)}"] if order.limit is not None else []
    prices += [f"stop {words.price(order.stop)}"] if order.stop is not None else []
    if order.protection is not None:
        prices.append(f"protected at {words.price(order.protection.stop)}")
        prices += [f"target {words.price(order.protection.target)}"] if order.protection.target is not None else []
    why = words.one_line(order.cause or (order.thesis if order.purpose is not Purpose.STOP else ""))
    told = f"{order.bot}: {order.purpose} {order.side} {words.quantity(order.quantity)} {what} {order.order_type}"
    return f"{told}{', ' if prices else ''}{', '.join(prices)}{f': {why}' if why else ''}"


def sent_of(story: Story, bot: str | None) -> Lines:
    """What left, and what the venue said; or why it did not leave."""
    orders = {send.order.client_id: send.order for send in (story.plan.sends if story.plan is not None else ())}
    whose = {cid: order.bot for cid, order in {**story.before.orders, **orders}.items()}
    lines: Lines = []
    for event in story.events:
        client_id = getattr(event.data, "client_id", "")
        if not client_id or bot in (None, whose.get(client_id)):
            lines += _left(event.data, orders, bot)
    return [*lines, *_never_heard(story, bot)]


def _left(data: Value, orders: Mapping[str, Order], bot: str | None) -> Lines:
    """One thing that was done, or was said to it."""
    if isinstance(data, OrderSent):
        if bot not in (None, data.order.bot):
            return []
        return [Text(order_text(data.order), "bold"), Text(f"  {data.order.client_id}", "dim")]
    if isinstance(data, OrderWithheld):
        why = Text(f"  NOT SENT: {words.one_line(data.reason)}", "bold yellow")
        return [Text(_named(orders.get(data.client_id), data.client_id)), why]
    if isinstance(data, CancelSent):
        return [Text(f"takes back {data.client_id}: {words.one_line(data.reason)}")]
    if isinstance(data, CancelHeard):
        status = "no intelligible answer" if data.order is None else data.order.status.value
        return [Text(f"  {status}{f': {words.one_line(data.reason)}' if data.reason else ''}")]
    return _heard(data)


def _heard(data: Value) -> Lines:
    """The venue's answer to an order."""
    if isinstance(data, OrderAccepted):
        return [Text(f"  accepted as {data.order.venue_id}, {data.order.status}", "green")]
    if isinstance(data, OrderRejected):
        return [Text(f"  REJECTED: {words.one_line(data.reason)}", "bold red")]
    if isinstance(data, OrderUnknown):
        return [Text(f"  OUTCOME UNKNOWN: {words.one_line(data.reason)}", "bold red")]
    return []


def _never_heard(story: Story, bot: str | None) -> Lines:
    """Planned orders of which the cycle's journal does not say what became."""
    heard, sent = set(), set()
    for event in story.events:
        if isinstance(event.data, OrderAccepted | OrderRejected | OrderUnknown | OrderWithheld):
            heard.add(event.data.client_id)
        elif isinstance(event.data, OrderSent):
            sent.add(event.data.order.client_id)
    lines: Lines = []
    for send in story.plan.sends if story.plan is not None else ():
        order = send.order
        if order.client_id not in heard and bot in (None, order.bot):
            why = (
                "no answer of the venue was written any more" if order.client_id in sent else "it was not sent any more"
            )
            lines.append(Text(f"{order_text(order)}: {why}", "bold yellow"))
    return lines


def _named(order: Order | None, client_id: str) -> str:
    return client_id if order is None else order_text(order)


def not_done_of(story: Story, bot: str | None) -> Lines:
    """What was skipped, and why: one line a reason, with everybody it is about."""
    skips = story.plan.skips if story.plan is not None else story.considered.skips
    about: dict[tuple[str, str], list[str]] = {}
    for skip in skips:
        who = skip.subject.replace("|", " ")
        if bot in (None, skip.subject.partition("|")[0]):
            about.setdefault((skip.code, words.one_line(skip.reason)), []).append(who)
    lines: Lines = []
    for (code, reason), subjects in about.items():
        named = ", ".join(dict.fromkeys(subjects))
        lines.append(Text.assemble((words.in_words(code), "yellow"), f" ({named}){f': {reason}' if reason else ''}"))
    return lines


def fills_of(story: Story, bot: str | None) -> Lines:
    """What had filled of this cycle's orders when the world was next looked at."""
    orders = story.after.orders
    return [
        Text(f"{fill.side} {words.quantity(fill.quantity)} {fill.symbol} filled at {words.price(fill.price)}", "green")
        for fill in story.fills
        if bot is None or (fill.client_id in orders and orders[fill.client_id].bot == bot)
    ]


def closed_of(story: Story) -> Sequence[RenderableType]:
    """How long each stage took; or where the cycle ends, and who went on."""
    closed = story.closed
    if closed is not None:
        stages = ", ".join(f"{stage} {words.millis(micros)}" for stage, micros in closed.micros.items())
        return [Text(f"after {words.millis(sum(closed.micros.values()))}: {stages}")]
    last = story.events[-1]
    lines = [Text(f"the journal stops at event {last.seq:,} ({last.kind}): the cycle was never closed", "bold yellow")]
    if story.next_run:
        lines.append(Text(f"run {story.next_run} recovered from there"))
    return lines
