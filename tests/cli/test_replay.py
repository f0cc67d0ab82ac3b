"""``hydra replay`` over a small real journal: whatever is done to its bytes is noticed, and whatever it is packed in is read."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading, Tail
from hydra.adapters.journal.segments import content
from hydra.adapters.memory.files import LossyFiles
from hydra.cli.commands import replay
from hydra.cli.commands.replay_sources import Resolver
from hydra.cli.console import PIPE_WIDTH
from hydra.cli.frame import Frame, Result
from hydra.engine.replay import Replayed
from hydra.engine.replay import replay as decide_again
from hydra.model.errors import BadConfig, Corrupt
from tests.adapters.journals import rehashed

OLD = Path(__file__).parent / "old_journal"
NIGHT = 1
"""The place, among the old segments, of the one that holds sixteen cycles less one, and the only order."""
ALONE = Path("/logs/night.001.jsonl")
FEW = settings(derandomize=True, deadline=None, max_examples=60, database=None)
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    ".gz": lambda data: gzip.compress(data, mtime=0),
}


@pytest.fixture(scope="module")
def texts() -> dict[str, bytes]:
    """The old journal, unpacked: bytes by name, in the order of the chain."""
    return {path.name.removesuffix(".zst"): b"".join(content(RealFiles(), path)) for path in sorted(OLD.iterdir())}


@pytest.fixture(scope="module")
def night(texts: dict[str, bytes]) -> bytes:
    return [*texts.values()][NIGHT]


@pytest.fixture
def logs(texts: dict[str, bytes], tmp_path: Path) -> Path:
    """The old journal in plain files."""
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    return tmp_path


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    with Resolver() as one:
        yield one


def told(*log: Path, **more: Any) -> Result:
    return replay.command(Frame(command="replay", options={"log": list(log), "json": True, "debug": False, **more}))


def read(text: bytes, resolver: Resolver) -> tuple[Replayed, Tail]:
    """A segment of these bytes, replayed alone."""
    files = LossyFiles()
    files.make_dir(ALONE.parent)
    files.damage(ALONE, text)
    reading = Reading(files, [ALONE])
    return decide_again(reading, resolver), reading.tail


def screen(result: Result, width: int = PIPE_WIDTH) -> str:
    out = Console(width=width, file=StringIO(), record=True)
    result.show(out)
    return out.export_text()


def unsaid(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def chained(events: list[dict[str, Any]]) -> bytes:
    """These events as a segment whose every hash fits: what somebody writes who knows how."""
    lines, before = [], events[0]["prev"]
    for seq, event in enumerate(events, start=events[0]["seq"]):
        said = {**event, "seq": seq, "prev": before}
        said.pop("hash", None)
        lines.append(rehashed(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()))
        before = json.loads(lines[-1])["hash"]
    return b"".join(lines)


# -- what is read


def test_segments_folders_and_patterns_are_one_journal(logs: Path) -> None:
    whole = told(logs).document
    assert (whole["cycles"], whole["orders"], whole["difference"]) == (16, 1, None)
    backwards = sorted(logs.iterdir(), reverse=True)
    for named in (backwards, [logs / "*.jsonl"], [logs, *backwards]):
        assert told(*named).document == whole


@pytest.mark.parametrize("suffix", PACK)
def test_packed_segments_are_read_as_they_are(logs: Path, suffix: str) -> None:
    plain = told(logs).document
    for path in logs.iterdir():
        path.with_name(path.name + suffix).write_bytes(PACK[suffix](path.read_bytes()))
        path.unlink()
    packed = told(logs).document
    assert {**packed, "segments": plain["segments"]} == plain


def test_standard_input_may_hold_several_segments(texts: dict[str, bytes]) -> None:
    line = [sys.executable, "-c", "from hydra.cli.main import main; main()", "replay", "-", "--json"]
    done = subprocess.run(line, input=b"".join(texts.values()), capture_output=True, timeout=60, check=False)
    document = json.loads(done.stdout)
    assert (done.returncode, document["cycles"], document["segments"]) == (0, 16, ["-"])


@pytest.mark.parametrize(
    ("named", "options", "said"),
    [
        ("nowhere", {}, "no such file"),
        ("nothing*", {}, "nothing matches"),
        ("empty.001.jsonl", {}, "empty"),
        (".", {"bot": "nobody"}, "is in none of the journaled policies"),
        (".", {"cycle": 99}, "it has the cycles 1 to 16"),
        (".", {"cycle": 3, "follow": True}, "--cycle and --follow do not go together"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(logs: Path, named: str, options: Any, said: str) -> None:
    (logs / "empty.001.jsonl").touch()
    with pytest.raises(BadConfig) as refused:
        told(logs / named, **options)
    assert said in str(refused.value)


# -- what was done to it


@FEW
@given(data=st.data())
def test_any_flipped_bit_is_named_by_its_line(night: bytes, resolver: Resolver, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(night) - 1))
    harmed = bytearray(night)
    harmed[place] ^= 1 << data.draw(st.integers(0, 7))
    line = night.count(b"\n", 0, place) + 1
    if place == len(night) - 1:
        result, tail = read(bytes(harmed), resolver)
        assert (result.difference, result.open_tail) == (None, True)
        assert tail.torn_bytes == len(night) - night.rindex(b"\n", 0, -1) - 1
        return
    with pytest.raises(Corrupt, match=rf"night\.001\.jsonl: line {line}: expected"):
        read(bytes(harmed), resolver)


@FEW
@given(data=st.data(), how=st.sampled_from(["removed", "doubled", "swapped"]))
def test_lines_out_of_place_are_named(night: bytes, resolver: Resolver, data: st.DataObject, how: str) -> None:
    lines = night.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 2))
    changed = {
        "removed": [*lines[:place], *lines[place + 1 :]],
        "doubled": [*lines[: place + 1], *lines[place:]],
        "swapped": [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
    }[how]
    line = place + 2 if how == "doubled" else place + 1
    with pytest.raises(Corrupt, match=f": line {line}: "):
        read(b"".join(changed), resolver)


@FEW
@given(data=st.data())
def test_a_file_that_was_cut_anywhere_has_an_open_tail(night: bytes, resolver: Resolver, data: st.DataObject) -> None:
    first = night.index(b"\n") + 1
    cut = data.draw(st.integers(first, len(night) - 1))
    result, tail = read(night[:cut], resolver)
    assert (result.difference, result.open_tail) == (None, True)
    assert tail.torn_bytes == cut - night.rindex(b"\n", 0, cut) - 1


def test_a_file_that_was_cut_in_its_first_line_is_no_journal(night: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.001.jsonl"
    path.write_bytes(night[:100])
    with pytest.raises(Corrupt, match="line 1: expected an event"):
        told(path)


def test_a_segment_that_was_cut_in_its_first_line_is_a_torn_tail_of_the_others(logs: Path) -> None:
    last = max(logs.iterdir())
    last.write_bytes(last.read_bytes()[:100])
    document = told(logs).document
    assert document["difference"] is None
    assert "a torn last line of 100 bytes was left out" in document["notes"]


@pytest.mark.parametrize("suffix", PACK)
@FEW
@given(data=st.data())
def test_a_packed_file_that_was_cut_or_grew_is_damage(
    night: bytes, resolver: Resolver, suffix: str, data: st.DataObject
) -> None:
    packed = PACK[suffix](night)
    cut = data.draw(st.integers(1, len(packed) - 1))
    for harmed in (packed[:cut], packed + b"more"):
        files, path = LossyFiles(), ALONE.with_name(f"night.001.jsonl{suffix}")
        files.make_dir(path.parent)
        files.damage(path, harmed)
        with pytest.raises(Corrupt, match=r"cannot be decompressed|end of a compressed segment"):
            decide_again(Reading(files, [path]), resolver)


@pytest.mark.parametrize("kind", ["answered", "decided", "order_sent", "cycle_closed", "observed"])
def test_a_line_that_was_taken_out_is_noticed_even_where_every_hash_fits(
    night: bytes, resolver: Resolver, kind: str
) -> None:
    events = unsaid(night)
    assert read(chained(events), resolver)[0].difference is None
    for place in [number for number, event in enumerate(events[:-4]) if event["kind"] == kind][:4]:
        text = chained([*events[:place], *events[place + 1 :]])
        with suppress(Corrupt):
            assert read(text, resolver)[0].difference is not None


def test_a_changed_plan_is_shown_field_by_field(night: bytes, tmp_path: Path) -> None:
    events = unsaid(night)
    place = next(n for n, event in enumerate(events) if event["kind"] == "order_sent")
    events[place]["data"]["order"] |= {"quantity": "7", "bot": "somebody"}
    path = tmp_path / "forged.001.jsonl"
    path.write_bytes(chained(events))
    result = told(path)
    found = result.document["difference"]
    assert (result.exit_code, found["kind"], found["line"], found["segment"]) == (1, "order_sent", place + 1, str(path))
    assert {one["where"]: one["recorded"] for one in found["fields"]} == {"quantity": "7", "bot": "somebody"}
    for width in (80, 120):
        shown = screen(result, width)
        assert all(word in shown for word in ("recorded", "recomputed", "somebody", f"line {place + 1}"))
        assert max(map(len, shown.splitlines())) <= width


def test_another_code_and_another_policy_are_reported_and_compared_all_the_same(logs: Path) -> None:
    notes = " ".join(told(logs).document["notes"])
    assert "written by another version of the code" in notes
    assert "another policy" not in notes
    last = max(logs.iterdir())
    events = unsaid(last.read_bytes())
    events[0]["data"]["policy_hash"] = "f" * 64
    last.write_bytes(chained(events))
    document = told(logs).document
    assert f"another policy from event {events[0]['seq']} on" in " ".join(document["notes"])
    assert document["difference"] is None


def test_a_policy_that_this_version_cannot_read_is_refused_by_its_keys(logs: Path) -> None:
    last = max(logs.iterdir())
    events = unsaid(last.read_bytes())
    events[0]["data"]["policy"]["risk"]["order_notional"] = "-5"
    last.write_bytes(chained(events))
    with pytest.raises(BadConfig, match=r"cannot be used by this version: risk\.order_notional"):
        told(logs)


# -- one bot, one cycle


def test_one_bot_alone_is_asked_and_compared(logs: Path, night: bytes) -> None:
    (order,) = [event["data"]["order"] for event in unsaid(night) if event["kind"] == "order_sent"]
    mine, whole = told(logs, bot=order["bot"]).document, told(logs).document
    assert (mine["cycles"], mine["orders"], mine["bot"]) == (whole["cycles"], 1, order["bot"])
    other = next(bot for bot in ("spy-trend", "coins") if bot != order["bot"])
    assert told(logs, bot=other).document["orders"] == 0


def test_what_another_bot_did_differently_does_not_concern_this_one(night: bytes, tmp_path: Path) -> None:
    events = unsaid(night)
    place = next(n for n, event in enumerate(events) if event["kind"] == "order_sent")
    whose = events[place]["data"]["order"]["bot"]
    events[place]["data"]["order"]["thesis"] = "something else"
    path = tmp_path / "forged.001.jsonl"
    path.write_bytes(chained(events))
    other = next(bot for bot in ("spy-trend", "coins") if bot != whose)
    assert (told(path).exit_code, told(path, bot=whose).exit_code, told(path, bot=other).exit_code) == (1, 1, 0)


def test_a_cycle_that_traded_is_told_with_its_numbers(logs: Path, night: bytes) -> None:
    (order,) = [event["data"]["order"] for event in unsaid(night) if event["kind"] == "order_sent"]
    result = told(logs, cycle=order["cycle"])
    shown = screen(result)
    titles = ("Seen", "Gates", "Asked", "Judged", "Sent", "By the next look", "Closed", "Decided again")
    assert all(f"\n{title}\n" in shown for title in titles)
    assert f"admitted {order['quantity']}" in shown
    assert order["client_id"] in shown
    assert (result.exit_code, result.document["identical"]) == (0, True)
    assert result.document["plan"]["sends"][0]["order"]["client_id"] == order["client_id"]
    for width in (60, 80):
        assert max(map(len, screen(result, width).splitlines())) <= width


def test_a_quiet_cycle_says_why_nothing_was_done(logs: Path) -> None:
    quiet = next(n for n in range(1, 17) if not told(logs, cycle=n).document["plan"].get("sends"))
    result = told(logs, cycle=quiet)
    assert "nothing was done: " in result.document["message"]
    assert "\nNot done\n" in screen(result)


def test_a_cycle_that_was_cut_off_says_where(night: bytes, tmp_path: Path) -> None:
    events = unsaid(night)
    place = next(n for n, event in enumerate(events) if event["kind"] == "order_sent")
    path = tmp_path / "killed.001.jsonl"
    path.write_bytes(b"".join(night.splitlines(keepends=True)[: place + 1]))
    result = told(path, cycle=events[place]["data"]["order"]["cycle"])
    shown = " ".join(screen(result).split())
    assert "no answer of the venue was written any more" in shown
    assert f"the journal stops at event {events[place]['seq']} (order_sent)" in shown
    assert (result.document["closed"], result.document["identical"]) == (False, True)


def test_one_bot_of_a_cycle_is_told_alone(logs: Path, night: bytes) -> None:
    (order,) = [event["data"]["order"] for event in unsaid(night) if event["kind"] == "order_sent"]
    other = next(bot for bot in ("spy-trend", "coins") if bot != order["bot"])
    result = told(logs, cycle=order["cycle"], bot=other)
    assert order["client_id"] not in screen(result)
    assert result.document["asked"] in ([], [other])
    with pytest.raises(BadConfig, match="'nobody' is not in the policy of this cycle"):
        told(logs, cycle=order["cycle"], bot="nobody")
