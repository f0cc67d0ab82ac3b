"""The tables of the page: the leaderboard, the seats, what the seats add, weights, challengers, and a control."""

from __future__ import annotations

from hydra.gladiators.score.against import Controlled
from hydra.gladiators.score.measure import STAKE, Kind, Measured
from hydra.gladiators.score.score import Score, SeatScore
from hydra.qc.report import parts
from hydra.qc.report.html import Child, Html, tag
from hydra.study.tournament import said

_HEADS = (
    ("", "who"),
    ("calls", "BUY and SELL; flat ones ended within the hold band, open ones are not known yet"),
    ("hit rate", "hits / (hits + misses), with its 95% interval from the block bootstrap"),
    ("Brier", "mean of (probability - what happened)²; 0.25 is what 50% always gets"),
    ("reliability", "how far what was said is from how often it came; 0 is best"),
    ("resolution", "how far what came differs between what was said; more is better"),
    ("log loss", "mean of -ln of the probability given to what happened; 0.693 is what 50% always gets"),
    ("profit", f"${STAKE} a call after costs, with its 95% interval"),
    ("a call", "mean profit of a call, hundredths of a percent of the stake"),
)
_BROKE_MOST = 60


def board(score: Score, ordered: list[Measured]) -> Html:
    """The leaderboard, with buy and hold at its end."""
    head = tag(
        "tr",
        [tag("th", name, class_="n" if place else None, title=words) for place, (name, words) in enumerate(_HEADS)],
    )
    body = [_board_row(one) for one in ordered]
    if score.buy_and_hold is not None:
        blank = [tag("td", "", class_="n") for _ in range(6)]
        cells = [tag("td", "buy and hold", title=f"${STAKE} split over the assets, held from first to last"), *blank]
        body.append(tag("tr", cells, tag("td", _coloured(score.buy_and_hold), class_="n"), tag("td", "")))
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_="grid board"), class_="wide")


def _board_row(one: Measured) -> Html:
    hits, forecasts, profit = one.hits, one.forecasts, one.profit
    split = forecasts.parts
    more = f"{hits.hits:,} hits, {hits.misses:,} misses, {hits.flat:,} flat, {hits.open:,} not known yet"
    cells = [
        tag("td", _label(one), title=one.player.note or None),
        tag("td", f"{hits.calls:,}", class_="n", title=more),
        _cell(None if hits.rate is None else said.percent(hits.rate), None if hits.interval is None else said.within(hits.interval)),
        _cell(None if split is None else said.number(split.brier), None if forecasts.interval is None else said.between(forecasts.interval, 3)),
        _cell(None if split is None else said.number(split.reliability)),
        _cell(None if split is None else said.number(split.resolution)),
        _cell(None if forecasts.log_loss is None else said.number(forecasts.log_loss)),
        _cell(_coloured(profit.total) if profit.calls else None, None if profit.interval is None else said.profits(profit.interval)),
        _cell(None if profit.a_call is None else said.points(profit.a_call)),
    ]  # fmt: skip
    return tag("tr", cells, class_=str(one.player.kind))


def _label(one: Measured) -> str:
    return {Kind.SEAT: f"seat {one.name}", Kind.CHALLENGER: f"shadow {one.name}"}.get(one.player.kind, one.name)


def _cell(told: Child, below: str | None = None) -> Html:
    if told is None:
        return tag("td", "·", class_="n none", title=said.NOT_ENOUGH)
    return tag("td", told, tag("span", below, class_="pair") if below else None, class_="n")


def _coloured(share: float) -> Html:
    return tag("span", said.profit(share), class_="up" if share > 0 else "down" if share < 0 else None)


def verdicts(score: Score) -> Html:
    """Whether each hit rate says anything."""
    every = [*(one.measured for one in (*score.seats, *score.challengers)), score.consensus, *score.baselines]
    rows: list[list[Child]] = [
        [
            tag("span", _label(one), class_="whole"),
            tag("span", one.hits.told, class_="last"),
            "·" if one.hits.wilson is None else said.within(one.hits.wilson),
            f"{one.hits.independent:,}",
            "·" if one.hits.needed is None else f"{one.hits.needed:,}",
        ]
        for one in every
    ]
    return parts.table(
        ("", "", "Wilson's 95%", "independent calls", "needed to show the rate"),
        rows,
        numbers={2, 3, 4},
    )


def seats(score: Score) -> Html:
    """What sat in each seat, how it voted, how long it took and what it cost."""
    heads = (
        "seat", "engine", "role", "BUY", "SELL", "HOLD", "abstained", "bias", "median", "90%", "99%", "slowest", "tokens in", "tokens out",
        "cost",
    )  # fmt: skip
    rows = [_seat(one) for one in (*score.seats, *score.challengers)]
    return parts.table(heads, rows, numbers=range(3, 15), class_="grid")


