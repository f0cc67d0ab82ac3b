"""``test-broker``, ``verify-balance``, ``flatten`` and ``doctor --accept-foreign`` as processes, on the venue in this process."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.lock import WriterLock
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.setup import this_process
from hydra.bootstrap.venues import Source, simulated
from hydra.cli.commands import broker_test, doctor, flatten, verify_balance
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig
from hydra.model.orders import Order, OrderType, Purpose, Side
from tests.e2e import faulty_venue
from tests.e2e.place import INLINE, LIMIT_SECONDS, REPOSITORY, Place, Told, kinds
from tests.e2e.test_account import ENTRY_POINTS, METADATA


def checks(told: Told | Result) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in told.document["checks"]}


def failed(told: Told | Result) -> dict[str, str]:
    return {name: check["reason"] for name, check in checks(told).items() if check["status"] == "fail"}


def trade_by_hand(place: Place, symbol: str, quantity: int, *, limit: Decimal | None = None) -> None:
    """Somebody else buys in the same account, while no Hydra runs."""
    doors = simulated(load_policy(place.config, {}, None), place.state, Source(), threading.Event())
    order = Order(
        client_id=f"by-hand-{symbol}-{quantity}",
        run="hand",
        cycle=0,
        bot="hand",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit=limit,
        purpose=Purpose.EXIT,
    )
    ack = doors.broker.submit(order)
    assert ack.outcome == "accepted", ack.reason
    doors.close()


@pytest.fixture
def place_here(certified: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A certified place that is ours."""
    move_to(certified, monkeypatch)
    return certified


