"""The key ``broker.faults`` puts faults between the engine and the simulated venue."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.exchange.doors import SimBroker
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.venues import Source, VenueDoors, simulated
from hydra.model.errors import BadConfig, Unreachable
from tests.bootstrap.test_config import PAPER, PAPER_TEXT
from tests.contracts.broker_contract import buy

RULE = '[[faults]]\nfault = "timeout_after"\non = "submit"\nnth = 1\n'


def doors(folder: Path, **env: str) -> VenueDoors:
    """The venue of a configuration in ``folder/configs``, as ``hydra run`` would open it."""
    (folder / "configs").mkdir(exist_ok=True)
    config = folder / "configs" / "paper.toml"
    config.write_text(PAPER_TEXT)
    policy = load_policy(config, env, None)
    return simulated(policy, folder / "state", Source(config_dir=config.parent), threading.Event())


def test_without_the_key_the_doors_are_the_venue_s_own(tmp_path: Path) -> None:
    assert type(doors(tmp_path).broker) is SimBroker


def test_the_path_is_counted_from_the_configuration_and_the_operator_is_told(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "faults.toml").write_text(RULE)
    found = doors(tmp_path, HYDRA_BROKER__FAULTS="faults.toml")
    assert "faults on demand: 1 rule of faults.toml" in found.notes
    with pytest.raises(Unreachable, match="no answer in time"):
        found.broker.submit(buy())
    known = found.broker.order("b1")
    assert known is not None
    assert known.client_id == "b1"
    assert found.market.history(["SPY"], 1) is not None


@pytest.mark.parametrize("text", [None, "[[faults]]"], ids=["missing", "wrong"])
def test_a_fault_file_that_cannot_be_used_opens_no_venue(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "configs").mkdir()
        (tmp_path / "configs" / "faults.toml").write_text(text)
    with pytest.raises(BadConfig, match=r"configs/faults\.toml: "):
        doors(tmp_path, HYDRA_BROKER__FAULTS="faults.toml")
    assert not (tmp_path / "state").exists()


def test_faults_are_for_the_simulated_broker_only() -> None:
    env: dict[str, Any] = {"HYDRA_BROKER__FAULTS": "faults.toml", "HYDRA_BROKER__NAME": "alpaca"}
    with pytest.raises(BadConfig, match=r"broker\.faults: only for the simulated broker; broker.name is 'alpaca'"):
        load_policy(PAPER, env, None)
