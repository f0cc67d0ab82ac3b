"""The live view's picture: ``picture(facts, width, height)`` is at most ``height`` lines of at most ``width`` cells.

Sections share the height: each first gets its least, then the rest is dealt in turn up to what each has to show. What does
not fit is counted in a last line, never silently left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from textwrap import wrap

from rich.console import Group
from rich.text import Text

from hydra.cli.screen import styles, words
from hydra.cli.screen.decisions import Decision, Decisions
from hydra.cli.screen.figures import BudgetUse, budget_uses, day_profit, open_profit, price_now, structure_profit
from hydra.cli.screen.lines import Column, crop, sides, table_lines
from hydra.cli.screen.structures import name_of, parts_of
from hydra.cli.screen.tally import Tally
from hydra.engine.cycle import CycleReport
from hydra.model.money import ZERO
from hydra.model.portfolio import Holding
from hydra.model.snapshot import GateAnswer, Verdict
from hydra.model.structures import Structure
from hydra.policy import Policy

_DECISIONS_MOST = 8
_WRAP_LEAST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that one picture shows."""

    policy: Policy
    run: str
    market: str
    pace: str
    report: CycleReport
    tally: Tally
    decisions: Decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the picture: how many lines it must, should and could have, and how it is drawn into so many."""

    least: int
    most: int
    draw: Callable[[int], list[Text]]


def picture(facts: Facts, width: int, height: int) -> Group:
    """The whole screen."""
    head, foot = _head(facts, width), [_foot(facts.tally, width)]
    sections = [_gates(facts, width), *_held(facts, width), _bots(facts, width), _decisions(facts, width)]
    heights = _deal(sections, height - len(head) - len(foot))
    drawn = [section.draw(lines)[:lines] for section, lines in zip(sections, heights, strict=True) if lines]
    spare = height - len(head) - len(foot) - sum(map(len, drawn))
    airy = spare >= len(drawn)
    body = [line for lines in drawn for line in ([Text(""), *lines] if airy else lines)]
    blank = [Text("")] * (height - len(head) - len(foot) - len(body))
    return Group(*(*head, *body, *blank, *foot)[:height])


def _deal(sections: list[Section], room: int) -> list[int]:
    heights = [0] * len(sections)
    for limit in ("least", "most"):
        growing = True
        while growing and sum(heights) < room:
            growing = False
            for n, section in enumerate(sections):
                if heights[n] < getattr(section, limit) and sum(heights) < room:
                    heights[n] += 1
                    growing = True
    return heights


def _head(facts: Facts, width: int) -> list[Text]:
    report, ledger, policy = facts.report, facts.report.ledger, facts.policy
    mode = report.plan.mode
    lines = [crop(Text(styles.PRACTICE.center(width), styles.PRACTICE_STYLE), width)] if policy.practice else []
    first = Text.assemble((f" {mode.value.upper()} ", styles.MODE[mode]), f"  {policy.mode.upper()}  ", facts.pace)
    right = [Text(_when(facts)), Text(words.one_line(facts.market), "dim")]
    lines.append(sides(first, right, width))
    day = day_profit(ledger)
    share = words.percent(day, ledger.day.start_equity) if day is not None and ledger.day is not None else ""
    money = Text.assemble("equity ", (words.dollars(ledger.equity), "bold"), "   day ")
    money.append(f"{words.change(day)} {f'({share})' if share else ''}".rstrip(), styles.gain(day))
    lines.append(sides(money, [Text(f"cycle {facts.tally.cycles:,}"), Text(f"run {facts.run}", "dim")], width))
    lines += _misfit(facts, width)
    lines += [crop(Text(f"{halt.kind}: {words.one_line(halt.reason)}", "bold red"), width) for halt in ledger.halts[:2]]
    return lines


def _misfit(facts: Facts, width: int) -> list[Text]:
    """A line for a certificate that has stopped fitting: what changed, and what that means."""
    certificate, sight = facts.report.ledger.certificate, facts.report.snapshot.sight
    if certificate is None:
        return []
    failure = sight.missing.get("binding")
    why = (
        failure.reason if failure is not None else None if sight.binding is None else sight.binding.misfit(certificate)
    )
    if why is None:
        return []
    return [crop(Text(f"exits only, the certificate does not fit: {words.one_line(why)}", "bold red"), width)]


def _when(facts: Facts) -> str:
    sight = facts.report.snapshot.sight
    at = f"{facts.report.snapshot.at:%Y-%m-%d %H:%M:%S}Z"
    if sight.sessions is None:
        return at
    return f"{at} ({sight.sessions.minute // 60:02}:{sight.sessions.minute % 60:02} exchange)"


def _foot(tally: Tally, width: int) -> Text:
    times = f"cycle {words.millis(tally.times.quantile(0.5))} median, {words.millis(tally.times.quantile(0.99))} p99"
    done = [
        Text(words.some(tally.orders, "order")),
        Text(words.some(tally.fills, "fill")),
        Text(f"{words.some(tally.trades.count, 'trade')} {words.short_change(tally.trades.profit)}"),
        Text("Ctrl-C stops"),
    ]
    line = sides(Text(times), done, width)
    line.stylize("dim")
    return line


def _gates(facts: Facts, width: int) -> Section:
    """Passing gates by name on one line, the others grouped by gate and verdict with the first one's reason."""
    answers = facts.report.considered.gates
    shut: dict[tuple[str, Verdict], list[GateAnswer]] = {}
    for answer in answers:
        if answer.verdict is not Verdict.PASS:
            shut.setdefault((answer.gate, answer.verdict), []).append(answer)
    names = dict.fromkeys(answer.gate for answer in answers)
    passing = [name for name in names if not any(gate == name for gate, _ in shut)]
    order = sorted(shut.items(), key=lambda item: item[0][1] is not Verdict.REFUSE)
    rows = [_gate_row(gate, verdict, some) for (gate, verdict), some in order]
    title = Text.assemble(("Gates ", "bold"), (f" {len(passing)} of {len(names)} open ", "" if shut else "green"))
    title.append(_as_many_as_fit(passing, width - title.cell_len), "dim")
    columns = (Column(title="gate", cut=True), Column(title="verdict"), Column(title="reason", cut=True))

    def draw(lines: int) -> list[Text]:
        return [crop(title.copy(), width), *table_lines(columns, _some(rows, lines - 1, 3), width)[1:]]

    return Section(least=1 + min(len(rows), 2), most=1 + len(rows), draw=draw)


