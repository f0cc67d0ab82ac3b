"""The budget: reserved before, settled after, capped three ways, and never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.llm.budget import Budget, Line
from hydra.gladiators.brief import Brief
from hydra.model.errors import Corrupt
from hydra.model.votes import Choice, Why
from hydra.policy.tournament import BudgetSection, PriceSection
from tests import llm_servers as wire
from tests.adapters.llm.stage import stage

PRICES = {"m": PriceSection(input=Decimal(2), output=Decimal(10), as_of=date(2026, 11, 22))}
TOKENS = (4000, 200)
WORST = Decimal("0.010000")  # 4,000 at 2 and 200 at 10 USD a million
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Purse:
    """A budget over a file, opened again as often as one likes."""

    def __init__(self, path: Path, iteration: str = "1", day: str = "1", total: str = "1") -> None:
        self.path = path
        self.caps = BudgetSection(iteration=Decimal(iteration), day=Decimal(day), total=Decimal(total))
        self.at = NOON

    def open(self) -> Budget:
        return Budget(RealFiles(), self.path, self.caps, PRICES, lambda: self.at)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spending.jsonl"


def reserved(budget: Budget, brief: str = "b") -> Line:
    line = budget.reserve("A", "m", brief, TOKENS)
    assert isinstance(line, Line), line
    return line


def test_a_reservation_counts_until_it_is_settled_by_what_was_used(path: Path) -> None:
    budget = Purse(path).open()
    line = reserved(budget)
    assert line.reserved == budget.spending().total == WORST
    assert budget.settle(line, (1000, 100)) == Decimal("0.003")
    spent = budget.spending()
    assert (spent.total, spent.known, spent.assumed, spent.calls) == (Decimal("0.003"), Decimal("0.003"), Decimal(0), 1)
    assert (spent.tokens_in, spent.tokens_out, spent.by_seat) == (1000, 100, {"A": Decimal("0.003")})


def test_a_call_of_which_nobody_says_what_it_used_counts_in_full(path: Path) -> None:
    budget = Purse(path).open()
    assert budget.settle(reserved(budget), None) == WORST
    assert (budget.spending().known, budget.spending().assumed) == (Decimal(0), WORST)


@pytest.mark.parametrize(
    ("caps", "allowed", "name"),
    [
        (("0.025", "1", "1"), 2, "this iteration"),
        (("1", "1", "0.01"), 1, "all"),
        (("0", "0", "0"), 0, "this iteration"),
    ],
)
def test_no_cap_is_ever_exceeded(path: Path, caps: tuple[str, str, str], allowed: int, name: str) -> None:
    purse = Purse(path)
    purse.caps = BudgetSection.model_construct(iteration=Decimal(caps[0]), day=Decimal(caps[1]), total=Decimal(caps[2]))
    budget = purse.open()
    for _ in range(allowed):
        reserved(budget)
    refused = budget.reserve("A", "m", "b", TOKENS)
    assert isinstance(refused, str)
    assert f"for {name}" in refused
    assert "a call may cost 0.01 USD" in refused


def test_an_iteration_and_a_day_begin_anew_and_all_there_is_does_not(path: Path) -> None:
    purse = Purse(path, iteration="0.01", day="0.02", total="0.03")
    budget = purse.open()
    reserved(budget, "one")
    assert "this iteration" in str(budget.reserve("A", "m", "one", TOKENS))
    reserved(budget, "two")
    assert "for today" in str(budget.reserve("A", "m", "three", TOKENS))
    purse.at = NOON + timedelta(days=1)
    reserved(budget, "three")
    assert "for all" in str(budget.reserve("A", "m", "four", TOKENS))
    assert budget.spending().by_day == {"2026-11-22": Decimal("0.02"), "2026-11-23": Decimal("0.01")}


def test_a_model_without_a_price_is_not_asked(path: Path) -> None:
    assert Purse(path).open().reserve("A", "unheard-of", "b", TOKENS) == "the price of unheard-of is not known"


def test_what_was_spent_is_there_when_the_file_is_opened_again(path: Path) -> None:
    purse = Purse(path)
    first = purse.open()
    first.settle(reserved(first), (1000, 100))
    reserved(first)
    before = first.spending()
    first.close()
    again = purse.open()
    assert again.spending() == before
    assert again.spending().total == WORST + Decimal("0.003")
    assert reserved(again).call == 3


def test_a_torn_last_line_is_cut_off_and_any_other_bad_line_is_damage(path: Path) -> None:
    purse = Purse(path)
    budget = purse.open()
    reserved(budget)
    budget.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert purse.open().spending().calls == 1
    assert path.read_bytes() == whole
    for damage in (
        b"nonsense\n",
        whole.replace(b"0.010000", b"-1"),
        whole.replace(b"reserved", b"spent").replace(b":1,", b":9,"),
    ):
        path.write_bytes(whole + damage)
        with pytest.raises(Corrupt, match=r"spending.jsonl:2"):
            purse.open()


def test_many_seats_at_once_never_reserve_more_than_there_is(path: Path) -> None:
    budget = Purse(path, iteration="0.05", day="0.05", total="0.05").open()
    got: list[Line | str] = []
    threads = [threading.Thread(target=lambda: got.append(budget.reserve("A", "m", "b", TOKENS))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(line, Line) for line in got) == 5
    assert budget.spending().total == Decimal("0.05")


_KILLED = """
import os, signal, sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from hydra.adapters.files import RealFiles
from hydra.adapters.llm.budget import Budget
from hydra.policy.tournament import BudgetSection, PriceSection
prices = {"m": PriceSection(input=Decimal(2), output=Decimal(10), as_of=date(2026, 11, 22))}
caps = BudgetSection(iteration=Decimal(1), day=Decimal(1), total=Decimal(1))
budget = Budget(RealFiles(), Path(sys.argv[1]), caps, prices, lambda: datetime(2026, 11, 22, tzinfo=UTC))
budget.settle(budget.reserve("A", "m", "b", (4000, 200)), (1000, 100))
budget.reserve("A", "m", "b", (4000, 200))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reservation_outlives_the_process_that_made_it(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False, timeout=60, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert Purse(path).open().spending().total == WORST + Decimal("0.003")


def test_a_cent_stops_the_calls_before_it_is_spent(tmp_path: Path, brief: Brief) -> None:
    caps = {"iteration": Decimal("0.01"), "day": Decimal("0.01"), "total": Decimal("0.01")}
    with stage(tmp_path, budget=caps) as on:
        votes = on.panel().ask(brief, 2)
        assert on.requests() == dict.fromkeys("ABCD", 0)
        assert {vote.why for vote in votes} == {Why.BUDGET}
        assert "of 0.01 USD for this iteration 0.01 is left" in votes[0].detail
        assert all(vote.attempts == 0 and not vote.recordings for vote in votes)


def test_a_budget_for_two_calls_lets_two_of_them_out(tmp_path: Path, brief: Brief) -> None:
    """One call of this brief may cost nearly three cents; it turns out to cost one."""
    caps = {"iteration": Decimal("0.06"), "day": Decimal("0.06"), "total": Decimal("0.06")}
    scripts = {vendor: (wire.waits(0.2, wire.votes()),) for vendor in wire.VENDORS}
    with stage(tmp_path, scripts, budget=caps) as on:
        votes = on.panel().ask(brief, 3)
        assert sum(on.requests().values()) == 2
        assert sorted(vote.vote for vote in votes) == [Choice.ABSTAIN, Choice.ABSTAIN, Choice.BUY, Choice.BUY]
        spent = Budget(
            RealFiles(), on.places.state_dir / "spending.jsonl", on.policy.budget, on.policy.prices, on.now
        ).spending()
    assert spent.total == sum(vote.cost for vote in votes) <= Decimal("0.06")


def test_calls_that_timed_out_and_retries_count_as_spent(tmp_path: Path, brief: Brief) -> None:
    caps = {"iteration": Decimal("0.06"), "day": Decimal(1), "total": Decimal(1)}
    scripts = {vendor: (wire.refuses(402, "{}"),) for vendor in wire.VENDORS} | {"grok": (wire.refuses(529, "{}"),)}
    keys = {"GROK_API_KEY": "xai-5d5e5f6071829a"}
    with stage(tmp_path, scripts, budget=caps) as on:
        vote = on.panel(keys).ask(brief, 2)[2]
        assert on.requests() == {"A": 0, "B": 0, "C": 2, "D": 0}
    assert (vote.why, vote.attempts) == (Why.BUDGET, 2)
    assert "before that" in vote.detail
    assert Decimal("0.05") < vote.cost <= Decimal("0.06")


def test_what_never_left_and_what_was_turned_away_costs_nothing(tmp_path: Path, brief: Brief) -> None:
    """A used-up account or a cut line would otherwise spend the others' money while nobody looks."""
    scripts = {
        "deepseek": (wire.refuses(402, wire.DEEPSEEK_402),),
        "grok": (wire.refuses(401, "{}"),),
        "gemini": (wire.refuses(429, wire.RATE_429),),
    }
    with stage(tmp_path, scripts, claude={"base_url": "http://127.0.0.1:9"}) as on:
        votes = on.panel().ask(brief, 1)
        report = Budget(
            RealFiles(), on.places.state_dir / "spending.jsonl", on.policy.budget, on.policy.prices, on.now
        ).spending()
    assert [vote.why for vote in votes] == [Why.QUOTA, Why.UNREACHABLE, Why.ERROR, Why.RATE]
    assert [vote.attempts for vote in votes] == [1, 3, 1, 3]
    assert [bool(vote.cost) for vote in votes] == [False, False, False, True]
    assert report.total == report.assumed == votes[3].cost
    assert report.calls == 8
