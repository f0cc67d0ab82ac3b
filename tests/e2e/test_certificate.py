"""Without a fresh certificate for exactly this nothing starts; when the program changes under a run, entries end."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hydra.bootstrap.setup import read_setup, wall_now
from hydra.bootstrap.writer import Writer
from hydra.model.errors import Refused
from hydra.qc.preflight import certify
from tests.e2e.place import INLINE, REPOSITORY, Place, first_refusal, plans, refusals


def _certify(place: Place, *, minutes_ago: float) -> None:
    """Leave a certificate as `hydra qc` would have left it then."""
    with contextlib.chdir(place.folder):
        setup = read_setup(Path("configs/paper.toml"), Path("state"), Path("logs"), INLINE)
        with Writer(setup=setup, command="qc") as writer:
            certify(writer.engine, writer.binding(), wall_now() - timedelta(minutes=minutes_ago), 15)


def test_a_run_without_a_certificate_is_refused(fresh: Place) -> None:
    told = fresh.hydra("run", "--json")
    assert told.code == 3
    assert told.document["error"] == "there is no certificate: run `hydra qc` first"
    assert fresh.venue_orders() == []


@pytest.mark.parametrize(
    ("minutes_ago", "reason"),
    [(16, "the certificate is 16 minutes old, good for 15"), (-3, "s in the future: run `hydra qc` again")],
)
def test_a_certificate_of_another_time_is_refused(held: Place, minutes_ago: int, reason: str) -> None:
    _certify(held, minutes_ago=minutes_ago)
    orders = held.venue_orders()
    told = held.hydra("run", "--json")
    assert told.code == 3
    assert reason in told.document["error"]
    assert held.venue_orders() == orders
    assert held.hydra("status", "--json").document["certificate"]["fits"] is (minutes_ago > 0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"daily_loss = 0.02 ": "daily_loss = 0.019 "}, "policy_hash"),
        ({"starting_cash = 100000 ": "starting_cash = 90000 "}, "policy_hash"),
    ],
)
def test_a_certificate_of_another_policy_is_refused(held: Place, change: dict[str, str], named: str) -> None:
    held.configure(change)
    orders = held.venue_orders()
    told = held.hydra("run", "--json")
    assert told.code == 3
    assert told.document["error"] == f"the certificate was made for another {named}: run `hydra qc` again"
    assert f"made for another {named}" in held.hydra("status").text
    assert held.venue_orders() == orders


def test_a_state_folder_that_was_moved_is_another_venue(held: Place) -> None:
    held.state.rename(held.folder / "elsewhere")
    told = held.hydra("run", "--state-dir", "elsewhere", "--json")
    assert told.code == 3
    assert "made for another url" in told.document["error"]


def test_an_edited_source_shuts_the_certificate_gate_of_a_running_engine(held: Place, tmp_path: Path) -> None:
    shutil.copytree(held.program, tmp_path / "program")
    held.program = tmp_path / "program"
    head = held.head()
    running = held.start("run", "--speed", "600", "--json")
    running.until(lambda: held.head() > head + 8)
    with (held.program / "hydra" / "risk" / "rules.py").open("a") as source:
        source.write("# edited\n")
    running.until(lambda: refusals(held.events(), "certificate"))
    seen = held.head()
    running.until(lambda: held.head() > seen + 40)
    running.signal(signal.SIGTERM)
    told = running.end()

    assert told.code == 143
    assert any("made for another code_hash" in reason for reason in refusals(held.events(), "certificate"))
    assert held.entries(after=first_refusal(held.events(), "certificate")) == []
    again = held.hydra("run", "--json")
    assert again.code == 3
    assert "made for another code_hash" in again.document["error"]


def test_an_edited_configuration_stops_entries_and_not_exits_until_it_is_put_back(held: Place) -> None:
    text, head = held.config.read_text(encoding="utf-8"), held.head()

    def refused(words: str) -> bool:
        return any(words in reason for reason in refusals(held.events(), "certificate"))

    running = held.start("run", "--speed", "600", "--json")
    running.until(lambda: held.head() > head + 8)
    held.configure({"daily_loss = 0.02 ": "daily_loss = 0.019 "})
    running.until(lambda: refused("another policy_hash (configs/paper.toml: risk.daily_loss is 0.019, was 0.02)"))
    status = held.hydra("status", "--json").document
    assert status["certificate"]["fits"] is False
    assert "risk.daily_loss is 0.019" in status["certificate_fault"]
    assert status["certificate"]["compared"].startswith("by the running engine in cycle")

    held.config.write_text(text + "oops = [", encoding="utf-8")
    running.until(lambda: refused("not TOML"))
    held.config.write_text(text, encoding="utf-8")
    running.until(lambda: _last_binding(held).get("changed", []) == [])
    running.until(lambda: held.hydra("status", "--json").document["certificate"]["fits"])

    held.configure({"daily_loss = 0.02 ": "daily_loss = 0.019 "})
    running.until(lambda: _last_binding(held).get("changed", []) != [])
    sent = held.head()
    assert held.hydra("flatten", "--yes").code == 0
    told = running.end()
    assert (told.code, told.document["ending"]["reason"]) == (3, "halted and flat (flatten: `hydra flatten`)")
    assert _exits(held, after=sent)
    refusing = {plan["cycle"] for plan in plans(held.events()) if _is_shut(plan)}
    assert not refusing & {entry["data"]["order"]["cycle"] for entry in held.entries(after=head)}


def test_files_that_others_may_read_or_that_are_gone_stop_the_entries_of_a_running_engine(held: Place) -> None:
    keys = held.folder / ".env"
    keys.write_text("A=b\n")
    keys.chmod(0o600)
    assert held.hydra("qc").code == 0
    head = held.head()

    def refused(words: str) -> bool:
        return any(words in reason for reason in refusals(held.events(), "certificate"))

    running = held.start("run", "--speed", "600", "--json")
    running.until(lambda: held.head() > head + 8)
    keys.chmod(0o644)
    running.until(lambda: refused("others may read .env (mode 0644, expected 0600)"))
    keys.chmod(0o600)
    running.until(lambda: _last_binding(held).get("changed", []) == [])
    oldest = held.segments()[0]
    oldest.unlink()
    running.until(lambda: refused(f"the journal's segment {oldest.name} is gone"))
    seen = held.head()
    running.until(lambda: held.head() > seen + 40)
    running.signal(signal.SIGTERM)
    assert running.end().code == 143


def _is_shut(plan: Mapping[str, Any]) -> bool:
    return any(answer["gate"] == "certificate" for answer in plan.get("answers", ()))


def _exits(place: Place, after: int) -> bool:
    """Whether something that reduces has been sent."""
    sent = (
        event["data"]["order"] for event in place.events() if event["kind"] == "order_sent" and event["seq"] > after
    )
    return any(order["purpose"] not in ("entry", "stop", "target") for order in sent)


def _last_binding(place: Place) -> dict[str, object]:
    told = [event["data"] for event in place.events() if event["kind"] == "observed"]
    bound: dict[str, object] = next(seen["binding"] for seen in reversed(told) if "binding" in seen)
    return bound


def test_nothing_is_certified_while_the_configuration_changes(held: Place) -> None:
    with contextlib.chdir(held.folder):
        setup = read_setup(Path("configs/paper.toml"), Path("state"), Path("logs"), INLINE)
        held.configure({"daily_loss = 0.02 ": "daily_loss = 0.019 "})
        with Writer(setup=setup, command="qc") as writer, pytest.raises(Refused, match=r"risk\.daily_loss is 0\.019"):
            certify(writer.engine, writer.binding(), wall_now(), 15)


def test_a_certificate_says_what_it_was_made_for_and_how_long_it_is_good(held: Place) -> None:
    told = held.hydra("status", "--json").document["certificate"]
    assert (told["fits"], told["practice"], told["mode"]) == (True, False, "paper")
    (event,) = [event for event in held.events() if event["kind"] == "certified"]
    assert (told["seq"], told["head"]) == (event["seq"] - 1, event["prev"])
    assert 0 < told["minutes_left"] < 15
    assert f"journal event {told['seq']}" in held.hydra("status").text


@pytest.mark.drill
def test_practice_and_anything_else_never_share_a_state_folder_and_every_screen_says_practice(fresh: Place) -> None:
    text = (REPOSITORY / "configs" / "dev.toml").read_text(encoding="utf-8")
    (fresh.folder / "configs" / "dev.toml").write_text(text, encoding="utf-8")
    dev = ("--config", "configs/dev.toml")
    for line in (
        ("check-io", *dev),
        ("qc", *dev),
        ("test-broker", *dev),
        ("run", "--cycles", "5", "--speed", "max", *dev),
        ("verify-balance", *dev),
        ("status", *dev),
        ("bots", "list", *dev),
        ("doctor", *dev),
        ("halt", "--reason", "a test", *dev),
        ("resume", "--reason", "a test", *dev),
        ("flatten", "--yes", *dev),
        ("replay", "logs"),
        ("status",),
        ("bots", "list"),
    ):
        told = fresh.hydra(*line, "--json")
        assert told.document["practice"] is True, line
        assert "PRACTICE" in told.err, line
        assert told.code == 0, (line, told.text)
    opened = [event["data"] for event in fresh.events() if event["kind"] == "segment_opened"]
    assert opened
    assert all(one["practice"] for one in opened)
    (certified,) = [event["data"] for event in fresh.events() if event["kind"] == "certified"]
    assert certified["certificate"]["practice"] is True

    orders, head = fresh.venue_orders(), fresh.head()
    for line, code in ((("run",), 3), (("qc",), 1), (("flatten", "--yes"), 3), (("verify-balance",), 1)):
        told = fresh.hydra(*line, "--json")
        assert told.code == code
        assert "is for practice: the two never mix" in told.out, line
    assert (fresh.venue_orders(), fresh.head()) == (orders, head)
    for live, words in (
        ({"HYDRA_ARM_LIVE": "1"}, "HYDRA_ARM_LIVE in the environment"),
        ({"HYDRA_MODE": "live"}, "never live"),
    ):
        told = fresh.hydra("run", *dev, **live)
        assert told.code in (2, 3)
        assert words in told.text
    assert "--live" in fresh.hydra("run", "--live", *dev).text
    assert fresh.head() == head


def test_a_folder_of_a_real_day_takes_no_practice(held: Place) -> None:
    text = (REPOSITORY / "configs" / "dev.toml").read_text(encoding="utf-8")
    (held.folder / "configs" / "dev.toml").write_text(text, encoding="utf-8")
    head = held.head()
    told = held.hydra("run", "--config", "configs/dev.toml")
    assert told.code == 3
    assert "configs/dev.toml is for practice, and state with logs" in told.text
    assert "holding SPY) is not for practice" in told.text or "holding AAPL) is not for practice" in told.text
    assert held.head() == head