def move_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the place is the working directory, with the environment its commands have."""
    monkeypatch.chdir(place.folder)
    for name, value in INLINE.items():
        monkeypatch.setenv(name, value)


def here(place: Place, command: str, **options: Any) -> Result:
    """A command in this process: for refusals, and beside a lock that the test itself holds."""
    modules = {"test-broker": broker_test, "verify-balance": verify_balance, "flatten": flatten, "doctor": doctor}
    folders = {"config": place.config, "state_dir": Path("state"), "log_dir": Path("logs")}
    own = {"reconnect": False, "expect_equity": None, "tolerance": None, "json": True, "debug": False}
    run: Callable[[Frame], Result] = modules[command].command
    return run(Frame(command=command, options={**own, **folders, **options}))


# -- test-broker and verify-balance


def test_the_broker_is_tested_and_the_balance_verified_without_leaving_anything(fresh: Place) -> None:
    told = fresh.hydra("test-broker", "--json")
    assert told.code == 0, told.text
    found = checks(told)
    assert found["order_round_trip"]["status"] == "pass"
    assert found["address"]["reason"].startswith("sim at sim://state/exchange.db (sim), account SIM-")
    assert (told.document["venue"], told.document["mode"]) == ("sim", "sim")
    sent = [event for event in fresh.events() if event["kind"] in ("order_sent", "order_accepted", "cancel_sent")]
    assert kinds(sent) == ["order_sent", "order_accepted", "cancel_sent"]
    assert next(order["status"] for order in fresh.venue_orders()) == "canceled"

    balance = fresh.hydra("verify-balance", "--expect-equity", "100000", "--json")
    assert balance.code == 0, balance.text
    assert balance.document["equity"] == "100000"
    assert checks(balance)["journal"]["reason"].startswith("the same to the last field")
    assert "certified" not in kinds(fresh.events())
    assert fresh.hydra("replay", "logs").code == 0


def test_an_equity_that_was_not_expected_ends_with_1_and_the_difference(held: Place) -> None:
    told = held.hydra("verify-balance", "--expect-equity", "100500", "--tolerance", "0.5")
    assert told.code == 1
    assert "expected 100500: off by -" in told.text
    assert "checks failed: expected_equity" in told.text


@pytest.mark.parametrize(
    ("equity", "tolerance", "reason"),
    [
        ("NaN", None, "--expect-equity: 'NaN' is no amount"),
        ("much", None, "--expect-equity: 'much' is no amount"),
        ("1", "-0.01", "--tolerance: -0.01 is below 0"),
        ("1", "NaN", "--tolerance: 'NaN' is no amount"),
        ("1", "Infinity", "--tolerance: 'Infinity' is no amount"),
        (None, "1", "--tolerance 1: goes with --expect-equity"),
    ],
)
def test_amounts_that_are_none_are_refused_before_anything_is_opened(
    tmp_path: Path, equity: str | None, tolerance: str | None, reason: str
) -> None:
    options = {"expect_equity": equity, "tolerance": tolerance, "state_dir": tmp_path / "state", "json": True}
    with pytest.raises(BadConfig, match=reason):
        verify_balance.command(Frame(command="verify-balance", options=options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["test-broker", "verify-balance"])
def test_another_writer_is_a_failed_check(place_here: Place, command: str) -> None:
    with WriterLock(place_here.state / "lock", this_process("run")):
        told = here(place_here, command)
    assert told.exit_code == 1
    (check,) = told.document["checks"]
    assert (check["name"], check["status"]) == ("lock", "fail")
    assert f"pid {os.getpid()}" in check["reason"]


# -- differences, and accepting them


def test_what_somebody_bought_is_explained_and_accepted_and_left_alone(
    held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_to(held, monkeypatch)
    trade_by_hand(held, "AAPL", 3)
    trade_by_hand(held, "AAPL", 7, limit=Decimal(20))

    told = here(held, "verify-balance")
    assert told.exit_code == 1
    assert failed(told).keys() == {"position AAPL", "open_orders"}

    examined = here(held, "doctor", fix=False, accept_foreign=False, yes=False)
    assert examined.exit_code == 1
    assert failed(examined)["ledger_agrees"] == "ledger and venue differ in 2 things, explained below"
    position, order = examined.document["differences"]
    assert "somebody bought in this account beside Hydra" in position["cause"]
    assert order["what"] == "by-hand-AAPL-7: open at the venue (buy 7 AAPL at 20, accepted) and not Hydra's"
    assert checks(examined)["order by-hand-AAPL-7"]["remedy"] == order["remedy"]

    accepted = held.hydra("doctor", "--accept-foreign", "--yes", "--json")
    assert accepted.code == 0, accepted.text
    assert any("AAPL: foreign" in note for note in accepted.document["accepted"])
    assert accepted.document["differences"] == []
    assert "foreign_accepted" in kinds(held.events())

    flat = held.hydra("flatten", "--yes", "--json")
    assert flat.code == 0, flat.text
    status = held.hydra("status", "--json").document
    assert (status["foreign"], len(status["foreign_orders"])) == ({"AAPL": "3"}, 1)
    open_there = [order for order in held.venue_orders() if order["client_id"].startswith("by-hand-AAPL-7")]
    assert open_there[0].get("status", "accepted") not in ("canceled", "filled")
    assert here(held, "verify-balance").exit_code == 0
    assert held.hydra("replay", "logs").code == 0


# -- flatten


def test_one_bot_then_all_are_flattened_and_nothing_is_entered_until_resumed(held: Place) -> None:
    head = held.head()
    told = held.hydra("flatten", "--bot", "spy-trend", "--yes", "--json")
    assert told.code == 0, told.text
    assert (told.document["flat"], told.document["bot"], told.document["left"]) == (True, "spy-trend", [])
    status = held.hydra("status", "--json").document
    assert (status["flatten"], status["halts"]) == (["spy-trend"], [])
    assert "spy-trend" not in {one["bot"] for one in (*status["holdings"], *status["orders"])}

    everything = held.hydra("flatten", "--yes")
    assert everything.code == 0
    assert "everything is flat; halted until `hydra resume`" in everything.text
    refused = held.hydra("run", "--json")
    assert refused.code == 3
    assert "halted (flatten: " in refused.document["error"]
    assert held.entries(after=head) == []
    assert held.hydra("resume", "--reason", "calm again").code == 0
    assert held.hydra("replay", "logs").code == 0


def test_a_running_engine_flattens_at_a_word_in_its_inbox(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "300", "--json")
    running.until(lambda: held.head() > head + 6)
    told = held.hydra("flatten", "--yes", "--json")
    assert (told.code, told.document["delivered"], told.document["flat"]) == (0, "inbox", False)
    running.until(lambda: "flattened" in kinds(held.events()))
    ended = running.end()
    assert ended.code == 3
    assert ended.document["ending"]["reason"].startswith("halted and flat (flatten: ")
    assert {order.get("status") for order in held.venue_orders()} <= {"filled", "canceled", "expired", "rejected"}
    assert held.hydra("replay", "logs").code == 0


def test_an_acceptance_for_a_running_engine_waits_in_its_inbox(place_here: Place) -> None:
    with WriterLock(place_here.state / "lock", this_process("run")):
        told = here(place_here, "doctor", fix=False, accept_foreign=True, yes=True)
    assert told.exit_code == 0
    (path,) = (place_here.state / "inbox").glob("*.json")
    assert Path(told.document["path"]).name == path.name
    assert b'"action":"accept"' in path.read_bytes()


def test_there_is_nothing_to_accept_where_they_agree(place_here: Place) -> None:
    told = here(place_here, "doctor", fix=False, accept_foreign=True, yes=False)
    assert (told.exit_code, told.document["accepted"]) == (0, None)
    assert told.document["message"].startswith("nothing to accept: ledger and venue agree")


@pytest.mark.parametrize("running", [False, True])
def test_a_bot_that_is_none_is_refused_with_those_there_are(place_here: Place, running: bool) -> None:
    lock = WriterLock(place_here.state / "lock", this_process("run"))
    with lock if running else nullcontext(), pytest.raises(BadConfig, match="no bot 'nobody'; there are: spy-trend, "):
        here(place_here, "flatten", bot="nobody", yes=True, timeout=120.0)
    assert "flattened" not in kinds(place_here.events())
    assert list((place_here.state / "inbox").glob("*.json")) == []


def test_without_a_terminal_and_without_yes_nothing_is_asked_for(place_here: Place) -> None:
    head = place_here.head()
    with pytest.raises(BadConfig, match="there is no terminal to ask on; --yes does it without asking"):
        here(place_here, "flatten", bot="", yes=False, timeout=120.0)
    lock = WriterLock(place_here.state / "lock", this_process("run"))
    with lock, pytest.raises(BadConfig, match="--yes"):
        here(place_here, "doctor", fix=False, accept_foreign=True, yes=False)
    assert place_here.head() == head
    assert list((place_here.state / "inbox").glob("*.json")) == []


def test_a_venue_that_cannot_even_be_opened_leaves_the_word_in_the_inbox_and_fails_the_checks(
    place_here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(REPOSITORY / "configs" / "alpaca-paper.toml", place_here.config)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, value in {"URL": f"http://127.0.0.1:{port}", "KEY": "PKTEST", "SECRET": "secret"}.items():
        monkeypatch.setenv(f"HYDRA_ALPACA__{name}", value)
    told = here(place_here, "flatten", bot="", yes=True, timeout=120.0)
    assert (told.exit_code, told.document["delivered"]) == (4, "inbox")
    assert len(list((place_here.state / "inbox").glob("*.json"))) == 1
    for command in ("test-broker", "verify-balance"):
        answer = here(place_here, command)
        assert answer.exit_code == 1
        assert "does not answer" in failed(answer)["address"]


def answered(place: Place, text: str, *arguments: str) -> Told:
    """A command with a terminal to ask on."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            place.command(arguments),
            cwd=place.folder,
            env=place.environment({}),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.write(ours, text.encode())
            out, err = process.communicate(timeout=LIMIT_SECONDS)
    finally:
        os.close(ours)
        os.close(theirs)
    return Told(code=process.returncode, out=out, err=err)


