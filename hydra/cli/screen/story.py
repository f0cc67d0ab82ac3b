"""One cycle told: seen, gates, managed, asked, judged, sent, answered, closed, and why nothing was done where nothing was.

Every part is lines that fold; nothing is cut, so that a number is never a wrong one. In a pipe it is the same, without colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hydra.adapters.calendar import NEW_YORK
from hydra.cli.screen import styles, words
from hydra.cli.screen.story_lines import (
    answers_of,
    closed_of,
    fills_of,
    managed_of,
    not_done_of,
    seen_of,
    sent_of,
    what_of,
)
from hydra.engine.story import Story
from hydra.model.events import Event, OrderSent
from hydra.model.orders import Judgement, Skip
from hydra.model.snapshot import Plan, Verdict
from hydra.model.values import Value, replace

_INDENT = (0, 0, 0, 2)


def story_shown(story: Story, bot: str | None = None) -> RenderableType:
    """For a terminal of any width from about 60 on."""
    parts: list[RenderableType] = [_head(story)]
    for title, lines in _sections(story, bot):
        parts += [Text(""), Text(title, "bold cyan"), Padding(Group(*lines), _INDENT)]
    return Group(*parts)


def _sections(story: Story, bot: str | None) -> Iterator[tuple[str, Sequence[RenderableType]]]:
    yield "Seen", seen_of(story)
    yield "Gates", _gates(story)
    managed = managed_of(story, bot)
    if managed:
        yield "Managed", managed
    yield "Asked", answers_of(story, bot)
    judgements = _judgements(story, bot)
    if judgements:
        yield "Judged", [part for judged in judgements for part in _judged(judged)]
    sent = sent_of(story, bot)
    if sent:
        yield "Sent", sent
    skipped = not_done_of(story, bot)
    if skipped:
        yield "Not done", skipped
    filled = fills_of(story, bot)
    if filled:
        yield "By the next look", filled
    yield "Closed" if story.closed is not None else "Cut off", closed_of(story)
    yield "Decided again", _again(story)


def _head(story: Story) -> Text:
    seen, event = story.seen, story.events[0]
    local = seen.at.astimezone(NEW_YORK)
    head = Text.assemble(
        (f"Cycle {seen.cycle:,}", "bold"), f"  {seen.at:%Y-%m-%d %H:%M:%S}Z, {local:%A %H:%M:%S} in New York\n"
    )
    head.append(f"run {event.run}, events {event.seq:,} to {story.events[-1].seq:,}\n", "dim")
    mode = story.considered.mode
    head.append(f" {mode.value.upper()} ", styles.MODE[mode]).append(" ").append(in_short(story))
    return head


def in_short(story: Story) -> str:
    """What came of the cycle, in one sentence."""
    plan = story.plan
    if plan is None:
        return "it was cut off before anything was decided"
    sent = sum(isinstance(event.data, OrderSent) for event in story.events)
    left = f" of {words.some(len(plan.sends), 'order')}" if sent < len(plan.sends) else ""
    did = [
        f"{sent}{left} sent" if left else words.some(sent, "order sent", "orders sent"),
        words.some(len(plan.cancels), "cancellation"),
        words.some(len(plan.stops), "stop moved", "stops moved"),
        words.some(len(plan.halts), "halt"),
    ]
    done = [text for text in did if not text.startswith("0 ") or " of " in text]
    if done:
        return ", ".join(done) + ("" if story.closed is not None else "; then it was cut off")
    why = list(dict.fromkeys(words.in_words(skip.code) for skip in plan.skips)) or ["nobody wished anything"]
    return f"nothing was done: {'; '.join(why)}"


def _gates(story: Story) -> list[RenderableType]:
    answers = story.considered.gates
    lines: list[RenderableType] = []
    for answer in answers:
        if answer.verdict is not Verdict.PASS:
            of = f" ({answer.key})" if answer.key else ""
            style = styles.VERDICT[answer.verdict.value]
            lines.append(
                Text.assemble(
                    (f"{answer.verdict.value.upper()} ", style), f"{answer.gate}{of}: ", words.one_line(answer.reason)
                )
            )
    open_ones = len({answer.gate for answer in answers} - {a.gate for a in answers if a.verdict is not Verdict.PASS})
    lines.append(Text(f"{words.some(open_ones, 'gate')} open, {words.some(len(answers), 'answer')} in all", "dim"))
    return lines


def _judgements(story: Story, bot: str | None) -> list[Judgement]:
    judgements = () if story.plan is None else story.plan.judgements
    return [judged for judged in judgements if bot is None or judged.intent.bot == bot]


def _judged(judged: Judgement) -> Iterator[RenderableType]:
    """What was asked, every rule's ceiling from the lowest up, and what was admitted."""
    intent = judged.intent
    what = what_of(intent)
    asked, admitted = words.quantity(judged.asked), words.quantity(judged.admitted)
    line = Text.assemble((f"{intent.bot} {intent.side} {what}", "bold"), f": asked {asked}, admitted ")
    yield line.append(admitted, "bold green" if judged.admitted else "bold red")
    if not judged.ceilings:
        if judged.reason:
            yield Text(f"  {words.one_line(judged.reason)}")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("ceiling", justify="right", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("why", overflow="fold")
    lowest = min(ceiling.quantity for ceiling in judged.ceilings)
    for ceiling in sorted(judged.ceilings, key=lambda one: one.quantity):
        bites = ceiling.quantity == lowest and lowest < judged.asked
        style = "bold yellow" if bites else "" if ceiling.quantity < judged.asked else "dim"
        why = words.one_line(ceiling.reason) + (" <- the lowest" if bites else "")
        table.add_row(Text(words.quantity(ceiling.quantity), style), Text(ceiling.rule, style), Text(why, style))
    yield Padding(table, _INDENT)
    if judged.reason:
        yield Text(f"  so: {words.one_line(judged.reason)}")
    elif judged.admitted < judged.asked:
        yield Text(f"  so: {words.quantity(lowest)}, rounded down to what the venue takes")


def _again(story: Story) -> list[RenderableType]:
    difference = story.difference
    if difference is None:
        return [Text("identical", "green")]
    return [
        Text(
            f"differs: {difference.kind}.{one.where}: recorded {one.recorded}, recomputed {one.recomputed}", "bold red"
        )
        for one in difference.fields
    ]


# -- the same as data


def story_document(story: Story, bot: str | None = None) -> dict[str, Any]:
    """The same as JSON-ready data."""
    built = msgspec.to_builtins
    plan, seen, difference = story.plan, story.seen, story.difference
    mine = _of_bot(plan, bot)
    return {
        "message": f"cycle {seen.cycle}: {in_short(story)}",
        "cycle": seen.cycle,
        "run": story.events[0].run,
        "at": built(seen.at),
        "seqs": [story.events[0].seq, story.events[-1].seq],
        "mode": story.considered.mode.value,
        "seen": built(seen),
        "equity": built(story.after.equity),
        "quotes": built(dict(story.sight.quotes)),
        "gates": [built(answer) for answer in story.considered.gates],
        "asked": [question.bot for question in story.considered.questions if bot in (None, question.bot)],
        "answers": [] if story.answered is None else [built(a) for a in story.answered.answers if bot in (None, a.bot)],
        "plan": None if mine is None else built(mine),
        "acted": [{"seq": event.seq, "kind": event.kind, "data": built(event.data)} for event in _acted(story, bot)],
        "fills": built(story.fills),
        "closed": story.closed is not None,
        "micros": None if story.closed is None else dict(story.closed.micros),
        "next_run": story.next_run or None,
        "identical": difference is None,
        "difference": None
        if difference is None
        else [
            {"where": f"{difference.kind}.{one.where}", "recorded": one.recorded, "recomputed": one.recomputed}
            for one in difference.fields
        ],
    }


def _of_bot(plan: Plan | None, bot: str | None) -> Plan | None:
    if plan is None or bot is None:
        return plan
    return replace(
        plan,
        skips=tuple(skip for skip in plan.skips if _whose(skip) == bot),
        judgements=tuple(judged for judged in plan.judgements if judged.intent.bot == bot),
        sends=tuple(send for send in plan.sends if send.order.bot == bot),
        stops=tuple(moved for moved in plan.stops if moved.bot == bot),
    )


def _whose(skip: Skip) -> str:
    return skip.subject.partition("|")[0]


def _acted(story: Story, bot: str | None) -> Iterator[Event]:
    decided = next((event.seq for event in story.events if event.kind == "decided"), None)
    for event in story.events:
        if decided is not None and event.seq > decided and event.kind != "cycle_closed":
            order = story.after.orders.get(_client_id(event.data))
            if bot is None or (order is not None and order.bot == bot):
                yield event


def _client_id(data: Value) -> str:
    order = getattr(data, "order", None)
    return str(getattr(data, "client_id", None) or getattr(order, "client_id", ""))
