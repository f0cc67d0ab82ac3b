"""Two policies in the same market, side by side, where they part, and what such a comparison cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hydra.bootstrap.what_if import Parting, WhatIf
from hydra.cli.screen import styles, words
from hydra.cli.screen.story_lines import order_text
from hydra.engine.side import BotSide, Side
from hydra.model.money import plain
from hydra.model.snapshot import Plan

_INDENT = (0, 0, 0, 2)
_SKIPS_MOST, _SHOWN_ORDERS = 12, 12
_ZERO = Decimal(0)


def in_short(found: WhatIf) -> str:
    """What the comparison came to, in one sentence."""
    cycles = words.some(found.otherwise.cycles, "cycle")
    if found.parting is None:
        return f"decides the same in all of {cycles}"
    return (
        f"decides differently in {found.differing:,} of {cycles}, for the first time in cycle {found.parting.cycle:,}"
    )


def what_if_shown(found: WhatIf) -> RenderableType:
    """For a terminal of any width from about 60 on."""
    parts: list[RenderableType] = [Text(in_short(found), "bold green" if found.parting is None else "bold yellow")]
    parts += [Text(""), _sides(found.recorded, found.otherwise)]
    bots = sorted({*found.recorded.bots, *found.otherwise.bots})
    if bots:
        parts += [Text(""), _bots(found, bots)]
    if found.parting is not None:
        parts += [Text(""), *_told(found.parting)]
    parts += [Text(""), Text("What this cannot say", "bold cyan")]
    parts += [Padding(Text(f"- {limit}", "dim"), _INDENT) for limit in found.limits]
    return Group(*parts)


def _sides(recorded: Side, otherwise: Side) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", overflow="fold")
    for title in ("recorded", "what if", "difference"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, of in _COUNTS.items():
        _count(table, name, of(recorded), of(otherwise))
    for title, left, right in (
        ("orders: {}", recorded.orders, otherwise.orders),
        ("halt: {}", recorded.halts, otherwise.halts),
    ):
        for key in sorted({*left, *right}):
            _count(table, title.format(key), left[key], right[key])
    for name, money in _MONEY.items():
        left_sum, right_sum = money(recorded), money(otherwise)
        apart = None if left_sum is None or right_sum is None else right_sum - left_sum
        table.add_row(
            name, words.change(left_sum), words.change(right_sum), Text(words.change(apart), styles.gain(apart))
        )
    codes = sorted(
        {*recorded.skips, *otherwise.skips}, key=lambda code: -(recorded.skips[code] + otherwise.skips[code])
    )
    for code in codes[:_SKIPS_MOST]:
        _count(table, f"not done: {words.in_words(code)}", recorded.skips[code], otherwise.skips[code])
    return table


def _count(table: Table, name: str, left: int, right: int) -> None:
    apart = right - left
    table.add_row(name, f"{left:,}", f"{right:,}", Text(f"{apart:+,}" if apart else "", "yellow"))


_COUNTS: dict[str, Callable[[Side], int]] = {
    "cycles": lambda side: side.cycles,
    "cycles that did something": lambda side: side.decisions,
    "orders": lambda side: sum(side.orders.values()),
    "fills": lambda side: side.fills,
    "trades closed": lambda side: sum(bot.trades for bot in side.bots.values()),
    "halts": lambda side: sum(side.halts.values()),
}
_MONEY: dict[str, Callable[[Side], Decimal | None]] = {
    "realized": lambda side: sum((bot.realized for bot in side.bots.values()), _ZERO),
    "fees": lambda side: side.fees,
    "P&L by equity": lambda side: side.profit,
}


def _bots(found: WhatIf, bots: list[str]) -> Table:
    """Each bot: recorded, and what if."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bot", overflow="fold")
    for title in ("orders", "fills", "trades", "realized", "fees"):
        table.add_column(title, justify="right", no_wrap=True)
    for bot in bots:
        for mark, side in (("", found.recorded), (" what if", found.otherwise)):
            did = side.bots.get(bot, BotSide())
            counts = (did.orders, did.fills, did.trades)
            name = Text.assemble(bot if not mark else "", (mark, "dim"))
            money = (Text(words.short_change(did.realized), styles.gain(did.realized)), words.dollars(did.fees))
            table.add_row(name, *(f"{count:,}" for count in counts), *money)
    return table


def _told(parting: Parting) -> Iterator[RenderableType]:
    """The first cycle in which they part: what only one of them does."""
    yield Text.assemble((f"They part in cycle {parting.cycle:,}", "bold cyan"), f", {parting.at:%Y-%m-%d %H:%M:%S}Z")
    before, after = _doings(parting.recorded), _doings(parting.otherwise)
    for name, mine, theirs in (("recorded", before, after), ("what if", after, before)):
        only = [doing for doing in mine if doing not in theirs]
        yield Padding(Text(f"{name} alone:" if only else f"{name}: nothing more", "bold"), _INDENT)
        for doing in only[:_SHOWN_ORDERS]:
            yield Padding(Text(doing), (0, 0, 0, 4))
        if len(only) > _SHOWN_ORDERS:
            yield Padding(Text(f"+{len(only) - _SHOWN_ORDERS} more", "dim"), (0, 0, 0, 4))
    yield Padding(Text(f"hydra replay LOG --cycle {parting.cycle} tells the recorded one", "dim"), _INDENT)


def _doings(plan: Plan) -> list[str]:
    """Everything of a plan that decides anything, worded."""
    did = [f"mode {plan.mode.value}"]
    did += [f"sends {order_text(send.order)}" for send in plan.sends]
    did += [f"takes back {cancel.client_id}: {cancel.reason}" for cancel in plan.cancels]
    did += [f"moves the stop of {one.bot} {one.symbol} to {words.price(one.stop)}" for one in plan.stops]
    did += [f"halts: {halt.kind}: {halt.reason}" for halt in plan.halts]
    for judged in plan.judgements:
        if judged.reason:
            asked, admitted = words.quantity(judged.asked), words.quantity(judged.admitted)
            what = f"{judged.intent.bot} {judged.intent.side} {judged.intent.symbol}"
            did.append(f"caps {what} from {asked} to {admitted}: {words.one_line(judged.reason)}")
    did += [f"skips {skip.subject.replace('|', ' ')}: {words.in_words(skip.code)}" for skip in plan.skips]
    return did


# -- the same as data


def what_if_document(found: WhatIf) -> dict[str, Any]:
    """The same as JSON-ready data."""
    parting = found.parting
    return {
        "message": in_short(found),
        "recorded": _side(found.recorded),
        "what_if": _side(found.otherwise),
        "differing": found.differing,
        "parting": None
        if parting is None
        else {
            "cycle": parting.cycle,
            "at": parting.at.isoformat().replace("+00:00", "Z"),
            "recorded": _doings(parting.recorded),
            "what_if": _doings(parting.otherwise),
        },
        "limits": list(found.limits),
    }


def _side(side: Side) -> dict[str, Any]:
    counts = {name.replace(" ", "_"): of(side) for name, of in _COUNTS.items() if name not in ("orders", "halts")}
    return {
        **counts,
        "orders": dict(side.orders),
        "halts": dict(side.halts),
        "skips": dict(side.skips),
        "realized": plain(_MONEY["realized"](side) or _ZERO),
        "fees": plain(side.fees),
        "profit": None if side.profit is None else plain(side.profit),
        "bots": {
            bot: {
                "orders": did.orders,
                "fills": did.fills,
                "trades": did.trades,
                "realized": plain(did.realized),
                "fees": plain(did.fees),
            }
            for bot, did in sorted(side.bots.items())
        },
    }