def _as_many_as_fit(names: list[str], room: int) -> str:
    """Whole names only, and how many more there are."""
    text = ""
    for n, name in enumerate(names):
        more = f" +{len(names) - n}"
        tail = len(more) if n + 1 < len(names) else 0
        if len(text) + 1 + len(name) + tail > room:
            return text + more if len(text) + len(more) <= room else text
        text += " " + name
    return text


def _gate_row(gate: str, verdict: Verdict, answers: list[GateAnswer]) -> list[Text]:
    more = f"(and {len(answers) - 1} more) " if len(answers) > 1 else ""
    style = styles.VERDICT[verdict.value]
    return [Text(gate), Text(verdict.value, style), Text(more + words.one_line(answers[0].reason))]


_POSITIONS = (
    Column(title="Positions", cut=True),
    Column(title="symbol", cut=True),
    Column(title="quantity", right=True),
    Column(title="average", right=True, drop=2),
    Column(title="last", right=True, drop=1),
    Column(title="stop", right=True, drop=3),
    Column(title="target", right=True, drop=4),
    Column(title="open P&L", right=True),
)


def _held(facts: Facts, width: int) -> list[Section]:
    """What is held: one by one, as structures, or none of it."""
    alone, structures = parts_of(facts.report.ledger)
    return [
        *([_positions(facts, alone, width)] if alone or not structures else []),
        *([_structures(facts, structures, width)] if structures else []),
    ]


def _positions(facts: Facts, holdings: tuple[Holding, ...], width: int) -> Section:
    def draw(lines: int) -> list[Text]:
        if not holdings:
            return [Text.assemble(("Positions ", "bold"), (" none", "dim"))]
        rows = _some(
            [_position(facts, one) for one in holdings[: max(lines, 1)]], lines - 1, len(_POSITIONS), len(holdings)
        )
        return table_lines(_POSITIONS, rows, width)

    return Section(least=1 + min(len(holdings), 2), most=1 + len(holdings), draw=draw)


def _position(facts: Facts, holding: Holding) -> list[Text]:
    sight, protection = facts.report.snapshot.sight, holding.protection
    profit = open_profit(holding, sight)
    stop = words.price(None if protection is None else protection.stop)
    return [
        Text(holding.bot),
        Text(holding.symbol, "bold"),
        Text(words.quantity(holding.quantity)),
        Text(words.price(holding.average_price)),
        Text(words.price(price_now(holding.symbol, sight))),
        Text(stop, "bold red" if holding.unprotected_since is not None else ""),
        Text(words.price(None if protection is None else protection.target)),
        Text(words.short_change(profit), styles.gain(profit)),
    ]


_STRUCTURES = (
    Column(title="Structures", cut=True),
    Column(title="contracts", cut=True, least=len("GOOG iron condor")),
    Column(title="units", right=True),
    Column(title="expires", right=True, drop=3),
    Column(title="credit", right=True, drop=1),
    Column(title="can lose", right=True, drop=2),
    Column(title="open P&L", right=True),
)


def _structures(facts: Facts, structures: tuple[Structure, ...], width: int) -> Section:
    def draw(lines: int) -> list[Text]:
        rows = [_structure(facts, one) for one in structures[: max(lines, 1)]]
        return table_lines(_STRUCTURES, _some(rows, lines - 1, len(_STRUCTURES), len(structures)), width)

    return Section(least=1 + min(len(structures), 2), most=1 + len(structures), draw=draw)


