"""The page of a tournament: what may be said first, what it was made from and what it leaves out last."""

from __future__ import annotations

from hydra import __version__
from hydra.gladiators.controls import CONTROLS
from hydra.gladiators.score.against import Controlled
from hydra.gladiators.score.chance import calls_needed
from hydra.gladiators.score.measure import LEAST, STAKE
from hydra.gladiators.score.pooling import SHRINK_CALLS
from hydra.gladiators.score.score import Score
from hydra.qc.report import parts
from hydra.qc.report.html import Html, join, tag
from hydra.study.tournament import pictures, said, tables
from hydra.study.tournament.sources import Tournament
from hydra.study.tournament.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
LEFT_OUT = (
    f"A seat is judged by ${STAKE} a call, filled at the next open and closed at the end of the horizon. What the account earned is in its journal: "
    "rules, stops and sizes stand between a vote and a trade.",
    "A call of SELL counts as a short sale, which a spot account cannot make.",
    "The best of several seats looks better than it is: intervals are for one seat each, not for the winner.",
    "The block bootstrap keeps neighbours together; what lasts longer than a block it does not see.",
    "Fills are simulated at the open. They move no price.",
)
_EXAMPLES = (0.52, 0.55)
_WILSON = "Wilson's interval takes every call for independent, so it is too narrow where calls share a horizon; the leaderboard's does not."


def page(score: Score, source: Tournament, controlled: Controlled | None = None) -> str:
    """One self-contained file."""
    title = f"Tournament {score.terms.run}"
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", title),
        tag("style", Html(STYLE)),
    ]
    foot = tag("footer", f"Made by Hydra {__version__}. One file, no scripts, nothing loaded from anywhere.")
    body = tag("main", _top(score, title), _middle(score, source, controlled), _made(score, source), _left_out(), foot)
    lines = ["<!doctype html>", '<html lang="en">', tag("head", head), tag("body", body), "</html>"]
    return "\n".join(lines) + "\n"


def _top(score: Score, title: str) -> Html:
    began, ended = score.began_at, score.ended_at
    period = "" if began is None or ended is None else f"{began:%Y-%m-%d %H:%M}Z to {ended:%Y-%m-%d %H:%M}Z, "
    assumed = ", ".join(score.terms.assumed)
    engines = sorted({engine for one in score.seats for engine in one.sums.engines})
    rules = bool(engines) and all(engine.startswith("local:") for engine in engines)
    return join(
        [
            tag("div", f"CONTROL {score.terms.control}: these votes were cast on changed briefs.", class_="practice")
            if score.terms.control
            else None,
            tag("h1", title),
            tag("p", f"Consensus: {score.consensus.hits.told}", class_="big"),
            tag(
                "p",
                f"{period}{score.iterations:,} iterations of {', '.join(score.table.assets)}; in the seats: {', '.join(engines) or 'nobody'}",
                class_="soft",
            ),
            tag("p", "Rules sit in every seat: no model was asked.", class_="warn") if rules else None,
            tag("p", f"Nobody had written down {assumed}: these were assumed.", class_="warn") if assumed else None,
            parts.figures(_headline(score)),
        ]
    )


def _headline(score: Score) -> dict[str, object]:
    agreed, cost = (
        score.agreed,
        sum((one.sums.cost for one in score.seats), start=score.seats[0].sums.cost * 0) if score.seats else None,
    )
    profit = score.consensus.profit
    return {
        "consensus on a direction": None if agreed.rate is None else said.percent(agreed.rate),
        "random voters": said.percent(agreed.uniform.rate),
        "hit rate of the consensus": None
        if score.consensus.hits.rate is None
        else said.percent(score.consensus.hits.rate),
        "profit of the consensus": said.profit(profit.total) if profit.calls else None,
        "buy and hold": None if score.buy_and_hold is None else said.profit(score.buy_and_hold),
        "independent voters": None if score.agreement.effective is None else said.number(score.agreement.effective, 2),
        "spent on votes": None if cost is None else said.money(cost),
    }


