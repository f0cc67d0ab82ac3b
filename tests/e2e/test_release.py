"""``hydra bots release``: a bot that has failed too often is asked again when an operator says so, whether an engine runs or not."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.e2e.place import Place, kinds

STUMBLER = '''"""Counts its answers, and fails in the third to fifth minute of the day."""

def make(setting):
    return answer


def answer(view, memory):
    if view.minute in (2, 3, 4):
        raise ArithmeticError("out of its depth")
    return (), {"answers": memory.get("answers", 0) + 1}
'''
ENTRY = """
[[bots]]
id = "stumbler"
bot = "bots/stumbler.py:make"
enabled = true
bucket = "crypto"
symbols = ["BTC-USD"]
trades_per_day = 4
positions = 1
stop_loss = 0.01
take_profit = 0.03
size = { by = "notional", amount = 2500 }
"""


@pytest.fixture
def stumbler(fresh: Place) -> Place:
    """A place with nobody but the stumbler, certified. A bot in a file has its path in the certificate: it cannot be copied."""
    text = fresh.config.read_text(encoding="utf-8")
    fresh.config.write_text(text[: text.index("[[bots]]")] + ENTRY, encoding="utf-8")
    file = fresh.config.parent / "bots" / "stumbler.py"
    file.parent.mkdir()
    file.write_text(STUMBLER, encoding="utf-8")
    told = fresh.hydra("qc")
    assert told.code == 0, told.text
    return fresh


def heard(place: Place, after: int = 0) -> list[dict[str, Any]]:
    """What the bot answered after an event, quiet answers left out."""
    events = [event for event in place.events() if event["kind"] == "answered" and event["seq"] > after]
    return [answer for event in events for answer in event["data"].get("answers", ())]


def failed(place: Place) -> int:
    return sum("failure" in answer for answer in heard(place))


def test_without_an_engine_a_release_is_journaled_and_the_bot_is_asked_in_the_next_run(stumbler: Place) -> None:
    ran = stumbler.hydra("run", "--cycles", "8", "--json")
    assert ran.code == 0, ran.text
    (failure,) = ran.document["failures"]
    assert (failure["bot"], failure["kind"], failure["count"]) == ("stumbler", "ArithmeticError", 3)
    listed = stumbler.hydra("bots", "list")
    assert "quarantined" in listed.text
    assert "`hydra bots release stumbler` has it asked again" in listed.text
    assert stumbler.hydra("qc").code == 1

    unknown = stumbler.hydra("bots", "release", "tumbler", "--json")
    assert (unknown.code, unknown.document["kind"]) == (2, "BadConfig")
    assert "there is no bot 'tumbler'; there are: stumbler" in unknown.document["error"]

    head = stumbler.head()
    released = stumbler.hydra("bots", "release", "stumbler", "--forget", "--reason", "it was mended", "--json")
    assert released.code == 0, released.text
    assert released.document["delivered"] == "journal"
    assert (
        "released stumbler (3 failed answers and its memory forgotten): it was mended" in released.document["message"]
    )
    (word,) = [event["data"] for event in stumbler.events() if event["kind"] == "released" and event["seq"] > head]
    assert (word["bot"], word["reason"], word["forget"], "@" in word["by"]) == ("stumbler", "it was mended", True, True)

    again = stumbler.hydra("bots", "release", "stumbler")
    assert again.code == 3
    assert "cannot release: stumbler has no failed answers to forget" in again.text
    assert [bot["state"] for bot in stumbler.hydra("bots", "list", "--json").document["bots"]] == ["enabled"]
    assert stumbler.hydra("qc").code == 0
    assert stumbler.hydra("run", "--cycles", "3").code == 0
    assert [answer["memory"] for answer in heard(stumbler, head)] == [{"answers": n} for n in (1, 2, 3)]
    assert stumbler.hydra("replay", "logs").code == 0


def test_a_running_engine_reads_a_release_from_its_inbox_and_asks_again(stumbler: Place) -> None:
    running = stumbler.start("run", "--speed", "300", "--json")
    running.until(lambda: failed(stumbler) == 3)
    released = stumbler.hydra("bots", "release", "stumbler", "--json")
    assert released.code == 0, released.text
    assert released.document["delivered"] == "inbox"
    running.until(lambda: "released" in kinds(stumbler.events()))
    (word,) = [event for event in stumbler.events() if event["kind"] == "released"]
    running.until(lambda: len(heard(stumbler, word["seq"])) > 2)
    useless = stumbler.hydra("bots", "release", "stumbler")
    assert useless.code == 3, useless.text
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert ended.code == 143
    assert ended.document["releases"] == 1

    assert word["data"]["reason"] == "`hydra bots release stumbler`"
    first = heard(stumbler, word["seq"])[0]
    assert ("failure" in first, first["memory"]["answers"]) == (False, 3)  # two before it failed, remembered
    assert list((stumbler.state / "inbox").glob("*.json")) == []
    assert stumbler.hydra("replay", "logs").code == 0