def _structure(facts: Facts, one: Structure) -> list[Text]:
    profit = structure_profit(one, facts.report.snapshot.sight)
    return [
        Text(one.bot),
        Text(name_of(one), "bold"),
        Text(words.quantity(one.units)),
        Text(f"{one.expiry:%m-%d}"),
        Text(words.short_change(-one.paid)),
        Text(words.most_lost(one.most_lost), "bold red" if one.most_lost is None else ""),
        Text(words.short_change(profit), styles.gain(profit)),
    ]


_BOTS = (
    Column(title="Bots", cut=True),
    Column(title="risk budget", drop=2),
    Column(title="used", right=True),
    Column(title="of", right=True),
    Column(title="day P&L", right=True),
    Column(title="trades", right=True, drop=1),
    Column(title="strikes", right=True, drop=3),
)
_BAR = 12


def _bots(facts: Facts, width: int) -> Section:
    enabled = len(facts.policy.enabled_bots)

    def draw(lines: int) -> list[Text]:
        uses = budget_uses(facts.policy, facts.report.ledger)
        busiest = uses if len(uses) < lines else sorted(uses, key=_busiest_first)
        rows = [_bot(use) for use in busiest[: max(lines, 1)]]
        return table_lines(_BOTS, _some(rows, lines - 1, len(_BOTS), len(uses)), width)

    return Section(least=1 + min(enabled, 2), most=1 + enabled, draw=draw)


def _busiest_first(use: BudgetUse) -> tuple[bool, Decimal, int]:
    """What has no bound comes first."""
    return use.used is not None, -(use.used or ZERO), -use.trades_today


def _bot(use: BudgetUse) -> list[Text]:
    share = 1.0 if use.used is None else float(use.used / use.budget) if use.budget > 0 else 0.0
    full = min(_BAR, round(share * _BAR))
    colour = "red" if share >= 0.9 else "yellow" if share >= 0.5 else "green"
    bar = Text.assemble(("=" * full, colour), ("." * (_BAR - full), "dim"))
    return [
        Text(use.bot),
        bar,
        Text("no bound" if use.used is None else words.short_dollars(use.used)),
        Text(words.short_dollars(use.budget)),
        Text(words.short_change(use.realized_today), styles.gain(use.realized_today)),
        Text(f"{use.trades_today}/{use.trades_most}"),
        Text(str(use.strikes), "red" if use.strikes else "dim"),
    ]


def _decisions(facts: Facts, width: int) -> Section:
    """The newest first; with room to spare, long reasons go on below."""
    latest = facts.decisions.latest(_DECISIONS_MOST)
    columns = (
        Column(title="Decisions"),
        Column(title="", drop=1),
        Column(title="", cut=True),
        Column(title="", cut=True),
    )

    def draw(lines: int) -> list[Text]:
        if not latest:
            return [Text.assemble(("Decisions ", "bold"), (" none yet", "dim"))]
        today = facts.report.snapshot.at
        shown = latest[: max(lines - 1, 1)]
        tidy = table_lines(columns, [_decision(one, today) for one in shown], width)
        spare = lines - len(tidy)
        told = tidy[:1]
        for one, line in zip(shown, tidy[1:], strict=True):
            whole = _in_full(one, line, width) if spare > 0 else [line]
            told += whole
            spare -= len(whole) - 1
        return told

    return Section(least=4, most=1 + 2 * len(latest), draw=draw)


def _decision(one: Decision, today: datetime) -> list[Text]:
    at = f"{one.at:%H:%M:%S}" if one.at.date() == today.date() else f"{one.at:%m-%d %H:%M}"
    return [Text(at, "dim"), Text(one.kind, styles.DECISION.get(one.kind, "")), Text(one.subject), Text(_told(one))]


def _told(one: Decision) -> str:
    return (f"({one.times:,} times) " if one.times > 1 else "") + words.one_line(one.text)


def _in_full(one: Decision, line: Text, width: int) -> list[Text]:
    """A decision whose reason was cut, on two lines."""
    whole, visible = _told(one), line.plain[:-1]
    length = next((n for n in range(min(len(whole), len(visible)), 0, -1) if visible.endswith(whole[:n])), 0)
    if not line.plain.endswith("…") or length < _WRAP_LEAST:
        return [line]
    indent = len(visible) - length
    first = wrap(whole, width - indent, break_on_hyphens=False)[0]  # an order's name is not torn at its hyphen
    rest = whole[len(first) :].lstrip()
    begun = line[:indent].append(first)
    return [crop(begun, width), crop(Text(" " * indent + rest), width)] if rest else [line]


def _some(rows: list[list[Text]], room: int, cells: int, total: int | None = None) -> list[list[Text]]:
    """As many rows as there is room for; the last one says how many more there are."""
    total = len(rows) if total is None else total
    if total <= room or room < 1:
        return rows[: max(room, 0)]
    more = Text(f"+{total - room + 1} more", "dim")
    return [*rows[: room - 1], [more, *[Text("")] * (cells - 1)]]