def _middle(score: Score, source: Tournament, controlled: Controlled | None) -> list[Html]:
    made = []
    if controlled is not None:
        words = f"{CONTROLS[controlled.control].words}: asks for {controlled.asks}, against run {controlled.original}"
        verdict = (
            "Every vote of the rules keeps to it."
            if controlled.held
            else "Rules broke it, or there is no pair to compare."
        )
        made.append(
            parts.section(
                "The control",
                tag("p", words),
                tag("p", verdict, class_=None if controlled.held else "bad"),
                *tables.control(controlled),
            )
        )
    hint = tag("p", f"A point: not enough data. {_enough()}", class_="soft small")
    made.append(parts.section("Leaderboard", tables.board(score, score.standings), hint))
    made.append(parts.section("What may be said", tables.verdicts(score), tag("p", _WILSON, class_="soft small")))
    profit, reliability = pictures.profit(score), pictures.reliability(score)
    made.append(
        parts.section(
            f"${STAKE} a call, after costs",
            profit or tag("p", said.NOT_ENOUGH, class_="soft"),
            tag("p", _luck(score), class_="soft small"),
        )
    )
    made.append(
        parts.section(
            "Said and come",
            reliability or tag("p", said.NOT_ENOUGH, class_="soft"),
            tag(
                "p",
                f"Across: the probability that was said. Up: how often it came. On the broken line both are the same. Tenths with fewer than {pictures.BIN_LEAST} forecasts are left out.",
                class_="soft small",
            ),
        )
    )
    made.append(parts.section("The seats", tables.seats(score), _bias(score)))
    silent = tables.abstentions(score)
    if silent is not None:
        made.append(parts.section("Abstentions by reason", silent))
    made.append(parts.section("How much of it could have been read", tables.contamination(score)))
    made.append(parts.section("The consensus and chance", parts.facts(_agreed(score, source))))
    made.append(
        parts.section(
            "Who says what with whom", pictures.matrix(score), tag("p", _disagreement(score), class_="soft small")
        )
    )
    made.append(
        parts.section(
            "What each seat adds",
            tables.without(score),
            tag(
                "p",
                f"Above zero, the pool is worse without the seat. Weights were learnt from {score.learnt.outcomes:,} outcomes, with a belief in equal ones ({1 / max(score.agreement.voters, 1):.2f}) that is worth {SHRINK_CALLS:,} calls.",
                class_="soft small",
            ),
        )
    )
    if score.duels:
        made.append(parts.section("Challengers in the shadow", tables.duels(score)))
    return made  # fmt: skip


def _enough() -> str:
    told = ", ".join(f"{rate:.0%} about {calls_needed(rate):,}" for rate in _EXAMPLES)
    return (
        f"Rates and scores need {LEAST} independent calls or probabilities; to tell a hit rate from a coin takes many more ({told} independent calls, "
        "at 5% significance and 80% power)."
    )


def _luck(score: Score) -> str:
    luck = score.agreed.luck
    return (
        f"Voters by chance would have come to {said.profit(luck.mean)} with {luck.calls:,.0f} calls; 95% of such quorums lie within "
        f"{said.profits(luck.interval)}."
    )


def _bias(score: Score) -> Html:
    return tag(
        "p",
        "Bias: the probability that a fair coin splits BUY and SELL as unevenly; votes on neighbouring candles are not independent, so a small one "
        f"is a hint and no proof. Of the consensus: {score.agreed.buy:,} BUY, {score.agreed.sell:,} SELL, "
        + ("no call." if score.agreed.bias is None else f"{said.chance(score.agreed.bias)}."),
        class_="soft small",
    )


def _agreed(score: Score, source: Tournament) -> dict[str, str]:
    agreed = score.agreed
    terms = score.terms
    rule = f"at least {terms.needed} seats for a direction and more than for any other; HOLD {'counts' if terms.hold_counts else 'does not count'} as a side"
    return {
        "rule": rule,
        "came to a direction": f"{said.percent(agreed.rate)} of {agreed.iterations:,} iterations ({said.within(agreed.interval)})",
        "random voters": f"{said.percent(agreed.uniform.rate)}: seats that abstain as often as these, and say BUY, SELL and HOLD alike",
        "the same seats apart": "·"
        if agreed.own is None
        else f"{said.percent(agreed.own.rate)}: each votes as often for each side as it did, without regard to the others",
        "the account": said.traded(source.traded),
    }


def _disagreement(score: Score) -> str:
    done = score.agreement
    return (
        f"Entropy of the votes {said.number(done.entropy, 2)} of at most 1.58 bits; all the same in {said.percent(done.unanimous)} of iterations; "
        f"worth {said.number(done.effective, 2)} independent voters of {done.voters}. Point at a cell for the correlation of the two seats' probabilities."
    )


def _made(score: Score, source: Tournament) -> Html:
    terms = score.terms
    candles = ", ".join(f"{asset} {len(prices):,}" for asset, prices in source.prices.items()) or "none"
    named = {
        "folder": str(source.folder),
        "runs": ", ".join(source.runs),
        "prices": f"{source.prices_from}; candles: {candles}",
        "outcomes": ", ".join(f"{count:,} {fate}" for fate, count in sorted(score.fates.items())),
        "granularity": f"{terms.granularity:,} s",
        "horizon": f"{terms.horizon:,} candles: decided at a close, filled at the next open, judged at the close of the last candle within it",
        "hold band": said.percent(terms.hold_band, 3),
        "cost": f"{said.percent(terms.cost, 3)} a side",
        "regimes": ", ".join(f"{name} {count:,}" for name, count in score.regimes.items()) or "not written down",
        "bootstrap": f"circular blocks of {score.block:,} iterations, 1,000 draws, seed {terms.seed}",
    }
    return parts.section("What it was made from", parts.facts({name: str(value) for name, value in named.items()}))


def _left_out() -> Html:
    return parts.section("What it leaves out", parts.bullets(LEFT_OUT))
