"""What a run came to, at its end, for people: readable at 80 columns and in a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import styles, words
from hydra.cli.screen.document import by_count, summary_document
from hydra.cli.screen.figures import mode_of, working_orders
from hydra.cli.screen.structures import name_of, parts_of
from hydra.cli.screen.tally import BotFigures, Closed, Tally
from hydra.model.money import ZERO
from hydra.model.orders import Purpose
from hydra.model.snapshot import Verdict

if TYPE_CHECKING:
    from hydra.engine.run import Ending

__all__ = ["summary", "summary_document"]

_CENT = Decimal("0.01")
_SKIPS_MOST, _HALTS_MOST, _BOTS_MOST, _REASON_MOST = 8, 5, 60, 240
_FAILURES_MOST, _KIND_MOST = 12, 32


def summary(tally: Tally, ending: Ending, *, journal: str, practice: bool, mode_label: str) -> RenderableType:
    """Everything ``tally`` counted, to be printed once; ``journal`` is the path to replay."""
    parts: list[RenderableType] = [Text("")]
    if practice:
        parts.append(Text(styles.PRACTICE, styles.PRACTICE_STYLE))
    parts.append(_facts(tally, ending, mode_label))
    figures = tally.by_bot()
    if figures:
        parts += [Text(""), _bots(figures)]
        if tally.open_at_start:
            parts.append(Text(f"carried into the run: {words.change(tally.open_at_start)} of open P&L", "dim"))
        beside = tally.beside()
        if beside is not None and abs(beside) >= _CENT:
            parts.append(Text(f"charged to no bot: {words.change(beside)} (fees and transfers of the account)", "dim"))
    if tally.skips:
        parts += [Text(""), _skips(tally)]
    if tally.halts or tally.ledger.halts:
        parts += [Text(""), _halts(tally)]
    parts += [Text(""), *([_timing(tally)] if tally.cycles else []), *_where(journal)]
    return Group(*parts)


def pairs(rows: list[tuple[str, Text | str]]) -> Table:
    """Labels and what belongs to them; long values wrap under themselves."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim", min_width=9)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(label, value if isinstance(value, Text) else Text(value))
    return grid


def _facts(tally: Tally, ending: Ending, mode_label: str) -> Table:
    good = ending.exit_code == 0
    mode = mode_of(tally.ledger)
    title = Text.assemble((mode_label.upper(), "bold"), "  ", (f" {mode.value.upper()} ", styles.MODE[mode]))
    end = Text.assemble(
        words.one_line(ending.reason), (f"  (exit {ending.exit_code})", "green" if good else "bold red")
    )
    rows: list[tuple[str, Text | str]] = [("Mode", title), ("Run", tally.ledger.run or "none"), ("Ended", end)]
    if tally.began_at is not None and tally.ended_at is not None:
        days = f", {words.some(tally.days, 'exchange day')}" if tally.days else ""
        rows.append(("Period", f"{tally.began_at:%Y-%m-%d %H:%M:%S}Z to {tally.ended_at:%Y-%m-%d %H:%M:%S}Z{days}"))
    rows.append(("Cycles", f"{tally.cycles:,}, orders were sent in {tally.cycles_sent:,}"))
    rows.append(("Equity", _equity(tally.equity_start, tally.equity_end)))
    rows.append(("Orders", _orders(tally)))
    rows.append(("Fills", f"{tally.fills:,}"))
    if tally.trades.count:
        rows.append(("Trades", _trades(tally.trades)))
    if tally.failures:
        rows.append(("Failures", Text(_failures(tally), "red")))
    rows += _at_the_end(tally)
    return pairs(rows)


def _equity(start: Decimal | None, end: Decimal | None) -> Text:
    if start is None or end is None:
        return Text(words.UNKNOWN)
    moved = end - start
    text = Text.assemble(words.dollars(start), " to ", (words.dollars(end), "bold"), "  ")
    share = words.percent(moved, start)
    return text.append(f"{words.change(moved)} {f'({share})' if share else ''}".rstrip(), styles.gain(moved))