def _seat(one: SeatScore) -> list[Child]:
    sums = one.sums
    return [
        sums.seat, ", ".join(sums.engines) or "·", sums.role, f"{sums.buy:,}", f"{sums.sell:,}", f"{sums.hold:,}", f"{sums.abstentions:,}",
        "·" if sums.bias is None else said.chance(sums.bias), *(said.milliseconds(sums.latency.get(which)) for which in (50, 90, 99)),
        said.milliseconds(sums.latency_most), f"{sums.tokens_in:,}", f"{sums.tokens_out:,}", said.money(sums.cost),
    ]  # fmt: skip


def abstentions(score: Score) -> Html | None:
    """Why there was no vote, by seat."""
    crossed = {
        one.sums.seat: dict(one.sums.abstained) for one in (*score.seats, *score.challengers) if one.sums.abstained
    }
    return parts.grid(crossed, "seat") if crossed else None


def contamination(score: Score) -> Html:
    """How much of it a seat's model could have read."""
    rows: list[list[Child]] = []
    for one in (*score.seats, *score.challengers):
        sums, clean = one.sums, one.clean
        split = None if clean is None else clean.forecasts.parts
        told = (
            "" if clean is None else f"Brier {said.number(None if split is None else split.brier)}, {clean.hits.told}"
        )
        cutoff = "·" if sums.cutoff is None else f"{sums.cutoff:%Y-%m-%d}"
        rows.append(
            [
                sums.seat,
                ", ".join(sums.models) or "·",
                cutoff,
                f"{sums.contaminated:,}",
                tag("span", str(sums.read), class_="last"),
                tag("span", told, class_="last") if told else "",
            ]
        )
    return parts.table(
        ("seat", "model", "training cutoff", "votes up to it", "", "the others alone"), rows, numbers={3}
    )


def without(score: Score) -> Html:
    """What each seat adds to the pool, and the weight it has learnt."""
    rows: list[list[Child]] = []
    learnt = score.learnt
    for place, one in enumerate(score.agreement.without):
        weight, interval = learnt.weights[place], learnt.intervals[place]
        rows.append(
            [
                one.seat,
                said.NOT_ENOUGH if one.worse is None else f"{one.worse:+.4f}",
                said.between(one.interval),
                f"{one.changed:,}",
                "·" if weight is None else f"{weight:.2f}",
                said.between(interval, 2),
            ]
        )
    heads = ("seat", "Brier without it, less with it", "95%", "consensus would differ", "learnt weight", "95%")
    return parts.table(heads, rows, numbers=range(1, 6), class_="grid")


def duels(score: Score) -> Html:
    """Challengers against the seats that they would replace."""
    rows: list[list[Child]] = [
        [
            one.challenger,
            one.seat or "·",
            f"{one.pairs:,} of {one.announced:,}" if one.announced else f"{one.pairs:,}",
            said.NOT_ENOUGH if one.difference is None else f"{one.difference:+.4f}",
            said.between(one.interval),
            said.chance(one.p_value),
            tag("span", str(one.outlook), class_="last"),
        ]
        for one in score.duels
    ]
    heads = ("challenger", "seat", "pairs of those announced", "Brier difference", "95%", "test", "")
    return parts.table(heads, rows, numbers=range(2, 6))


def control(done: Controlled) -> list[Html]:
    """A control run beside its original."""
    rows: list[list[Child]] = [
        [
            one.seat,
            one.engine + ("" if one.rules else " (a model)"),
            f"{one.pairs:,}",
            f"{one.kept:,}",
            "·" if one.share is None else said.within(one.share),
            f"{one.one_sided:,}",
            "·" if one.p_most is None else f"{one.p_most:.4f}",
            tag("span", ", ".join(f"{move} {count:,}" for move, count in one.moves.items()), class_="last"),
        ]
        for one in done.seats
    ]
    heads = ("seat", "engine", "pairs", "kept", "95%", "in one run only", "p_up off by at most", "what became what")
    made = [parts.table(heads, rows, numbers=range(2, 7))]
    broke = [one for seat in done.seats for one in seat.broke]
    if broke:
        listed: list[list[Child]] = [
            [
                f"{one.at:%Y-%m-%d %H:%M}Z", one.asset, one.seat, str(one.before), str(one.after),
                "·" if one.p_before is None else f"{one.p_before:.3f}", "·" if one.p_after is None else f"{one.p_after:.3f}",
            ]
            for one in broke[:_BROKE_MOST]
        ]  # fmt: skip
        made.append(tag("h3", "Votes that broke it"))
        made.append(
            parts.table(("at", "asset", "seat", "before", "after", "p_up before", "after"), listed, numbers={5, 6})
        )
        if len(broke) > _BROKE_MOST:
            made.append(
                tag(
                    "p",
                    f"and {len(broke) - _BROKE_MOST:,} more; --json has the first hundred of each seat",
                    class_="soft",
                )
            )
    return made