def test_a_person_at_a_terminal_is_asked_and_only_the_word_itself_is_a_yes(held: Place) -> None:
    trade_by_hand(held, "AAPL", 3)
    head = held.head()
    no = answered(held, "y\n", "flatten")
    assert no.code == 3
    assert "holds" in no.text
    assert "type flatten to go on: " in no.out
    assert "not confirmed; nothing was done" in no.text
    assert held.head() == head
    yes = answered(held, "accept\n", "doctor", "--accept-foreign", "--json")
    assert yes.code == 0
    assert any("AAPL" in note for note in yes.document["accepted"])


@pytest.fixture
def mute(held_once: Place, tmp_path: Path) -> Place:
    """The held place behind a venue that can be told to be down."""
    place = held_once.copied(tmp_path / "place")
    site = tmp_path / "site"
    (site / "faulty_venue-1.dist-info").mkdir(parents=True)
    shutil.copy(faulty_venue.__file__, site / "faulty_venue.py")
    files: Mapping[str, str] = {"METADATA": METADATA, "entry_points.txt": ENTRY_POINTS}
    for name, text in files.items():
        (site / "faulty_venue-1.dist-info" / name).write_text(text)
    place.env["PYTHONPATH"] = str(site)
    place.configure({'name = "sim" ': 'name = "faulty" '})
    return place


@pytest.mark.drill
def test_a_venue_that_is_down_ends_with_4_and_the_next_flatten_goes_on(mute: Place) -> None:
    (mute.folder / faulty_venue.PLAN).write_text("down")
    told = mute.hydra("flatten", "--yes", "--json")
    assert told.code == 4
    assert "the venue is down" in told.document["error"]
    assert "a later `hydra run` or `hydra flatten` goes on with it" in told.document["error"]
    assert "at the venue rests stop" in told.document["error"]
    assert "flattened" in kinds(mute.events())
    broker = mute.hydra("test-broker", "--json")
    assert broker.code == 1
    assert {"clock_skew", "recover"} <= failed(broker).keys()
    assert checks(broker)["order_round_trip"]["status"] == "skip"
    (mute.folder / faulty_venue.PLAN).write_text("")
    assert mute.hydra("run", "--json").code == 3
    assert mute.hydra("status", "--json").document["holdings"] == []
