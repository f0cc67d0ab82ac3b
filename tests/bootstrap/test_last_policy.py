"""Whose a state folder is, its journal says: the policy that the last run stood under, where the configuration knows none of its bots."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.writer import JournalWriter
from hydra.bootstrap.bound import last_policy
from hydra.bootstrap.setup import Setup, read_setup
from hydra.model.events import SegmentOpened
from hydra.model.portfolio import BotRecord, Ledger
from hydra.model.snapshot import Failure
from hydra.policy import Policy
from tests.bootstrap.test_config import PAPER

RUN = "20250106T000000-0000"
OTHERS = Ledger(run=RUN, bots={"guest": BotRecord(bot="guest")})


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return read_setup(PAPER, tmp_path / "state", tmp_path / "logs", {})


def of_guest(policy: Policy) -> Policy:
    """The same with one bot, of another name."""
    document = policy.document()
    return Policy.model_validate({**document, "bots": [{**document["bots"][0], "id": "guest"}]})


def journaled(setup: Setup, policy: Policy, segments: int = 1) -> None:
    """Segments of one run under a policy; the first ones under the configured one."""
    writer = None
    for number in range(1, segments + 1):
        one = policy if number == segments else setup.policy
        opened = SegmentOpened(
            segment=number,
            wall=datetime(2025, 1, 6, tzinfo=UTC),
            command="run",
            host="here",
            pid=1,
            version="",
            code_hash="0" * 64,
            policy_hash=one.hash,
            policy=one.document(),
            seed=1,
            market="none",
            practice=one.practice,
            ledger=Ledger(run=RUN),
        )
        if writer is None:
            writer = JournalWriter(RealFiles(), setup.log_dir, RUN, now=lambda: datetime(2025, 1, 6, tzinfo=UTC))
        writer.turn(opened)
    assert writer is not None
    writer.close()


def test_a_configuration_that_knows_every_bot_is_the_one_that_counts(setup: Setup) -> None:
    journaled(setup, of_guest(setup.policy))
    mine = setup.policy.bots[0].id
    assert last_policy(setup, Ledger(run=RUN, bots={mine: BotRecord(bot=mine)})) is None
    assert last_policy(setup, Ledger()) is None


@pytest.mark.parametrize("segments", [1, 3])
def test_a_bot_that_stands_in_no_configuration_is_looked_up_in_the_last_segment(setup: Setup, segments: int) -> None:
    journaled(setup, of_guest(setup.policy), segments)
    found = last_policy(setup, OTHERS)
    assert found == of_guest(setup.policy)


def test_a_journal_that_cannot_tell_is_said_with_its_file(setup: Setup) -> None:
    assert isinstance(last_policy(setup, OTHERS), Failure)
    setup.log_dir.mkdir()
    empty = last_policy(setup, OTHERS)
    assert isinstance(empty, Failure)
    assert f"no segment of run {RUN}" in empty.reason
    segment = setup.log_dir / f"{RUN}.001.jsonl"
    for content in (b"", b"torn", b"not a journal\n"):
        segment.write_bytes(content)
        found = last_policy(setup, OTHERS)
        assert isinstance(found, Failure)
        assert str(segment) in found.reason
