"""The whole score, in worlds whose truth somebody chose, and at the ends of what can be."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from hydra.gladiators.score.measure import LEAST, Kind, Measured, Verdict
from hydra.gladiators.score.players import ALWAYS_BUY, BEST_SO_FAR, EQUAL_POOL, HINDSIGHT, LEARNT_POOL, MOMENTUM
from hydra.gladiators.score.prices import Fate, Prices
from hydra.gladiators.score.score import Score, score
from hydra.gladiators.score.shadow import Outlook
from hydra.gladiators.score.sums import Read
from hydra.gladiators.score.terms import SeatTerms, Terms
from hydra.model.errors import Invalid
from tests.gladiators.score.world import ASSET, START, STEP, Seat, prices, row, terms, world

SEATS = [
    Seat("A", skill=0.6, said=0.6),
    Seat("B", skill=0.5, said=0.6),
    Seat("C", skill=0.5, said=0.6, shared=0.9, hold=0.2),
    Seat("D", skill=0.5, said=0.6, shared=0.9, abstain=0.1),
    Seat("X1", skill=0.68, said=0.68, shadow=True),
    Seat("X2", skill=0.5, said=0.9, shadow=True),
    Seat("X3", skill=0.5, shadow=True),
]
ANNOUNCED = {
    "X1": SeatTerms(shadow=True, against="B", calls=1500),
    "X2": SeatTerms(shadow=True, against="B", calls=5000),
    "X3": SeatTerms(shadow=True, against="B"),
}
ITERATIONS = 1500


@pytest.fixture(scope="module")
def known() -> Score:
    rows, quoted = world(SEATS, ITERATIONS, seed=11)
    return score(rows, quoted, terms(seats=ANNOUNCED))


def of(done: Score, name: str) -> Measured:
    return next(one for one in done.standings if one.name == name)


@pytest.mark.parametrize(("name", "skill"), [("A", 0.6), ("B", 0.5), ("X1", 0.68), (ALWAYS_BUY, 0.5)])
def test_a_skill_that_was_made_lies_within_its_intervals(known: Score, name: str, skill: float) -> None:
    hits = of(known, name).hits
    assert hits.wilson is not None
    assert hits.interval is not None
    assert hits.wilson.low <= skill <= hits.wilson.high
    assert hits.interval.low <= skill <= hits.interval.high


def test_only_who_knows_something_is_said_to_be_better_than_a_coin(known: Score) -> None:
    verdicts = {one.name: one.hits.verdict for one in known.standings}
    assert verdicts["A"] is Verdict.BETTER
    assert verdicts["X1"] is Verdict.BETTER
    assert verdicts["B"] is Verdict.NOT_ENOUGH
    assert "independent calls to show, there are 1,500" in of(known, "B").hits.told


def test_who_says_what_is_true_is_reliable_and_who_boasts_is_not(known: Score) -> None:
    honest, boasting = of(known, "A").forecasts.parts, of(known, "X2").forecasts.parts
    assert honest is not None
    assert boasting is not None
    assert honest.reliability < 0.002
    assert boasting.reliability == pytest.approx(0.16, abs=0.03)
    assert honest.resolution == pytest.approx(0.01, abs=0.006)
    assert honest.brier == pytest.approx(0.24, abs=0.006)


def test_profit_is_skill_less_costs(known: Score) -> None:
    profit = of(known, "A").profit
    assert profit.a_call == pytest.approx((2 * 0.6 - 1) * STEP - 2 * 0.001, abs=0.0006)
    assert profit.a_call is not None
    assert profit.a_call_interval is not None
    assert profit.a_call_interval.low < profit.a_call < profit.a_call_interval.high
    assert profit.total == pytest.approx(profit.gross - 2 * 0.001 * profit.calls)
    assert profit.curve[-1] == pytest.approx(profit.total)
    assert of(known, ALWAYS_BUY).profit.calls == ITERATIONS


def test_the_learnt_pool_finds_the_one_who_knows_and_beats_the_equal_one(known: Score) -> None:
    assert int(np.argmax(np.array(known.learnt.weights, dtype=np.float64))) == known.table.seats.index("A")
    learnt, equal = of(known, LEARNT_POOL).forecasts.parts, of(known, EQUAL_POOL).forecasts.parts
    assert learnt is not None
    assert equal is not None
    assert learnt.brier < equal.brier
    assert of(known, BEST_SO_FAR).hits.rate == pytest.approx(of(known, "A").hits.rate or 0, abs=0.02)
    assert "seat A: chosen afterwards" in of(known, HINDSIGHT).player.note


def test_a_challenger_is_promoted_once_the_announced_test_says_so(known: Score) -> None:
    duels = {one.challenger: one for one in known.duels}
    assert duels["X1"].outlook is Outlook.PROMOTE
    assert duels["X1"].difference == pytest.approx((0.68 * 0.32) - 0.26, abs=0.02)
    assert duels["X2"].outlook is Outlook.NOT_ENOUGH
    assert duels["X2"].difference is not None
    assert duels["X3"].outlook is Outlook.NOT_ANNOUNCED
    assert duels["X3"].pairs == ITERATIONS


def test_challengers_have_no_vote(known: Score) -> None:
    rows, quoted = world(SEATS, 150)
    every, without = score(rows, quoted, terms()), score([one for one in rows if not one.shadow], quoted, terms())
    assert without.consensus.hits == every.consensus.hits
    assert known.table.seats == ("A", "B", "C", "D")
    assert [one.measured.player.kind for one in known.challengers] == [Kind.CHALLENGER] * 3


def test_the_same_rows_make_the_same_score_and_their_order_is_no_matter() -> None:
    rows, quoted = world(SEATS, 150)
    one, again = score(rows, quoted, terms()), score(rows[::-1], quoted, terms())
    assert [each.hits for each in again.standings] == [each.hits for each in one.standings]
    assert again.learnt.intervals == one.learnt.intervals


@pytest.mark.parametrize(
    ("skill", "said", "brier", "rate"), [(1.0, 1.0, 0.0, 1.0), (0.0, 1.0, 1.0, 0.0)], ids=["perfect", "always wrong"]
)
def test_the_extremes_are_told_as_what_they_are(skill: float, said: float, brier: float, rate: float) -> None:
    done = score(*world([Seat("A", skill=skill, said=said)], 100), terms(needed=1))
    one = of(done, "A")
    assert one.forecasts.parts is not None
    assert (one.forecasts.parts.brier, one.hits.rate) == (brier, rate)
    assert one.hits.verdict is (Verdict.BETTER if skill else Verdict.WORSE)
    assert done.consensus.hits == one.hits


def test_who_always_says_half_has_a_quarter_and_nothing_to_learn() -> None:
    rows, quoted = world([Seat("A", said=0.5), Seat("B", said=0.5)], 200)
    done = score(rows, quoted, terms())
    parts = of(done, "A").forecasts.parts
    assert parts is not None
    assert parts.brier == 0.25
    assert parts.resolution == 0
    assert done.learnt.weights == pytest.approx([0.5, 0.5])
    assert of(done, EQUAL_POOL).hits.verdict is Verdict.NO_CALLS


def test_of_no_rows_nothing_is_said() -> None:
    done = score([], {}, terms())
    assert (done.iterations, done.began_at, done.buy_and_hold) == (0, None, None)
    assert done.consensus.hits.verdict is Verdict.NO_CALLS
    assert done.agreed.rate is None


def test_of_one_row_the_counts_are_told_and_no_rate() -> None:
    done = score([row(0, Seat("A"), True)], {ASSET: prices([True])}, terms(needed=1))
    one = of(done, "A")
    assert (one.hits.calls, one.hits.hits, one.hits.rate) == (1, 1, None)
    assert one.hits.told == f"not enough data: 1 independent calls, {LEAST} are the least"
    assert one.profit.total == pytest.approx(STEP - 0.002)
    assert one.profit.interval is None


def test_of_abstentions_only_their_reasons_are_told() -> None:
    rows = [row(n, Seat(name), True, silent=True) for n in range(40) for name in "ABCD"]
    done = score(rows, {ASSET: prices([True] * 40)}, terms())
    assert all(one.measured.hits.verdict is Verdict.NO_CALLS for one in done.seats)
    assert all(one.sums.abstained == {"timeout": 40} for one in done.seats)
    assert done.agreed.rate == 0
    assert done.agreed.uniform.rate == 0
    assert done.agreement.entropy is None
    assert of(done, ALWAYS_BUY).hits.calls == 40


def test_the_figures_are_those_of_a_loop_over_candles_with_gaps_and_shared_horizons() -> None:
    chance = np.random.default_rng(21)
    minutes = sorted(chance.choice(400, size=330, replace=False).tolist())
    walk = 100 * np.exp(np.cumsum(chance.normal(0, 0.001, 2 * len(minutes))))
    candles = [
        (START + timedelta(minutes=m), float(walk[2 * n]), float(walk[2 * n + 1])) for n, m in enumerate(minutes)
    ]
    rows = [
        row(n, Seat("A", said=0.7), bool(chance.random() < 0.5), holds=bool(chance.random() < 0.2)) for n in range(75)
    ]
    hits = misses = flat = 0
    total, errors = 0.0, []
    for one in rows:
        inside = [c for c in candles if one.timestamp <= c[0] < one.timestamp + timedelta(minutes=8)]
        if not inside or one.timestamp + timedelta(minutes=8) > candles[-1][0] + timedelta(minutes=1):
            continue
        change = inside[-1][2] / inside[0][1] - 1
        assert one.p_up is not None
        errors.append((one.p_up - (change > 0)) ** 2)
        side = {"BUY": 1, "SELL": -1, "HOLD": 0}[one.vote]
        if side:
            total += side * change - 2 * 0.001
            hits, misses, flat = (
                hits + (side * change > 0.0005), misses + (side * change < -0.0005), flat + (abs(change) <= 0.0005),
            )  # fmt: skip
    found = of(score(rows, {ASSET: Prices(candles, 60)}, terms(horizon=8, needed=1)), "A")
    assert (found.hits.hits, found.hits.misses, found.hits.flat) == (hits, misses, flat)
    assert found.profit.total == pytest.approx(total)
    assert found.forecasts.parts is not None
    assert found.forecasts.parts.brier == pytest.approx(np.mean(errors))


def test_without_prices_calls_are_counted_and_none_is_judged() -> None:
    rows, _ = world([Seat("A")], 50)
    done = score(rows, {}, terms())
    assert done.fates == {Fate.PENDING: 50}
    assert (of(done, "A").hits.calls, of(done, "A").hits.open) == (50, 50)
    assert of(done, MOMENTUM).hits.verdict is Verdict.NO_CALLS


def test_a_change_within_the_hold_band_is_neither_hit_nor_miss() -> None:
    rows, quoted = world([Seat("A")], 60)
    done = score(rows, quoted, terms(hold_band=2 * STEP))
    one = of(done, "A").hits
    assert (one.hits, one.misses, one.flat) == (0, 0, 60)


def test_calls_that_share_a_horizon_are_not_independent() -> None:
    rows, quoted = world([Seat("A", skill=0.9)], 100)
    done = score(rows, quoted, terms(horizon=25))
    assert done.table.overlap == 5
    assert of(done, "A").hits.independent <= 21
    assert of(done, "A").hits.rate is None


def test_bars_that_a_model_could_have_read_are_told_and_the_others_scored_alone() -> None:
    rows, quoted = world([Seat(name, skill=0.6, engine="openai:model") for name in "ABC"], 400)
    cut = START.date()
    seats = {"A": SeatTerms(cutoff=cut), "B": SeatTerms(cutoff=date(2030, 1, 1)), "C": SeatTerms()}
    by_seat = {one.sums.seat: one for one in score(rows, quoted, terms(seats=seats)).seats}
    inside = sum(1 for n in range(400) if (START + timedelta(minutes=5 * n)).date() <= cut)
    assert by_seat["A"].sums.read is Read.PARTLY
    assert by_seat["A"].sums.contaminated == inside
    assert by_seat["A"].clean is not None
    assert by_seat["A"].clean.hits.calls == 400 - inside
    assert by_seat["B"].sums.read is Read.ALL
    assert by_seat["C"].sums.read is Read.UNKNOWN
    assert by_seat["B"].clean is None


def test_rules_have_read_nothing_and_an_empty_seat_is_nobody() -> None:
    rows = [row(0, Seat("A", engine="local:trend"), True), row(0, Seat("B", engine="empty"), True, silent=True)]
    by_seat = {one.sums.seat: one.sums.read for one in score(rows, {}, terms()).seats}
    assert by_seat == {"A": Read.RULES, "B": Read.NOBODY}


def test_tokens_money_and_latency_are_summed_by_seat(known: Score) -> None:
    sums = known.seats[0].sums
    assert (sums.tokens_in, sums.tokens_out, str(sums.cost)) == (1_500_000, 75_000, "1.500")
    assert (sums.latency[50], sums.latency[99], sums.latency_most) == (124, 149, 149)


def test_votes_of_one_iteration_speak_of_one_candle() -> None:
    one = row(0, Seat("A"), True)
    other = msgspec.structs.replace(row(0, Seat("B"), True), timestamp=one.timestamp + timedelta(minutes=1))
    with pytest.raises(Invalid, match="different candles"):
        score([one, other], {}, terms())


@pytest.mark.parametrize(
    "wrong",
    [{"horizon": 0}, {"hold_band": float("nan")}, {"cost": -0.1}, {"needed": 0}, {"granularity": 0}, {"cost": 1.0}],
)
def test_terms_that_cannot_be_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        Terms(run="r", **wrong)  # type: ignore[arg-type]  # on purpose
