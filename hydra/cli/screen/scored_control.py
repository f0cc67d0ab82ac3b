"""A control run beside its original, for people: what was asked for, and which votes broke it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import words
from hydra.gladiators.controls import CONTROLS, Asks
from hydra.gladiators.score.against import Broke, Controlled, SeatControl
from hydra.study.tournament import said

_BROKE_MOST = 8


def controlled(done: Controlled) -> RenderableType:
    """The comparison, to be printed below the score."""
    change = CONTROLS[done.control].words
    wanted = "the opposite vote" if done.asks is Asks.MIRRORED else "the same vote"
    parts: list[RenderableType] = [
        Text(""),
        Text(
            f"Control {done.control}: {change}. Asks for {wanted}, against run {words.one_line(done.original)}", "bold"
        ),
        _seats(done),
    ]
    if done.missing:
        parts.append(Text(f"{done.missing:,} votes have no counterpart in the other run", "dim"))
    broke = [one for seat in done.seats for one in seat.broke]
    if broke:
        parts += [_broke(one) for one in broke[:_BROKE_MOST]]
    if len(broke) > _BROKE_MOST:
        parts.append(Text(f"and {len(broke) - _BROKE_MOST:,} more; --json and --report have them", "dim"))
    return Group(*parts)


def verdict(done: Controlled) -> str:
    """In one sentence."""
    if done.held:
        return f"control {done.control}: every vote of the rules is {done.asks}"
    broken = [
        f"{one.seat} {len(one.broke) + one.one_sided:,}"
        for one in done.seats
        if one.rules and (one.broke or one.one_sided)
    ]
    return f"control {done.control}: rules broke it: {', '.join(broken) or 'no pair to compare'}"


def _seats(done: Controlled) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for name in ("", "engine"):
        table.add_column(name, overflow="ellipsis", no_wrap=True, max_width=28)
    for name in ("pairs", "kept", "95%", "broke", "in one only", "p_up off"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in done.seats:
        table.add_row(*_row(one))
    return table


def _row(one: SeatControl) -> list[Text]:
    good = one.kept == one.pairs and not one.one_sided
    style = "green" if good and one.pairs else "red" if one.rules else "yellow"
    return [
        Text(one.seat, "bold"),
        Text(words.one_line(one.engine) + ("" if one.rules else " (a model)")),
        Text(f"{one.pairs:,}"),
        Text(said.percent(one.kept / one.pairs) if one.pairs else "-", style),
        Text("-" if one.share is None else said.within(one.share).replace(" to ", "-"), "dim"),
        Text(f"{len(one.broke):,}", style),
        Text(f"{one.one_sided:,}"),
        Text("-" if one.p_most is None else f"{one.p_most:.4f}"),
    ]


def _broke(one: Broke) -> Text:
    before = "" if one.p_before is None else f" ({one.p_before:.3f})"
    after = "" if one.p_after is None else f" ({one.p_after:.3f})"
    return Text(
        f"{one.at:%Y-%m-%d %H:%M}Z {words.one_line(one.asset)}, seat {one.seat}: {one.before}{before} became {one.after}{after}",
        "yellow",
    )
