"""What a tournament's votes were worth, for people: the leaderboard first, then the seats, then what chance would have done.

Readable at 80 columns and in a pipe. What may not be said for want of data is said to be that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import styles, words
from hydra.cli.screen.summary import pairs
from hydra.gladiators.score.measure import LEAST, STAKE, Kind, Measured, Verdict
from hydra.gladiators.score.players import HINDSIGHT
from hydra.gladiators.score.score import Score, SeatScore
from hydra.gladiators.score.sums import Read
from hydra.study.tournament import said
from hydra.study.tournament.sources import Tournament

_WIDE_FROM = 112
_NAME_MOST, _ENGINE_MOST, _REASONS_MOST = 22, 24, 3
_VERDICT_STYLE = {
    Verdict.BETTER: "green",
    Verdict.WORSE: "red",
    Verdict.COIN: "yellow",
    Verdict.NOT_ENOUGH: "dim",
    Verdict.NO_CALLS: "dim",
}


def scored(score: Score, source: Tournament) -> RenderableType:
    """Everything the terminal shows of a score; ``--report`` has the pictures and ``--json`` every figure."""
    parts: list[RenderableType] = [Text(""), pairs(list(_facts(score, source))), Text(""), Leaderboard(score)]
    parts += [Text(""), *_verdicts(score, source), Text(""), Seats(score), Text(""), pairs(list(_chance(score)))]
    if score.challengers:
        parts += [Text(""), pairs(list(_challengers(score)))]
    return Group(*parts)


def _facts(score: Score, source: Tournament) -> Iterator[tuple[str, Text | str]]:
    terms = score.terms
    began, ended = score.began_at, score.ended_at
    runs = f" (goes on from {words.one_line(', '.join(source.runs[:-1]))})" if len(source.runs) > 1 else ""
    others = f"; {len(source.others):,} other runs in {words.one_line(str(source.folder))}" if source.others else ""
    yield "Run", f"{words.one_line(terms.run)}{runs}{others}"
    if terms.control:
        told = f"{words.one_line(terms.control)}: votes on changed briefs, scored on the real prices"
        yield "Control", Text(told, "bold yellow")
    if began is not None and ended is not None:
        yield (
            "Period",
            f"{began:%Y-%m-%d %H:%M}Z to {ended:%Y-%m-%d %H:%M}Z, {score.iterations:,} iterations of {', '.join(score.table.assets)}",
        )
    fates = ", ".join(f"{count:,} {fate}" for fate, count in sorted(score.fates.items()))
    yield "Outcomes", f"{fates}; prices from {words.one_line(source.prices_from)}"
    yield (
        "Terms",
        f"filled at the next open, judged {terms.horizon:,} candles of {terms.granularity:,} s later; hold band "
        f"{said.percent(terms.hold_band, 3)}, cost {said.percent(terms.cost, 3)} a side; ${STAKE} a call",
    )
    if terms.assumed:
        yield "Assumed", Text(f"nobody had written down: {', '.join(terms.assumed)}", "yellow")
    if score.regimes:
        yield "Regimes", ", ".join(f"{words.one_line(name)} {count:,}" for name, count in score.regimes.items())


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A row a player, seats by their Brier score, then the consensus, then what they are held against."""

    score: Score

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's own door."""
        wide = options.max_width >= _WIDE_FROM
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        table.add_column("", overflow="ellipsis", no_wrap=True, max_width=_NAME_MOST)
        heads = ["calls", "hit rate", "95%", "Brier", "log loss", "profit"]
        if wide:
            heads = ["calls", "hit rate", "95%", "Brier", "reliab.", "resol.", "log loss", "profit", "95%", "a call"]
        for name in heads:
            table.add_column(name, justify="right", no_wrap=True)
        for one in self.score.standings:
            table.add_row(_name(one), *_cells(one, wide=wide), end_section=one.player.kind is Kind.CONSENSUS)
        if self.score.buy_and_hold is not None:
            blank = [Text("")] * (7 if wide else 5)
            tail = [Text(""), Text("")] if wide else []
            held = self.score.buy_and_hold
            table.add_row(Text("buy and hold", "dim"), *blank, Text(said.profit(held), styles.gain(held)), *tail)
        yield table
        yield Text(
            f"- is {said.NOT_ENOUGH}: fewer than {LEAST} independent calls or {LEAST} probabilities, or no probability at all",
            "dim",
        )


