"""Check lists, and the state of a Hydra that may or may not be running."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import styles, words
from hydra.cli.screen.certificate import bound_to, certificate_document, remaining
from hydra.cli.screen.document import halt_document
from hydra.cli.screen.figures import BudgetUse, day_profit, mode_of, working_orders
from hydra.cli.screen.structures import kind_of, name_of, ordered, parts_of
from hydra.cli.screen.summary import pairs
from hydra.model.isolation import Guard, Isolation
from hydra.model.money import plain
from hydra.model.portfolio import FLATTEN_ALL, Holding, Ledger
from hydra.model.structures import Structure

_HOLDINGS_MOST, _ORDERS_MOST, _FOREIGN_MOST = 40, 20, 8
_PROCESS = "process"


class Checked(Protocol):
    """A check's answer: ``status`` is pass, fail, warn or skip; ``ms`` is milliseconds; ``remedy`` may be empty."""

    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def ms(self) -> float: ...


def checks_table(results: Iterable[Checked]) -> RenderableType:
    """One row a check, saying which only warns; what to do about it stands under one that did not pass."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("check", no_wrap=True, overflow="ellipsis", max_width=29)
    table.add_column("found", overflow="fold", ratio=1)
    table.add_column("ms", justify="right", no_wrap=True)
    counts: dict[str, int] = {}
    spent = 0.0
    for result in results:
        status, remedy = str(result.status), str(getattr(result, "remedy", "") or "")
        counts[status] = counts.get(status, 0) + 1
        spent += result.ms
        found = Text(words.one_line(result.reason))
        if not getattr(result, "critical", True):
            found.append(" (advisory)", "dim")
        if remedy and status in ("fail", "warn"):
            found.append(f"\n-> {words.one_line(remedy)}", "cyan")
        name = Text(words.one_line(result.name), "bold" if status == "fail" else "")
        table.add_row(Text(status.upper(), styles.CHECK.get(status, "")), name, found, Text(f"{result.ms:,.1f}", "dim"))
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "no checks"
    return Group(table, Text(f"{told}, {spent:,.0f} ms", "dim"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """What ``hydra status`` knows. ``owner`` describes who holds the writer's lock, ``None`` when nobody does.

    ``certificate_minutes`` are left of the certificate at this moment: ``None`` without one, below zero when it ran out;
    ``certificate_fault`` says why one that is there does not fit, ``certificate_seen`` how that was found out. ``inbox`` counts
    commands that wait. ``other_policy``: the hash of the last run's policy, where that is what is shown, for its bots are not those of
    the configuration; ``policy_fault`` says why nobody knows that policy, and then no budgets are shown.
    """

    ledger: Ledger
    mode_label: str
    practice: bool
    owner: str | None
    certificate_minutes: float | None
    certificate_fault: str = ""
    certificate_seen: str = ""
    inbox: int = 0
    budgets: tuple[BudgetUse, ...] = ()
    other_policy: str = ""
    policy_fault: str = ""


def status_panel(facts: StatusFacts) -> RenderableType:
    """Mode, halts, positions by bot, orders, budgets, last cycle, certificate, inbox."""
    parts: list[RenderableType] = []
    if facts.practice:
        parts.append(Text(styles.PRACTICE, styles.PRACTICE_STYLE))
    parts.append(_state(facts))
    alone, structures = parts_of(facts.ledger)
    if alone:
        parts += [Text(""), _holdings(alone)]
    if structures:
        parts += [Text(""), _structures(structures)]
    if working_orders(facts.ledger):
        parts += [Text(""), _orders(facts.ledger)]
    if facts.budgets:
        parts += [Text(""), _budgets(facts.budgets)]
    return Group(*parts)


def status_document(facts: StatusFacts) -> dict[str, Any]:
    """The same as JSON-ready data."""
    ledger = facts.ledger
    return {
        "mode": facts.mode_label,
        "state": mode_of(ledger).value,
        "practice": facts.practice,
        "owner": facts.owner,
        "run": ledger.run,
        "other_policy": facts.other_policy,
        "policy_fault": facts.policy_fault,
        "cycle": ledger.cycle,
        "at": None if ledger.at is None else ledger.at.isoformat().replace("+00:00", "Z"),
        "equity": None if ledger.equity is None else plain(ledger.equity),
        "day_start_equity": None if ledger.day is None else plain(ledger.day.start_equity),
        "certificate_minutes": facts.certificate_minutes,
        "certificate_fault": facts.certificate_fault,
        "certificate": certificate_document(
            ledger.certificate, facts.certificate_minutes, facts.certificate_fault, facts.certificate_seen
        ),
        "inbox": facts.inbox,
        "isolation": None if ledger.isolation is None else _isolation_document(ledger.isolation),
        "halts": [halt_document(halt) for halt in ledger.halts],
        "flatten": ["all" if bot == FLATTEN_ALL else bot for bot in ledger.flatten],
        "foreign": {symbol: plain(quantity) for symbol, quantity in ledger.foreign.items()},
        "foreign_orders": list(ledger.foreign_orders),
        "holdings": [_built(holding) for holding in ledger.holdings.values()],
        "structures": [_structure_document(one) for one in parts_of(ledger)[1]],
        "orders": [_built(order) for order in ledger.orders.values() if not order.status.terminal],
        "budgets": [
            {
                "bot": use.bot,
                "budget": plain(use.budget),
                "used": None if use.used is None else plain(use.used),
                "realized_today": plain(use.realized_today),
                "trades_today": use.trades_today,
                "trades_most": use.trades_most,
                "strikes": use.strikes,
            }
            for use in facts.budgets
        ],
    }


def _isolation_document(apart: Isolation) -> dict[str, Any]:
    """Every key, also what is empty: absent would mean that nobody knows."""
    return {
        "host": apart.host,
        "held": [guard.value for guard in apart.held],
        "open": [guard.value for guard in apart.open],
        "landlock": apart.landlock,
        "seccomp": apart.seccomp,
        "complete": apart.complete,
    }


def _structure_document(one: Structure) -> dict[str, Any]:
    """Contracts that were entered together; ``credit`` is below zero for what was paid, ``most_lost`` null without a bound."""
    return {
        "entry": one.entry,
        "bot": one.bot,
        "underlying": one.underlying,
        "kind": kind_of((leg.symbol, leg.quantity) for leg in one.legs),
        "units": plain(one.units),
        "expiry": one.expiry.isoformat(),
        "credit": plain(-one.paid),
        "most_lost": None if one.most_lost is None else plain(one.most_lost),
        "legs": {leg.symbol: plain(leg.quantity) for leg in one.legs},
    }


def _built(value: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(value)
    return built


def _state(facts: StatusFacts) -> Table:
    ledger, mode = facts.ledger, mode_of(facts.ledger)
    day = day_profit(ledger)
    rows: list[tuple[str, Text | str]] = [
        ("Mode", Text.assemble((f" {mode.value.upper()} ", styles.MODE[mode]), f"  {facts.mode_label.upper()}")),
        ("Writer", Text(facts.owner) if facts.owner else Text("nobody holds the lock", "dim")),
    ]
    for halt in ledger.halts:
        cool = f"; cools off until {halt.cool_off_until:%Y-%m-%d %H:%M}Z" if halt.cool_off_until is not None else ""
        told = f": {words.one_line(halt.reason)} (by {words.one_line(halt.by)}, {halt.at:%Y-%m-%d %H:%M:%S}Z{cool})"
        rows.append(("Halt", Text.assemble((halt.kind, "bold red"), told)))
    if ledger.flatten:
        whose = ", ".join("every bot" if bot == FLATTEN_ALL else words.one_line(bot) for bot in ledger.flatten)
        rows.append(
            ("Flatten", Text.assemble((whose, "bold red"), ": closed, and nothing entered until `hydra resume`"))
        )
    money = Text.assemble((words.dollars(ledger.equity), "bold"), ", day ", (words.change(day), styles.gain(day)))
    rows.append(("Equity", money))
    last = "none yet" if ledger.at is None else f"{ledger.cycle:,} at {ledger.at:%Y-%m-%d %H:%M:%S}Z, run {ledger.run}"
    rows.append(("Cycle", last))
    if facts.other_policy:
        told = f"of the last run, {facts.other_policy[:12]}: its bots are not those of the configuration"
        rows.append(("Policy", Text(told, "yellow")))
    if facts.policy_fault:
        told = (
            f"unknown: the last run's bots are not those of the configuration, and {words.one_line(facts.policy_fault)}"
        )
        rows.append(("Policy", Text(told, "yellow")))
    certificate = ledger.certificate
    rows.append(("Certificate", remaining(facts.certificate_minutes, facts.certificate_fault)))
    if certificate is not None:
        rows.append(("made for", bound_to(certificate, facts.certificate_seen)))
    rows.append(("Inbox", "empty" if not facts.inbox else words.some(facts.inbox, "command waits", "commands wait")))
    rows.append(("Bots apart", _apart(ledger.isolation)))
    if not ledger.holdings:
        rows.append(("Positions", "none"))
    if ledger.foreign or ledger.foreign_orders:
        rows.append(("Foreign", _foreign(ledger)))
    return pairs(rows)


def _apart(apart: Isolation | None) -> Text:
    """What keeps the bots from the rest when they were last asked, guard by guard."""
    if apart is None:
        return Text("not known yet; the first `hydra qc` or `hydra run` tries it", "dim")
    if apart.host != _PROCESS:
        return Text("in Hydra's own process: nothing is kept from them", "yellow")
    means = [f"Landlock {apart.landlock}"] if apart.landlock else []
    means += ["seccomp"] if apart.seccomp else []
    told = Text("each in its own process")
    if apart.held:
        told.append("; held: ").append(", ".join(apart.held), "green").append(f" ({', '.join(means)})" if means else "")
    if apart.open:
        told.append("; ").append(f"OPEN: {', '.join(apart.open)}", "bold yellow")
    untried = [guard for guard in Guard if guard not in apart.held and guard not in apart.open]
    if untried:
        told.append("; ").append(f"not tried: {', '.join(untried)}", "yellow")
    return told


def _foreign(ledger: Ledger) -> Text:
    """What is in the account and not Hydra's."""
    held = [f"{words.quantity(quantity)} {symbol}" for symbol, quantity in ledger.foreign.items()]
    told = [*held[:_FOREIGN_MOST], *([f"{len(held) - _FOREIGN_MOST} more"] if len(held) > _FOREIGN_MOST else [])]
    if ledger.foreign_orders:
        told.append(words.some(len(ledger.foreign_orders), "open order"))
    return Text(", ".join(told) + "; never touched", "dim")


