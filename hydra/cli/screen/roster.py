"""The bots as a table: a line each where there is room for it, two where there is not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hydra.bootstrap.roster import Installed, Member
from hydra.cli.screen import styles, words

_WIDE = 110
_STATE = {"enabled": "green", "disabled": "dim", "quarantined": "bold red", "benched": "yellow"}


def roster_table(members: Sequence[Member], width: int) -> Table:
    """Every bot with its code and its day, for a terminal of ``width`` columns."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    return _wide(table, members) if width >= _WIDE else _narrow(table, members)


def others_line(others: Sequence[Installed]) -> Text:
    """What is installed and runs nowhere."""
    names = ", ".join(f"{one.name} ({one.package})" for one in others)
    return Text(f"installed and not named: {words.one_line(names)}", "dim")


def release_line(members: Sequence[Member]) -> Text | None:
    """How those in quarantine get out of it; ``None`` when nobody is."""
    out = [words.one_line(one.id) for one in members if one.state == "quarantined"]
    if not out:
        return None
    return Text(f"not asked any more: {', '.join(out)}; `hydra bots release {out[0]}` has it asked again", "yellow")


def _wide(table: Table, members: Sequence[Member]) -> Table:
    for title in ("Bot", "code", "kind", "bucket", "symbols", "state"):
        table.add_column(title, overflow="fold" if title in ("code", "symbols", "state") else "ellipsis")
    for title in ("strikes", "trades", "P&L", "share", "left"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in members:
        state = _state(one)
        table.add_row(Text(one.id), Text(one.code), one.kind, one.bucket, _symbols(one), state, *_figures(one))
    return table


def _narrow(table: Table, members: Sequence[Member]) -> Table:
    for title in ("Bot\ncode, kind", "bucket\nsymbols", "state\nstrikes", "trades\nP&L", "share\nleft"):
        right = title in ("trades\nP&L", "share\nleft")
        table.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for one in members:
        strikes, trades, profit, share, left = _figures(one)
        table.add_row(
            _two(Text(one.id, "bold"), Text(f"{one.code}, {one.kind}", "dim")),
            _two(Text(one.bucket), _symbols(one)),
            _two(_state(one), strikes),
            _two(trades, profit),
            _two(share, left),
        )
    return table


def _two(above: Text, below: Text) -> Text:
    return Text("\n").join((above, below))


def _symbols(one: Member) -> Text:
    return Text(" ".join(one.symbols))


def _state(one: Member) -> Text:
    told = Text(one.state, _STATE[one.state])
    return told.append(f": {one.why}", "dim") if one.why else told


def _figures(one: Member) -> tuple[Text, Text, Text, Text, Text]:
    """Strikes, trades, profit, share and what is left of it."""
    return (
        Text(str(one.strikes), "red" if one.strikes else ""),
        Text(f"{one.trades_today}/{one.trades_today + one.trades_left}"),
        Text(words.short_change(one.profit_today), styles.gain(one.profit_today)),
        Text("-" if one.share is None else words.short_dollars(one.share)),
        Text("-" if one.left is None else words.short_dollars(one.left)),
    )