def _orders(tally: Tally) -> Text:
    if not tally.orders and not tally.held_back:
        return Text("none sent")
    kinds = ", ".join(
        words.some(tally.sent[purpose], *_PURPOSES[purpose]) for purpose in Purpose if tally.sent[purpose]
    )
    text = Text(f"{tally.orders:,} sent ({kinds}); {tally.accepted:,} accepted")
    if tally.rejected:
        text.append(f", {tally.rejected:,} rejected (last: {words.one_line(tally.last_rejection)})", "red")
    if tally.unknown:
        still = len(tally.ledger.unresolved)
        text.append(f", {tally.unknown:,} unknown at first, {still:,} still", "red" if still else "yellow")
    if tally.held_back:
        text.append(f"; {tally.held_back:,} held back until their way was free", "yellow")
    return text


_PURPOSES = {
    Purpose.ENTRY: ("entry", "entries"),
    Purpose.EXIT: ("exit", "exits"),
    Purpose.STOP: ("stop", "stops"),
    Purpose.TARGET: ("target", "targets"),
}


def _trades(closed: Closed) -> Text:
    text = Text(f"{closed.count:,} closed, {closed.won:,} won, {closed.lost:,} lost, ")
    text.append(words.change(closed.profit), styles.gain(closed.profit))
    return text.append(f"; best {words.change(closed.best)}, worst {words.change(closed.worst)}")


def _failures(tally: Tally) -> str:
    """Which bots failed to answer, and how: ``coins 3 timeout, 1 exited; spy-trend 2 ValueError``."""
    by_bot: dict[str, list[str]] = {}
    reasons = by_count(tally.failures)
    for (bot, kind), reason in reasons[:_FAILURES_MOST]:
        by_bot.setdefault(words.one_line(bot), []).append(f"{reason.count:,} {_shortened(kind, _KIND_MOST)}")
    told = "; ".join(f"{bot} {', '.join(kinds)}" for bot, kinds in by_bot.items())
    rest = sum(reason.count for _, reason in reasons[_FAILURES_MOST:])
    return f"{told}; {rest:,} more" if rest else told


def _at_the_end(tally: Tally) -> Iterator[tuple[str, Text | str]]:
    """What is left behind, if anything is."""
    ledger = tally.ledger
    orders = working_orders(ledger)
    if ledger.holdings or orders:
        alone, structures = parts_of(ledger)
        held = [f"{words.quantity(h.quantity)} {h.symbol}" for h in alone]
        held += [f"{words.quantity(one.units)} {name_of(one)}" for one in structures]
        more = f" and {len(held) - 6} more" if len(held) > 6 else ""
        shown = ", ".join(held[:6]) + more if held else "nothing"
        yield "Left", Text(f"holding {shown}; {words.some(orders, 'order')} working at the venue")
    if tally.equity_end is not None and ledger.equity is None:
        yield "", Text("the equity could not be read at the end; the last known is shown", "yellow")


def _bots(figures: tuple[BotFigures, ...]) -> Table:
    table = Table(box=None, pad_edge=False, show_footer=False, header_style="bold")
    table.add_column("Bot", overflow="ellipsis", no_wrap=True, max_width=24)
    for title in ("trades", "won", "lost", "realised", "fees", "open", "net"):
        table.add_column(title, justify="right", no_wrap=True)
    shown = figures
    if len(figures) > _BOTS_MOST:
        shown = tuple(sorted(figures, key=lambda one: (-one.trades, one.bot))[:_BOTS_MOST])
    for one in shown:
        table.add_row(*_bot_cells(one))
    if len(figures) > len(shown):
        table.add_row(Text(f"+{len(figures) - len(shown)} more", "dim"))
    if len(figures) > 1:
        table.add_section()
        table.add_row(*_bot_cells(_total(figures)), style="bold")
    return table


def _total(figures: tuple[BotFigures, ...]) -> BotFigures:
    opened = [one.open for one in figures]
    known = [amount for amount in opened if amount is not None]
    return BotFigures(
        bot="all",
        trades=sum(one.trades for one in figures),
        won=sum(one.won for one in figures),
        lost=sum(one.lost for one in figures),
        realized=sum((one.realized for one in figures), ZERO),
        fees=sum((one.fees for one in figures), ZERO),
        open=sum(known, ZERO) if len(known) == len(opened) else None,
    )