def _holdings(holdings: tuple[Holding, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Position", overflow="ellipsis", no_wrap=True)
    table.add_column("symbol", no_wrap=True)
    for title in ("quantity", "average", "stop", "target"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True)
    for holding in holdings[:_HOLDINGS_MOST]:
        table.add_row(*_holding_cells(holding))
    if len(holdings) > _HOLDINGS_MOST:
        table.add_row(Text(f"+{len(holdings) - _HOLDINGS_MOST} more", "dim"))
    return table


def _holding_cells(holding: Holding) -> tuple[Text, ...]:
    bare, protection = holding.unprotected_since is not None, holding.protection
    stop = words.price(None if protection is None else protection.stop)
    return (
        Text(holding.bot),
        Text(holding.symbol, "bold"),
        Text(words.quantity(holding.quantity)),
        Text(words.price(holding.average_price)),
        Text(stop + (" BARE" if bare else ""), "bold red" if bare else ""),
        Text(words.price(None if protection is None else protection.target)),
        Text(f"{holding.opened_at:%m-%d %H:%M}Z", "dim"),
    )


def _structures(structures: tuple[Structure, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Structure", overflow="ellipsis", no_wrap=True)
    table.add_column("contracts", overflow="fold")
    for title in ("units", "expires", "credit", "can lose"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True)
    for one in structures[:_HOLDINGS_MOST]:
        table.add_row(
            Text(one.bot),
            Text(name_of(one), "bold"),
            words.quantity(one.units),
            f"{one.expiry:%m-%d}",
            words.short_change(-one.paid),
            Text(words.most_lost(one.most_lost), "bold red" if one.most_lost is None else ""),
            Text(f"{one.opened.opened_at:%m-%d %H:%M}Z", "dim"),
        )
    if len(structures) > _HOLDINGS_MOST:
        table.add_row(Text(f"+{len(structures) - _HOLDINGS_MOST} more", "dim"))
    return table


def _orders(ledger: Ledger) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Order", overflow="ellipsis", no_wrap=True)
    for title in ("symbol", "what"):
        table.add_column(title, no_wrap=True)
    table.add_column("quantity", justify="right", no_wrap=True)
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    working = [order for order in ledger.orders.values() if not order.status.terminal]
    for order in working[:_ORDERS_MOST]:
        table.add_row(
            Text(order.bot),
            Text(order.symbol, "bold"),
            Text(f"{order.purpose} {ordered(order) if order.legs else order.side}"),
            Text(words.quantity(order.remaining)),
            Text(words.price(order.stop if order.stop is not None else order.limit) or "market"),
            Text(order.status.value, "bold red" if order.status.unresolved else ""),
        )
    if len(working) > _ORDERS_MOST:
        table.add_row(Text(f"+{len(working) - _ORDERS_MOST} more", "dim"))
    return table


def _budgets(budgets: tuple[BudgetUse, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Bot", overflow="ellipsis", no_wrap=True)
    for title in ("used", "of budget", "day P&L", "trades", "strikes"):
        table.add_column(title, justify="right", no_wrap=True)
    for use in budgets:
        table.add_row(
            Text(use.bot),
            words.most_lost(use.used),
            words.short_dollars(use.budget),
            Text(words.short_change(use.realized_today), styles.gain(use.realized_today)),
            f"{use.trades_today}/{use.trades_most}",
            Text(str(use.strikes), "red" if use.strikes else ""),
        )
    return table
