"""What Hydra knows of the account and what the venue says: halts, words of an operator, differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.drill.defects.defect import BARRED, Act, Defect
from tests.drill.defects.rows.account import account, believed
from tests.drill.defects.stage import Stage

_ORDER = {
    "symbol": "AAPL",
    "qty": "3",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
    "client_order_id": "hand",
}
RESUME = ("resume", "--reason", "looked at and judged", "--force")


def by_hand(stage: Stage, **order: Any) -> None:
    """Somebody trades on the account beside Hydra."""
    assert stage.client is not None
    response = stage.client.post("/v2/orders", json={**_ORDER, **order})
    assert response.status_code == 200, response.text
    if order.get("type", "market") == "market":
        assert stage.client.post("/sim/clock", json={"steps": 1}).status_code == 200


def taken_back(stage: Stage) -> None:
    assert stage.client is not None
    assert stage.client.delete("/v2/orders").status_code in (200, 207)
    believed(stage)


def accepted(stage: Stage) -> None:
    stage.hydra("doctor", "--accept-foreign", "--yes")
    believed(stage)


def halted(stage: Stage) -> None:
    stage.command("halt", "--reason", "a bad feeling")


def flattened(stage: Stage) -> None:
    """Everything is sold, and the halt that this is stays latched."""
    stage.hydra("flatten", "--yes")


def one_bot_flattened(stage: Stage) -> None:
    """The bot is barred until somebody resumes."""
    stage.hydra("flatten", "--bot", "spy-trend", "--yes")


def lost(stage: Stage, key: str) -> None:
    """A limit so small that the next look latches a halt, in a run of its own; then the limit is as it was."""
    stage.set(key, "0.0000001")
    stage.command("qc")
    stage.hydra("run", "--cycles", "20")
    stage.restore()


def failures(stage: Stage) -> None:
    """The venue fails in the middle of a run until the window is full: five failed reads in a minute of its own time."""
    at = datetime.fromisoformat(stage.hydra("status", "--json").document["at"])
    stage.fault("500", "account", after=at + timedelta(minutes=4))
    stage.set("failure_window_seconds", "900")
    stage.command("qc")
    stage.hydra("run", "--cycles", "12")
    stage.write(stage.faults, "")


def resumed(stage: Stage) -> None:
    stage.restore()
    stage.command(*RESUME)


def never_arrived(stage: Stage) -> None:
    """An entry of which nobody knows whether it arrived: no answer came, and the venue may still show it within an hour."""
    stage.set("unknown_grace_seconds", "3600")
    stage.fault("timeout_before", "submit")
    stage.command("qc")
    stage.hydra("run", "--cycles", "40")
    stage.write(stage.faults, "")


def halt(name: str, planted: str, plant: Act, reason: str, mended: str = "`hydra resume --reason … --force`") -> Defect:
    """Only an operator lifts it."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check="halts",
        reason=reason,
        mended=mended,
        mend=resumed,
        run=BARRED,
    )


HALTS = (
    halt("an operator's halt", "`hydra halt --reason 'a bad feeling'`", halted, r"operator: a bad feeling"),
    halt("a flattened account", "`hydra flatten --yes`", flattened, r"flatten: "),
    replace(
        halt("a bot that is being flattened", "`hydra flatten --bot spy-trend --yes`", one_bot_flattened, r"spy-trend"),
        run=None,  # it keeps one bot out, and the others may enter
    ),
    halt(
        "a day that lost too much",
        "a run under `daily_loss = 0.0000001`",
        lambda stage: lost(stage, "daily_loss"),
        r"daily_loss: .*\d",
    ),
    halt("a drawdown", "a run under `drawdown = 0.0000001`", lambda stage: lost(stage, "drawdown"), r"drawdown: .*\d"),
    halt(
        "too many failures",
        "a run in which the venue fails until the window is full",
        failures,
        r"failure_window: \d+ failed reads in 900 s",
    ),
)
WINDOW = Defect(
    name="a window full of failures",
    planted="the venue failed five times within the window of 15 minutes",
    plant=failures,
    check="failure_window",
    reason=r"\d+ failed reads in 900 s, limit 5",
    mended="`hydra resume`, which begins a new window",
    mend=resumed,
    run=BARRED,
    cycles=1,
)
AGREEMENT = (
    WINDOW,
    Defect(
        name="an unknown position",
        planted="somebody buys 3 AAPL on the same account",
        plant=by_hand,
        check="ledger_agrees",
        reason=r"AAPL.*3|differ in \d",
        mended="`hydra doctor --accept-foreign`, and `hydra resume` where a run has met it",
        mend=accepted,
        base="served",
        run=BARRED,
    ),
    Defect(
        name="an unknown order",
        planted="somebody leaves an order to buy 3 AAPL at 50 on the same account",
        plant=lambda stage: by_hand(stage, type="limit", limit_price="50", time_in_force="gtc"),
        check="ledger_agrees",
        reason=r"hand|differ in \d",
        mended="the order is taken back, and `hydra resume` where a run has met it",
        mend=taken_back,
        base="served",
        run=BARRED,
    ),
    account(
        "a position out of nowhere",
        "the venue tells of 7 MSFT",
        r"MSFT.*7|differ in \d",
        "ledger_agrees",
        held={"symbol": "MSFT", "quantity": "7"},
    ),
    account(
        "a position that is gone",
        "the venue tells of no positions",
        r"SPY|AAPL|differ in \d",
        "ledger_agrees",
        gone=True,
    ),
    account(
        "cash that nobody explains",
        "the venue tells of 25 dollars more",
        r"25|differ in \d",
        "ledger_agrees",
        cash="25",
    ),
    Defect(
        name="an order with unknown outcome",
        planted="no answer came to an entry, and the venue does not show it yet",
        plant=never_arrived,
        check="orders_resolved",
        reason=r"outcome unknown: hy-\w+",
        mended="the seconds in which it may still appear are over",
        run=BARRED,
    ),
)
