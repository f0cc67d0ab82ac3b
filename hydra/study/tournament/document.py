"""A score as JSON-ready data: stable names, money as decimal strings, times in RFC 3339, fractions as fractions, ``None`` for what is not known."""

from __future__ import annotations

from typing import Any

from hydra.gladiators.score.against import Controlled, SeatControl
from hydra.gladiators.score.chance import Interval
from hydra.gladiators.score.measure import LEAST, Measured
from hydra.gladiators.score.pooling import SHRINK_CALLS
from hydra.gladiators.score.score import Score, SeatScore
from hydra.gladiators.score.shadow import Duel
from hydra.model.money import plain
from hydra.study.tournament.sources import Tournament
from hydra.study.tournament.trades import Traded

_BROKE_MOST = 100


def document(score: Score, source: Tournament, controlled: Controlled | None = None) -> dict[str, Any]:
    """Everything, without the envelope that every command adds."""
    terms, agreed = score.terms, score.agreed
    began, ended = score.began_at, score.ended_at
    return {
        "run": terms.run,
        "runs": list(source.runs),
        "others": list(source.others),
        "folder": str(source.folder),
        "control": terms.control or None,
        "period": {
            "from": None if began is None else f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "to": None if ended is None else f"{ended:%Y-%m-%dT%H:%M:%SZ}",
            "iterations": score.iterations,
            "assets": list(score.table.assets),
        },
        "terms": {
            "granularity_seconds": terms.granularity,
            "horizon_candles": terms.horizon,
            "hold_band": terms.hold_band,
            "cost_a_side": terms.cost,
            "hold_counts": terms.hold_counts,
            "needed": terms.needed,
            "seed": terms.seed,
            "assumed": list(terms.assumed),
            "least": LEAST,
            "block": score.block,
        },
        "prices": {"from": source.prices_from, "candles": {name: len(one) for name, one in source.prices.items()}},
        "outcomes": {str(fate): count for fate, count in score.fates.items()},
        "regimes": dict(score.regimes),
        "seats": [seat(one) for one in score.seats],
        "challengers": [seat(one) for one in score.challengers],
        "duels": [_duel(one) for one in score.duels],
        "consensus": measured(score.consensus),
        "traded": None if source.traded is None else _traded(source.traded),
        "baselines": [measured(one) for one in score.baselines],
        "buy_and_hold": {"after_costs": score.buy_and_hold, "by_asset": dict(score.table.held)},
        "agreed": {
            "iterations": agreed.iterations,
            "buy": agreed.buy,
            "sell": agreed.sell,
            "rate": agreed.rate,
            "interval": _pair(agreed.interval),
            "bias_p": agreed.bias,
            "random": {"buy": agreed.uniform.buy, "sell": agreed.uniform.sell, "rate": agreed.uniform.rate},
            "own_frequencies": None if agreed.own is None else agreed.own.rate,
            "random_profit": {
                "calls": agreed.luck.calls,
                "mean": agreed.luck.mean,
                "interval": _pair(agreed.luck.interval),
            },
        },
        "agreement": _agreement(score),
        "learnt": {
            "outcomes": score.learnt.outcomes,
            "shrink_calls": SHRINK_CALLS,
            "weights": [
                {"seat": name, "weight": weight, "interval": _pair(interval)}
                for name, weight, interval in zip(
                    score.table.seats, score.learnt.weights, score.learnt.intervals, strict=True
                )
            ],
        },
        "controlled": None if controlled is None else control(controlled),
    }


def seat(one: SeatScore) -> dict[str, Any]:
    """A seat."""
    sums = one.sums
    return {
        **measured(one.measured),
        "engines": list(sums.engines),
        "models": list(sums.models),
        "role": sums.role,
        "votes": {"all": sums.votes, "BUY": sums.buy, "SELL": sums.sell, "HOLD": sums.hold},
        "abstained": dict(sums.abstained),
        "bias_p": sums.bias,
        "tokens_in": sums.tokens_in,
        "tokens_out": sums.tokens_out,
        "cost": plain(sums.cost),
        "attempts": sums.attempts,
        "latency_ms": {**{f"p{name}": value for name, value in sums.latency.items()}, "most": sums.latency_most},
        "cutoff": None if sums.cutoff is None else sums.cutoff.isoformat(),
        "contamination": {"what": str(sums.read), "votes": sums.contaminated},
        "clean": None if one.clean is None else measured(one.clean),
    }


