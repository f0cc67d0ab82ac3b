"""A bot stress report for people: what was asked, what every hostile bot tried and got, and the verdict last."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hydra.qc.stress_report import BotStress, StressReport

_PROBLEMS_MOST = 60


def stress_table(report: StressReport) -> RenderableType:
    """The whole report: bot by bot, attempt by attempt, the facts, the verdict."""
    parts: list[RenderableType] = [_crowd(report), Text("")]
    if any(bot.attempts for bot in report.bots):
        parts += [_attempts(report), Text("")]
    return Group(*parts, _facts(report), Text(""), *_verdict(report))


def _crowd(report: StressReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bot", no_wrap=True)
    table.add_column("tries", ratio=3)
    table.add_column("held by", ratio=1)
    table.add_column("came of it", ratio=3)
    troubled = {problem.partition(":")[0] for problem in report.problems}
    for bot in report.bots:
        style = "bold red" if bot.bot in troubled else ""
        table.add_row(Text(bot.bot, style), bot.tries, bot.held_by, Text(ended(bot), style))
    return table


def ended(bot: BotStress) -> str:
    """How a bot ended and what its attempts came to, with counts."""
    parts = [f"answered {bot.answered:,}"] if bot.answered else []
    parts += [f"{kind} {count:,}" for kind, count in sorted(bot.failures.items())]
    counts: dict[str, int] = {}
    for outcomes in bot.attempts.values():
        for words, count in outcomes.items():
            how = words.partition(":")[0]
            counts[how] = counts.get(how, 0) + count
    tried = [f"{how} {count:,}" for how, count in sorted(counts.items())]
    told = ", ".join(parts) or "never asked"
    return f"{told}; {len(bot.attempts)} attempts: {', '.join(tried)}" if tried else told


def _attempts(report: StressReport) -> Table:
    """Every attempt by name, those with the same outcome in one row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bot", no_wrap=True)
    table.add_column("outcome", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("attempts", ratio=1)
    for bot in report.bots:
        by_outcome: dict[tuple[str, int], list[str]] = {}
        for name, outcomes in bot.attempts.items():
            for words, count in outcomes.items():
                by_outcome.setdefault((words, count), []).append(name)
        for (words, count), names in by_outcome.items():
            style = "" if words.startswith(("refused", "nothing")) else "bold red"
            table.add_row(bot.bot, Text(words, style), f"{count:,}", ", ".join(names))
    return table


def _facts(report: StressReport) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for name, told in _told(report):
        table.add_row(name, Text(told))
    return table


def _told(report: StressReport) -> Iterator[tuple[str, str]]:
    isolation, asks = report.isolation, report.asks
    open_ = f"; open: {', '.join(isolation.open)}" if isolation.open else ""
    offered = f"Landlock {isolation.landlock}" if isolation.landlock else "no Landlock"
    offered += ", seccomp" if isolation.seccomp else ", no seccomp"
    yield "bots", f"{isolation.host}; held: {', '.join(isolation.held) or 'nothing'}{open_} ({offered})"
    yield (
        "asking all",
        f"median {asks.median_ms:,.0f} ms, p99 {asks.p99_ms:,.0f}, longest {asks.longest_ms:,.0f} "
        f"(deadline {report.deadline_ms:,}, allowed {report.allowed_ms:,.0f}; alone: longest {report.asks_alone.longest_ms:,.1f})",
    )
    same = "identical to a run without them" if not report.differs else f"NOT identical: {report.differs}"
    yield "good bot", f"{report.good_intents:,} wishes, {report.good_sends:,} orders, {same}"
    yield "planted key", f"found in {', '.join(report.keys_in)}" if report.keys_in else "found nowhere"
    yield "planted files", "; ".join(report.spoiled) or "untouched"
    reached = ", ".join(f"{kind} {count:,}" for kind, count in report.reached.items())
    yield "listeners", f"reached: {reached}" if reached else "reached by nobody"
    yield "processes", f"at most {report.most_processes:,} at one time, left behind: {', '.join(report.left) or 'none'}"
    yield "descriptors", f"at most {report.descriptors:,} more at one time, {report.descriptors_left:,} more afterwards"


def _verdict(report: StressReport) -> Iterator[Text]:
    problems = report.problems
    for problem in problems[:_PROBLEMS_MOST]:
        yield Text(f"- {problem}", "red")
    if len(problems) > _PROBLEMS_MOST:
        yield Text(f"- and {len(problems) - _PROBLEMS_MOST} more", "red")
    played = f"{len(report.bots)} hostile bots, {report.cycles:,} cycles, {report.seconds:,.0f} s"
    if problems:
        yield Text(f"NOT HELD: {len(problems)} problems; {played}", "bold red")
    else:
        yield Text(f"HELD: {played}", "bold green")
