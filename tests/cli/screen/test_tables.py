"""Check lists and the status."""

import io
import json
import subprocess
import sys
from decimal import Decimal

import pytest
from rich.console import Console, RenderableType

from hydra.cli.screen.figures import budget_uses, mode_of
from hydra.cli.screen.tables import StatusFacts, checks_table, status_document, status_panel
from hydra.model.isolation import INLINE, Guard, Isolation
from hydra.model.orders import OrderStatus
from hydra.model.portfolio import FLATTEN_ALL, BotRecord, Halt, Mode
from hydra.qc.check import CheckResult, Status
from tests.cli.screen import reports

HALT = Halt(kind="daily_loss", reason="equity 97999", at=reports.START, by="hydra", automatic=True)

CHECKS = """
      check         found                                                     ms
PASS  state_folder  writable                                                 1.2
FAIL  disk          120 MB are free on /srv/state, at least 200 MB are       1.2
                    wanted
                    -> make room on /srv/state
WARN  env_file      .env can be read by everybody                            1.2
SKIP  database      [bold]no store [2J                                       1.2
1 pass, 1 fail, 1 warn, 1 skip, 5 ms
"""
STATUS = """
Mode          REDUCING   PAPER
Writer       held by `hydra run`, pid 7
Halt         daily_loss: equity 97999 (by hydra, 2025-01-06 14:31:00Z)
Equity       $98,990.00, day -$1,010.00
Cycle        42 at 2025-01-06 14:31:00Z, run 20250106T143100-ab12
Certificate  good for a start within 10 minutes
Inbox        2 commands wait
Bots apart   not known yet; the first `hydra qc` or `hydra run` tries it

Position   symbol  quantity  average         stop  target  since
spy-trend  SPY           30   599.12  596.70 BARE  603.90  01-06 14:31Z

Order      symbol  what       quantity      at  status
spy-trend  SPY     entry buy        30  market  unknown

Bot           used  of budget  day P&L  trades  strikes
spy-trend     $158       $167  -$12.50     2/4        0
spy-breakout    $0       $167    $0.00     0/4        0
aapl-trend      $0       $167    $0.00     0/4        0
"""


def shown(what: RenderableType, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), record=True, width=width, no_color=True, highlight=False)
    console.print(what)
    return [line.rstrip() for line in console.export_text().splitlines()]


def result(name: str, status: Status, reason: str, remedy: str = "") -> CheckResult:
    return CheckResult(name=name, status=status, reason=reason, ms=1.25, remedy=remedy)


def test_checks_read_like_this() -> None:
    results = (
        result("state_folder", Status.PASS, "writable", "not shown"),
        result(
            "disk", Status.FAIL, "120 MB are free on /srv/state, at least 200 MB are wanted", "make room on /srv/state"
        ),
        result("env_file", Status.WARN, ".env can be read by everybody"),
        result("database", Status.SKIP, "[bold]no\nstore\x1b[2J"),
    )
    assert shown(checks_table(results)) == CHECKS.strip("\n").splitlines()


def test_a_check_with_long_words_keeps_to_the_terminal() -> None:
    results = [result("n" * 60, Status.FAIL, "x" * 300 + " word " * 40, "y " * 100) for _ in range(3)]
    for width in (50, 80, 120):
        assert max(map(len, shown(checks_table(results), width))) <= width


def test_no_checks_at_all_are_told_as_such() -> None:
    assert "no checks" in shown(checks_table(()))[-1]


def facts(**fields: object) -> StatusFacts:
    usual = {
        "ledger": reports.ledger(),
        "mode_label": "paper",
        "practice": False,
        "owner": None,
        "certificate_minutes": 9.6,
    }
    return StatusFacts(**{**usual, **fields})  # type: ignore[arg-type]  # whatever a test says


def test_the_status_reads_like_this() -> None:
    held = reports.holding(unprotected_since=reports.START)
    order = reports.order(1, status=OrderStatus.UNKNOWN)
    ledger = reports.ledger(
        cycle=42,
        at=reports.START,
        equity=Decimal(98990),
        holdings={held.key: held},
        orders={"hy-1": order},
        halts=(HALT,),
        bots=reports.by_bot(BotRecord(bot="spy-trend", realized_today=Decimal("-12.5"), trades_today=2)),
    )
    panel = status_panel(
        facts(ledger=ledger, owner="held by `hydra run`, pid 7", inbox=2, budgets=budget_uses(reports.policy(), ledger))
    )
    assert shown(panel) == STATUS.strip("\n").splitlines()


def test_a_blank_ledger_has_a_status() -> None:
    text = "\n".join(shown(status_panel(facts(certificate_minutes=None, practice=True))))
    assert "PRACTICE" in text
    assert "hydra qc" in text
    assert "none yet" in text


