"""Another policy in a journal's market; and the honest baseline: with the same policy it decides the same."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading, read_journal
from hydra.adapters.journal.segments import segments
from hydra.bootstrap.what_if import Recorded, play_again, recorded_in
from hydra.cli.commands import replay
from hydra.cli.frame import Frame
from hydra.cli.screen.what_if import what_if_document, what_if_shown
from hydra.model.errors import BadConfig
from hydra.model.events import SegmentOpened
from hydra.policy import Policy

OLD = Path(__file__).parent / "old_journal"
PAPER = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"


def night() -> Recorded:
    return recorded_in(read_journal(RealFiles(), OLD))


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The policy of the night."""
    opened = [event.data for event in read_journal(RealFiles(), OLD) if isinstance(event.data, SegmentOpened)]
    return Policy.model_validate(opened[-1].policy)


def stricter(policy: Policy, **risk: object) -> Policy:
    return policy.model_copy(update={"risk": policy.risk.model_copy(update=risk)})


def test_the_same_policy_decides_the_same_and_fills_the_same(policy: Policy) -> None:
    found = play_again(night(), policy)
    before, after = found.recorded, found.otherwise
    assert (found.parting, found.differing) == (None, 0)
    assert (before.cycles, before.orders, before.skips) == (after.cycles, after.orders, after.skips)
    assert (before.fills, before.fees, before.profit) == (after.fills, after.fees, after.profit)
    assert before.fills > 0
    assert what_if_document(found)["message"] == "decides the same in all of 16 cycles"


def test_another_policy_parts_where_it_first_decides_otherwise(policy: Policy) -> None:
    found = play_again(night(), stricter(policy, order_notional=policy.risk.order_notional / 100))
    assert found.parting is not None
    (sent,) = found.parting.recorded.sends
    (smaller,) = found.parting.otherwise.sends
    assert found.parting.cycle == sent.order.cycle
    assert smaller.order.quantity * 5 < sent.order.quantity
    assert found.otherwise.fees * 5 < found.recorded.fees
    document = what_if_document(found)
    assert document["parting"]["cycle"] == sent.order.cycle
    assert document["recorded"]["bots"]["coins"]["orders"] == document["what_if"]["bots"]["coins"]["orders"] == 1


def test_it_is_shown_side_by_side_with_its_limits_at_any_width(policy: Policy) -> None:
    found = play_again(night(), stricter(policy, order_notional=policy.risk.order_notional / 100))
    for width in (80, 120):
        out = Console(width=width, file=StringIO(), record=True)
        out.print(what_if_shown(found))
        shown = out.export_text()
        assert max(map(len, shown.splitlines())) <= width
        for word in (
            "recorded",
            "what if",
            "fees",
            "P&L by equity",
            "They part in cycle",
            "What this cannot say",
            "market impact",
        ):
            assert word in " ".join(shown.split())


def test_a_symbol_without_prices_is_named_among_the_limits_and_a_policy_of_nothing_else_is_refused(
    policy: Policy,
) -> None:
    found = play_again(night(), policy)
    assert any("no prices of" in limit and "SPY" in limit for limit in found.limits)
    only = tuple(bot for bot in policy.bots if "SPY" in bot.symbols)
    with pytest.raises(BadConfig, match="--what-if: the journal has no prices of SPY"):
        play_again(night(), policy.model_copy(update={"bots": only}))


def test_a_journal_without_a_cycle_has_nothing_to_play(tmp_path: Path) -> None:
    first = segments(RealFiles(), OLD)[0].path
    with pytest.raises(BadConfig, match="there is nothing to play again"):
        recorded_in(Reading(RealFiles(), [first]))


def test_the_command_compares_with_a_configuration_and_ends_well() -> None:
    options = {"log": [OLD], "json": True, "debug": False, "what_if": PAPER}
    result = replay.command(Frame(command="replay", options=options))
    assert result.exit_code == 0
    assert result.document["recorded"]["cycles"] == result.document["what_if"]["cycles"] == 16
    with pytest.raises(BadConfig, match="do not go together"):
        replay.command(Frame(command="replay", options={**options, "bot": "coins"}))