def measured(one: Measured) -> dict[str, Any]:
    """What a player came to."""
    hits, forecasts, profit = one.hits, one.forecasts, one.profit
    parts = forecasts.parts
    return {
        "name": one.name,
        "kind": str(one.player.kind),
        "note": one.player.note,
        "verdict": str(hits.verdict),
        "told": hits.told,
        "hits": {
            "calls": hits.calls,
            "hits": hits.hits,
            "misses": hits.misses,
            "flat": hits.flat,
            "open": hits.open,
            "independent": hits.independent,
            "needed": hits.needed,
            "rate": hits.rate,
            "wilson": _pair(hits.wilson),
            "interval": _pair(hits.interval),
        },
        "forecasts": {
            "count": forecasts.count,
            "brier": None if parts is None else parts.brier,
            "interval": _pair(forecasts.interval),
            "better_than_half": _pair(forecasts.better),
            "reliability": None if parts is None else parts.reliability,
            "resolution": None if parts is None else parts.resolution,
            "uncertainty": None if parts is None else parts.uncertainty,
            "within": None if parts is None else parts.within,
            "bins": None if parts is None else [one._asdict() for one in parts.bins],
            "log_loss": forecasts.log_loss,
        },
        "profit": {
            "calls": profit.calls,
            "total": profit.total,
            "interval": _pair(profit.interval),
            "gross": profit.gross,
            "a_call": profit.a_call,
            "a_call_interval": _pair(profit.a_call_interval),
        },
    }


def control(done: Controlled) -> dict[str, Any]:
    """A control run beside its original."""
    return {
        "control": done.control,
        "asks": str(done.asks),
        "run": done.run,
        "original": done.original,
        "held": done.held,
        "missing": done.missing,
        "seats": [_controlled_seat(one) for one in done.seats],
    }


def _controlled_seat(one: SeatControl) -> dict[str, Any]:
    return {
        "seat": one.seat,
        "engine": one.engine,
        "must_hold": one.rules,
        "pairs": one.pairs,
        "kept": one.kept,
        "kept_share": _pair(one.share),
        "one_sided": one.one_sided,
        "p_up_off_most": one.p_most,
        "p_up_off_mean": one.p_mean,
        "moves": dict(one.moves),
        "broke": [
            {
                "asset": each.asset,
                "at": f"{each.at:%Y-%m-%dT%H:%M:%SZ}",
                "before": str(each.before),
                "after": str(each.after),
                "p_before": each.p_before,
                "p_after": each.p_after,
            }
            for each in one.broke[:_BROKE_MOST]
        ],
        "broke_not_shown": max(0, len(one.broke) - _BROKE_MOST),
    }


def _traded(done: Traded) -> dict[str, Any]:
    return {
        "orders": done.lines,
        "closed": done.closed,
        "won": done.won,
        "lost": done.lost,
        "profit": plain(done.profit),
        "fees": plain(done.fees),
    }


def _agreement(score: Score) -> dict[str, Any]:
    done = score.agreement
    return {
        "iterations": done.iterations,
        "entropy_bits": done.entropy,
        "unanimous": done.unanimous,
        "voters": done.voters,
        "effective_voters": done.effective,
        "pairs": [
            {"one": one.one, "other": one.other, "votes": one.votes, "same": one.same, "correlation": one.correlation}
            for one in done.pairs
        ],
        "without": [
            {
                "seat": one.seat,
                "forecasts": one.forecasts,
                "brier_worse": one.worse,
                "interval": _pair(one.interval),
                "consensus_changed": one.changed,
            }
            for one in done.without
        ],
    }


def _duel(one: Duel) -> dict[str, Any]:
    return {
        "challenger": one.challenger,
        "against": one.seat or None,
        "pairs": one.pairs,
        "announced": one.announced,
        "difference": one.difference,
        "interval": _pair(one.interval),
        "p": one.p_value,
        "outlook": str(one.outlook),
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