def test_what_is_flattened_and_what_is_not_hydra_s_is_shown() -> None:
    foreign = {f"X{letter}": Decimal(1) for letter in "ABCDEFGHIJ"}
    ledger = reports.ledger(flatten=("trend", FLATTEN_ALL), foreign=foreign, foreign_orders=("7",))
    told = " ".join(" ".join(shown(status_panel(facts(ledger=ledger)))).split())
    assert "Flatten trend, every bot: closed, and nothing entered until `hydra resume`" in told
    assert "1 XH, 2 more, 1 open order; never touched" in told
    document = status_document(facts(ledger=ledger))
    assert document["flatten"] == ["trend", "all"]
    assert (document["foreign"]["XA"], document["foreign_orders"]) == ("1", ["7"])


APART = [
    (
        Isolation(host="process", held=tuple(Guard), landlock=7, seccomp=True),
        "each in its own process; held: environment, files, network, processes, signals, inspection, memory "
        "(Landlock 7, seccomp)",
    ),
    (
        Isolation(
            host="process",
            held=(Guard.ENVIRONMENT, Guard.INSPECTION, Guard.MEMORY),
            open=(Guard.FILES, Guard.NETWORK, Guard.SIGNALS),
        ),
        "each in its own process; held: environment, inspection, memory; OPEN: files, network, signals; "
        "not tried: processes",
    ),
    (Isolation(host="process", open=tuple(Guard)), f"each in its own process; OPEN: {', '.join(Guard)}"),
    (INLINE, "in Hydra's own process: nothing is kept from them"),
    (None, "not known yet; the first `hydra qc` or `hydra run` tries it"),
]


@pytest.mark.parametrize(("apart", "told"), APART, ids=["all", "some", "none", "inline", "unknown"])
@pytest.mark.parametrize("width", [80, 120])
def test_what_keeps_the_bots_apart_is_told_guard_by_guard(apart: Isolation | None, told: str, width: int) -> None:
    lines = shown(status_panel(facts(ledger=reports.ledger(isolation=apart))), width)
    assert max(map(len, lines)) <= width
    assert f"Bots apart {told} Positions none" in " ".join(" ".join(lines).split())
    document = status_document(facts(ledger=reports.ledger(isolation=apart)))["isolation"]
    if apart is None:
        assert document is None
    else:
        assert document == {
            "host": apart.host,
            "held": [guard.value for guard in apart.held],
            "open": [guard.value for guard in apart.open],
            "landlock": apart.landlock,
            "seccomp": apart.seccomp,
            "complete": apart.complete,
        }


def test_a_certificate_that_ran_out_or_does_not_fit_says_so() -> None:
    assert "ran out 5 minutes ago" in "\n".join(shown(status_panel(facts(certificate_minutes=-5.0))))
    assert "another policy" in "\n".join(shown(status_panel(facts(certificate_fault="made for another policy"))))


def test_the_status_document_is_json() -> None:
    held = reports.holding()
    ledger = reports.ledger(holdings={held.key: held}, halts=(HALT,), at=reports.START)
    told = status_document(facts(ledger=ledger, budgets=budget_uses(reports.policy(), ledger)))
    assert json.loads(json.dumps(told)) == told
    assert told["state"] == "reducing"
    assert told["holdings"][0]["quantity"] == "30"
    assert told["budgets"][0]["budget"] == "166.6666666666666666666666667"


def test_the_mode_at_rest_follows_from_the_ledger() -> None:
    held = reports.holding()
    assert mode_of(reports.ledger()) is Mode.ACTIVE
    assert mode_of(reports.ledger(halts=(HALT,))) is Mode.HALTED
    assert mode_of(reports.ledger(halts=(HALT,), holdings={held.key: held})) is Mode.REDUCING
    assert mode_of(reports.ledger(halts=(HALT,), orders={"hy-1": reports.order(1)})) is Mode.REDUCING


def test_a_budget_is_used_by_losses_and_open_risk() -> None:
    policy, held = reports.policy(), reports.holding()
    lost = BotRecord(bot="spy-trend", realized_today=Decimal(-10))
    use = budget_uses(policy, reports.ledger(holdings={held.key: held}, bots=reports.by_bot(lost)))[0]
    assert use.used == Decimal("82.60")
    unknown = budget_uses(policy, reports.ledger(day=None))[0]
    assert (unknown.budget, unknown.used) == (Decimal(0), Decimal(0))


def test_counting_does_not_load_rich() -> None:
    code = (
        "import sys, hydra.cli.screen.document, hydra.cli.screen.tally, hydra.cli.screen.decisions;"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