def _bot_cells(one: BotFigures) -> tuple[Text, ...]:
    return (
        Text(one.bot),
        Text(f"{one.trades:,}"),
        Text(f"{one.won:,}"),
        Text(f"{one.lost:,}"),
        Text(words.short_change(one.realized), styles.gain(one.realized)),
        Text(words.short_change(one.fees).lstrip("+")),
        Text(words.short_change(one.open), styles.gain(one.open)),
        Text(words.short_change(one.net), styles.gain(one.net)),
    )


def _skips(tally: Tally) -> Table:
    """Why entries were not made, the most frequent first; the last reason where it says more than the code."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Why nothing was done", overflow="fold")
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("cycles", justify="right", no_wrap=True)
    table.add_column("last reason", overflow="fold", style="dim")
    reasons = by_count(tally.skips)
    for code, reason in reasons[:_SKIPS_MOST]:
        last = "" if code in words.QUIET else _shortened(reason.last)
        table.add_row(Text(words.in_words(code)), f"{reason.count:,}", f"{reason.cycles:,}", Text(last))
    rest = reasons[_SKIPS_MOST:]
    if rest:
        names = ", ".join(words.one_line(code) for code, _ in rest)
        table.add_row(Text("other"), f"{sum(reason.count for _, reason in rest):,}", "", Text(_shortened(names)))
    refused = [(gate, reason) for (gate, verdict), reason in by_count(tally.gates) if verdict is Verdict.REFUSE]
    for gate, reason in refused[:_SKIPS_MOST]:
        if gate not in tally.skips:
            table.add_row(
                Text(f"gate {gate} refused"), f"{reason.count:,}", f"{reason.cycles:,}", Text(_shortened(reason.last))
            )
    return table


def _halts(tally: Tally) -> RenderableType:
    """Halts that latched in this run, and those that hold now."""
    latched, now = tuple(tally.halts), tally.ledger.halts
    carried = [halt for halt in now if halt not in latched]
    lines: list[tuple[str, Text | str]] = []
    for halt in (*carried, *latched)[-_HALTS_MOST:]:
        holds = "latched" if halt in now else "lifted"
        cool = f"; cools off until {halt.cool_off_until:%Y-%m-%d %H:%M}Z" if halt.cool_off_until is not None else ""
        text = Text.assemble(
            (halt.kind, "bold red"), f" at {halt.at:%Y-%m-%d %H:%M:%S}Z by {words.one_line(halt.by)}, {holds}: "
        )
        lines.append(("Halt", text.append(_shortened(halt.reason) + cool)))
    more = tally.halts_latched + len(carried) - len(lines)
    if more > 0:
        lines.append(("", f"and {more} earlier"))
    if now:
        lines.append(("", Text("`hydra resume --reason ...` lifts what is latched", "yellow")))
    return pairs(lines)


def _timing(tally: Tally) -> Table:
    times = tally.times
    median, most = words.millis(times.quantile(0.5)), words.millis(times.quantile(0.99))
    text = f"{median} median, {most} p99, {words.millis(times.largest)} longest"
    stages = " ".join(
        f"{stage} {words.millis(one.quantile(0.5)).removesuffix(' ms')}" for stage, one in tally.stages.items()
    )
    rows: list[tuple[str, Text | str]] = [("Cycle", text)]
    if stages:
        rows.append(("medians", Text(stages, "dim")))
    return pairs(rows)


def _where(journal: str) -> tuple[RenderableType, ...]:
    """Folded where the terminal ends, never cut: the path is there to be copied."""
    path = shlex.quote(journal) if any(mark in journal for mark in " \t'\"$&;()") else journal
    lines = (("Journal", journal), ("Replay", f"hydra replay {path}"))
    return tuple(
        Text.assemble((f"{label:<9}  ", "dim"), words.one_line(text), overflow="fold") for label, text in lines
    )


def _shortened(reason: str, most: int = _REASON_MOST) -> str:
    reason = words.one_line(reason)
    return reason if len(reason) <= most else reason[: most - 1] + "…"