def _name(one: Measured) -> Text:
    style = "bold" if one.player.kind in (Kind.SEAT, Kind.CONSENSUS) else "dim" if one.name == HINDSIGHT else ""
    label = {Kind.SEAT: f"seat {one.name}", Kind.CHALLENGER: f"shadow {one.name}"}.get(one.player.kind, one.name)
    return Text(words.one_line(label), style)


def _cells(one: Measured, *, wide: bool) -> list[Text]:
    hits, forecasts, profit = one.hits, one.forecasts, one.profit
    parts = forecasts.parts
    cells = [
        Text(f"{hits.calls:,}"),
        Text(_dash(hits.rate, said.percent), _VERDICT_STYLE[hits.verdict]),
        Text("-" if hits.interval is None else said.within(hits.interval).replace(" to ", "-"), "dim"),
        Text(_dash(None if parts is None else parts.brier, said.number)),
    ]
    if wide:
        cells += [
            Text(_dash(None if parts is None else parts.reliability, said.number)),
            Text(_dash(None if parts is None else parts.resolution, said.number)),
        ]
    cells.append(Text(_dash(forecasts.log_loss, said.number)))
    cells.append(Text(said.profit(profit.total) if profit.calls else "-", styles.gain(profit.total)))
    if wide:
        cells.append(
            Text(
                "-"
                if profit.interval is None
                else said.profits(profit.interval).replace(" to ", "..").replace("$", "").replace("+", ""),
                "dim",
            )
        )
        cells.append(Text(_dash(profit.a_call, said.points)))
    return cells


def _dash(value: float | None, told: Callable[[float | None], str]) -> str:
    return "-" if value is None else told(value)


def _verdicts(score: Score, source: Tournament) -> Iterable[RenderableType]:
    """Whether each hit rate says anything, in words."""
    rows: list[tuple[str, Text | str]] = []
    for one in [*(seat.measured for seat in score.seats), score.consensus]:
        label = f"Seat {one.name}" if one.player.kind is Kind.SEAT else "Consensus"
        rows.append((label, Text(one.hits.told, _VERDICT_STYLE[one.hits.verdict])))
    rows.append(("Account", said.traded(source.traded)))
    return [pairs(rows)]


@dataclass(frozen=True, slots=True)
class Seats:
    """A row a seat: what sits there, how it voted, how long it took and what it cost."""

    score: Score

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's own door."""
        wide = options.max_width >= _WIDE_FROM
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        table.add_column("", no_wrap=True)
        table.add_column("engine", overflow="ellipsis", no_wrap=True, max_width=_ENGINE_MOST if not wide else 40)
        for name in ("buy", "sell", "hold", "abst."):
            table.add_column(name, justify="right", no_wrap=True)
        heads = ["bias p", "p50", "p90", "p99", "tokens", "cost"] if wide else ["bias p", "p90", "cost"]
        for name in heads:
            table.add_column(name, justify="right", no_wrap=True)
        for one in (*self.score.seats, *self.score.challengers):
            table.add_row(*_seat_cells(one, wide=wide))
        yield table
        yield from _reasons(self.score)


