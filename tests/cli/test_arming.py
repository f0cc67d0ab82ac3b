"""Real money needs all of it: the option, the mode, live address and keys, the armed account, and its number typed by hand."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hydra.bootstrap.alpaca import broker
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.venues import Source
from hydra.cli.arming import arm, refuse_another
from hydra.cli.frame import Frame
from hydra.model.errors import BadConfig, Barred
from hydra.policy import Policy
from hydra.ports import VenueIdentity
from tests.bootstrap.test_config import PAPER, ROOT

ACCOUNT = "123456789"
LIVE = {"HYDRA_ALPACA__KEY": "AKMINE", "HYDRA_ALPACA__SECRET": "hunter2", "HYDRA_ARM_LIVE": ACCOUNT}


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def policy_of(name: str, **environ: str) -> Policy:
    return load_policy(ROOT / "configs" / name, environ, None)


def armed(
    policy: Policy, typed: io.StringIO, *, live: bool = True, change: Mapping[str, str] | None = None
) -> str | None:
    options: dict[str, Any] = {"live": live, "json": True, "debug": False}
    environ = {name: value for name, value in {**LIVE, **(change or {})}.items() if value}
    return arm(Frame(command="run", options=options), policy, environ, typed)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    monkeypatch.chdir(tmp_path)
    return policy_of("alpaca-paper.toml", HYDRA_MODE="live")


def test_with_all_of_it_the_account_is_armed(live: Policy, capfd: pytest.CaptureFixture[str]) -> None:
    assert armed(live, Terminal(f" {ACCOUNT}\n")) == ACCOUNT
    shown = capfd.readouterr()
    assert f"REAL MONEY on account {ACCOUNT}" in shown.err
    assert shown.out == ""
    assert "hunter2" not in shown.err


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "12345678\n", f"{ACCOUNT}0\n", f"the {ACCOUNT}\n"])
def test_anything_else_typed_is_no_confirmation(live: Policy, typed: str) -> None:
    with pytest.raises(Barred, match="not confirmed"):
        armed(live, Terminal(typed))


def test_without_a_terminal_there_is_no_confirmation(live: Policy) -> None:
    with pytest.raises(Barred, match="at a terminal, and there is none"):
        armed(live, io.StringIO(f"{ACCOUNT}\n"))


# (environment, what is refused, and as what)
MISSING: list[tuple[dict[str, str], str, type[Exception]]] = [
    ({"HYDRA_ARM_LIVE": ""}, "not armed: HYDRA_ARM_LIVE", Barred),
    ({"HYDRA_ARM_LIVE": "  "}, "not armed: HYDRA_ARM_LIVE", Barred),
    ({"HYDRA_ALPACA__KEY": ""}, "HYDRA_ALPACA__KEY: not set", BadConfig),
    ({"HYDRA_ALPACA__KEY": "PKMINE"}, "keys for it begin with AK", BadConfig),
    ({"HYDRA_ALPACA__URL": "https://paper-api.alpaca.markets"}, 'which is mode = "paper"', BadConfig),
    ({"HYDRA_ALPACA__URL": "http://127.0.0.1:8765"}, 'which is mode = "paper"', BadConfig),
]


@pytest.mark.parametrize(("change", "said", "fault"), MISSING, ids=[str(number) for number in range(len(MISSING))])
def test_whatever_is_missing_is_named(live: Policy, change: dict[str, str], said: str, fault: type[Exception]) -> None:
    with pytest.raises(fault) as caught:
        armed(live, Terminal(f"{ACCOUNT}\n"), change=change)
    assert type(caught.value) is fault
    assert said in str(caught.value)


def test_the_option_and_the_mode_have_to_agree(live: Policy) -> None:
    with pytest.raises(Barred, match="without --live nothing is traded"):
        armed(live, Terminal(), live=False)
    for paper in (policy_of("alpaca-paper.toml"), load_policy(PAPER, {}, None)):
        with pytest.raises(Barred, match="--live needs a live broker"):
            armed(paper, Terminal(f"{ACCOUNT}\n"))
        assert armed(paper, Terminal(), live=False) is None


def test_an_armed_run_trades_no_other_account() -> None:
    def identity(account_id: str = ACCOUNT, mode: str = "live") -> VenueIdentity:
        return VenueIdentity(name="alpaca", url="https://api.alpaca.markets", account_id=account_id, mode=mode)

    refuse_another(ACCOUNT, identity)
    refuse_another(None, lambda: identity("987"))
    for other in (identity("987"), identity(mode="paper")):
        with pytest.raises(Barred, match=f"armed for account {ACCOUNT}"):
            refuse_another(ACCOUNT, lambda found=other: found)  # type: ignore[misc]  # bound now


@pytest.mark.parametrize(
    ("live", "change", "words"),
    [
        (True, {}, "--live and HYDRA_ARM_LIVE in the environment"),
        (False, {}, "HYDRA_ARM_LIVE in the environment"),
        (True, {"HYDRA_ARM_LIVE": ""}, "practice = true and --live"),
    ],
)
def test_practice_is_never_armed_and_whatever_speaks_of_real_money_stops_it(
    live: bool, change: Mapping[str, str], words: str
) -> None:
    with pytest.raises(Barred, match=words):
        armed(policy_of("dev.toml"), Terminal(f"{ACCOUNT}\n"), live=live, change=change)
    assert armed(policy_of("dev.toml"), Terminal(), live=False, change={"HYDRA_ARM_LIVE": ""}) is None


@pytest.mark.parametrize("change", [{"mode": "live"}, {"practice": True}])
def test_a_policy_that_never_was_validated_does_not_get_past_the_door_either(change: Mapping[str, Any]) -> None:
    """Practice on a real broker cannot be written down; made in memory it is refused where the broker is entered."""
    policy = policy_of("alpaca-paper.toml").model_copy(update={"practice": True, **change})
    with pytest.raises(BadConfig, match="practice: true is for the simulated broker"):
        broker(policy, Path("state"), Source(), Event(), LIVE)