def _seat_cells(one: SeatScore, *, wide: bool) -> list[Text]:
    sums = one.sums
    counts = [Text(f"{count:,}") for count in (sums.buy, sums.sell, sums.hold)]
    silent = Text(f"{sums.abstentions:,}", "yellow" if sums.abstentions else "dim")
    bias = Text("-" if sums.bias is None else said.chance(sums.bias).removeprefix("p = ").removeprefix("p "))
    times = [said.milliseconds(sums.latency.get(which)) for which in ((50, 90, 99) if wide else (90,))]
    spent = [Text(f"{sums.tokens_in + sums.tokens_out:,}")] if wide else []
    engine = Text(words.one_line(", ".join(sums.engines)) or "-")
    return [
        Text(sums.seat, "bold"), engine, *counts, silent, bias, *(Text(one) for one in times), *spent, Text(said.money(sums.cost)),
    ]  # fmt: skip


def _reasons(score: Score) -> Iterator[Text]:
    for one in (*score.seats, *score.challengers):
        sums = one.sums
        if sums.abstained:
            named = list(sums.abstained.items())
            shown = ", ".join(f"{words.one_line(why)} {count:,}" for why, count in named[:_REASONS_MOST])
            more = f", {len(named) - _REASONS_MOST} more reasons" if len(named) > _REASONS_MOST else ""
            yield Text(f"{sums.seat} abstained: {shown}{more}", "yellow")
        if sums.read not in (Read.RULES, Read.NOBODY, Read.CLEAN):
            cutoff = "" if sums.cutoff is None else f" ({sums.contaminated:,} votes up to {sums.cutoff:%Y-%m-%d})"
            yield Text(f"{sums.seat}: {sums.read}{cutoff}", "yellow")


def _chance(score: Score) -> Iterator[tuple[str, Text | str]]:
    agreed, agreement, learnt = score.agreed, score.agreement, score.learnt
    own = (
        "" if agreed.own is None else f"; the same seats without regard to one another {said.percent(agreed.own.rate)}"
    )
    yield (
        "Consensus",
        f"on a direction in {said.percent(agreed.rate)} of iterations ({said.within(agreed.interval)}); random voters "
        f"{said.percent(agreed.uniform.rate)}{own}",
    )
    luck = agreed.luck
    yield (
        "Random",
        f"such a quorum earns {said.profit(luck.mean)} after costs; 95% of them {said.profits(luck.interval)}",
    )
    yield "Bias", f"{agreed.buy:,} BUY, {agreed.sell:,} SELL by consensus ({_p(agreed.bias)} for a fair coin)"
    yield (
        "Agreement",
        f"entropy {said.number(agreement.entropy, 2)} of 1.58 bits, unanimous {said.percent(agreement.unanimous)}; worth "
        f"{said.number(agreement.effective, 2)} independent voters of {agreement.voters}",
    )
    yield "Pairs", ", ".join(f"{one.one}{one.other} {said.percent(one.same, 0)}" for one in agreement.pairs) or "none"
    yield (
        "Without",
        "; ".join(f"{one.seat} {_worse(one.worse)}" for one in agreement.without)
        + " (Brier of the pool; above 0 the seat helps)",
    )
    weights = ", ".join(
        f"{name} {weight:.2f}" + ("" if interval is None else f" ({said.between(interval, 2)})")
        for name, weight, interval in zip(score.table.seats, learnt.weights, learnt.intervals, strict=True)
        if weight is not None
    )
    yield "Weights", f"{weights}, learnt from {learnt.outcomes:,} outcomes, shrunk toward equal"


def _p(value: float | None) -> str:
    return "no call" if value is None else said.chance(value)


def _worse(value: float | None) -> str:
    return said.NOT_ENOUGH if value is None else f"{value:+.4f}"


def _challengers(score: Score) -> Iterator[tuple[str, Text | str]]:
    for one in score.duels:
        against = f"against seat {words.one_line(one.seat)}, " if one.seat else ""
        of = f" of {one.announced:,} announced" if one.announced else ""
        found = ""
        if one.difference is not None:
            found = f", Brier {one.difference:+.4f} ({said.between(one.interval)}), {said.chance(one.p_value)}"
        yield f"Shadow {one.challenger}", f"{against}{one.pairs:,} pairs{of}{found}: {one.outlook}"
