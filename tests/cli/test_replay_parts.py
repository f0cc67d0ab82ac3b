"""A journal that several processes decide in parts comes to the same, word for word, as one that is gone through by one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.segments import content
from hydra.cli.commands import replay
from hydra.cli.commands.replay_cuts import Part, Place, parts_of, shares
from hydra.cli.commands.replay_parts import Board, Findings, in_processes, joined, through
from hydra.cli.commands.replay_sources import Resolver, segments_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig, Corrupt
from tests.cli.test_replay import NIGHT, OLD, PACK, chained, screen, unsaid

FEW = settings(derandomize=True, deadline=None, max_examples=6, database=None)
STILL = "import time\ndef make(*_asked):\n    time.sleep(60)\n"
"""A bot with which whoever makes it never comes to an end."""


@pytest.fixture(scope="module")
def segments() -> dict[str, bytes]:
    """The old journal, unpacked: bytes by name, in the order of the chain."""
    return {path.name.removesuffix(".zst"): b"".join(content(RealFiles(), path)) for path in sorted(OLD.iterdir())}


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    with Resolver() as one:
        yield one


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def laid(folder: Path, segments: dict[str, bytes]) -> tuple[Path, ...]:
    """These segments as the only files of a folder."""
    for path in folder.iterdir():
        path.unlink()
    for name, text in segments.items():
        (folder / name).write_bytes(text)
    return segments_of([folder])


def linked(segments: dict[str, list[dict[str, Any]]]) -> dict[str, bytes]:
    """Events of several segments with every hash made to fit."""
    every = chained([event for events in segments.values() for event in events]).splitlines(keepends=True)
    out = {}
    for name, events in segments.items():
        out[name], every = b"".join(every[: len(events)]), every[len(events) :]
    return out


def places(paths: Sequence[Path]) -> list[Place]:
    """Wherever a part can begin, but for the very first line."""
    found = []
    for path in paths:
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
            if (number == 1 and b'"kind":"segment_opened"' in line) or b'"kind":"observed"' in line:
                found.append((path, number))
    return [place for place in found if place != (paths[0], 1)]


def cut(paths: Sequence[Path], cuts: Sequence[Place]) -> list[Part]:
    """The parts that begin there."""
    begins = [(paths[0], 1), *cuts]
    return [
        Part(number=number, paths=tuple(paths[paths.index(path) :]), line=line, until=until)
        for number, ((path, line), until) in enumerate(zip(begins, [*cuts, None], strict=True))
    ]


def on(_read_bytes: int, _events: int) -> bool:
    return True


def verdict(paths: tuple[Path, ...], parts: Sequence[Part], resolver: Resolver, bot: str | None = None) -> Any:
    """All that is said of a journal that is gone through in these parts, and the exit code."""

    def found() -> Iterator[Findings]:
        for part in parts:
            one = through(part, bot, resolver, on)
            assert one is not None
            yield one
            if one.ends:
                return

    try:
        result = replay.result_of(joined(parts, list(found())), paths, bot, None)
    except (Corrupt, BadConfig) as fault:
        return type(fault).__name__, str(fault)
    return result.exit_code, screen(result), result.document


def told(*log: Path, **more: Any) -> Result:
    return replay.command(Frame(command="replay", options={"log": list(log), "json": True, "debug": False, **more}))


# -- the same as one


def harmed(segments: dict[str, bytes], how: str, draw: Callable[[Any], Any]) -> dict[str, bytes]:
    """The journal after something happened to it: to its bytes, to its lines, or to its events by somebody who makes every hash fit."""
    name = draw(st.sampled_from([*segments]))
    lines = segments[name].splitlines(keepends=True)
    line = draw(st.integers(0, len(lines) - 1))
    if how == "flipped":
        text = bytearray(segments[name])
        text[draw(st.integers(0, len(text) - 1))] ^= 1 << draw(st.integers(0, 7))
        return {**segments, name: bytes(text)}
    if how == "cut off":
        return {**segments, name: segments[name][: draw(st.integers(1, len(segments[name]) - 1))]}
    fits = how.startswith("fitting: ")
    change: dict[str, Callable[[list[Any]], list[Any]]] = {
        "removed": lambda each: each[:line] + each[line + 1 :],
        "doubled": lambda each: each[: line + 1] + each[line:],
        "swapped": lambda each: each[:line] + each[line + 1 : line + 2] + each[line : line + 1] + each[line + 2 :],
    }
    if not fits:
        return {**segments, name: b"".join(change[how](lines))}
    events = {each: unsaid(text) for each, text in segments.items()}
    if how == "fitting: altered":
        leaves = [*_numbers(events[name][line]["data"])]
        if leaves:
            holder, key = draw(st.sampled_from(leaves))
            holder[key] = str(float(holder[key]) + 1) if isinstance(holder[key], str) else holder[key] + 1
    else:
        events[name] = change[how.removeprefix("fitting: ")](events[name])
    return linked(events)


def _numbers(value: Any) -> Iterator[tuple[Any, Any]]:
    """The numbers in a document, each by what holds it and its key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, dict | list):
            yield from _numbers(inner)
        elif isinstance(inner, int | float) or (isinstance(inner, str) and inner.replace(".", "", 1).isdecimal()):
            yield value, key


@pytest.mark.parametrize("how", ["flipped", "cut off", "removed", "doubled", "swapped"])
@FEW
@given(data=st.data())
def test_what_happened_to_its_bytes_is_said_in_the_same_words(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path, how: str, data: st.DataObject
) -> None:
    same_in_parts(harmed(segments, how, data.draw), resolver, scratch, data)


@pytest.mark.parametrize("how", ["altered", "removed", "doubled", "swapped"])
@FEW
@given(data=st.data())
def test_what_somebody_changed_who_made_every_hash_fit_is_said_in_the_same_words(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path, how: str, data: st.DataObject
) -> None:
    same_in_parts(harmed(segments, f"fitting: {how}", data.draw), resolver, scratch, data)


def same_in_parts(segments: dict[str, bytes], resolver: Resolver, folder: Path, data: st.DataObject) -> None:
    try:
        paths = laid(folder, segments)
    except (Corrupt, BadConfig):
        return  # this is said before anything is cut
    there = places(paths)
    cuts = data.draw(
        st.lists(st.sampled_from(there), max_size=4, unique=True).map(lambda each: sorted(each, key=there.index))
    )
    bot = data.draw(st.sampled_from([None, "coins"]))
    assert verdict(paths, cut(paths, cuts), resolver, bot) == verdict(paths, cut(paths, []), resolver, bot)


def test_every_single_cut_leaves_a_sound_journal_identical(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path
) -> None:
    paths = laid(scratch, segments)
    whole = verdict(paths, cut(paths, []), resolver)
    assert whole[0] == 0
    for place in places(paths):
        assert verdict(paths, cut(paths, [place]), resolver) == whole


@pytest.mark.parametrize("place", [("ledger", "cash"), ("ledger", "cycle"), ("ledger", "binding"), ("policy_hash",)])
def test_a_checkpoint_at_a_joint_that_was_altered_is_named_where_one_process_names_it(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path, place: tuple[str, ...]
) -> None:
    events = {name: unsaid(text) for name, text in segments.items()}
    name = [*segments][NIGHT + 1]
    inside = events[name][0]["data"]
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = {"cash": "1", "cycle": 3, "policy_hash": "f" * 64}.get(place[-1])
    paths = laid(scratch, linked(events))
    whole = verdict(paths, cut(paths, []), resolver)
    assert verdict(paths, cut(paths, [(scratch / name, 1)]), resolver) == whole
    if place[0] == "ledger" and place[1] != "binding":
        assert (whole[2]["difference"]["line"], whole[2]["difference"]["kind"]) == (1, "segment_opened")


def test_a_part_that_began_with_another_event_than_the_one_before_it_ended_with_is_never_identical(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path
) -> None:
    paths = laid(scratch, segments)
    parts = cut(paths, places(paths)[3:4])
    found = [one for part in parts if (one := through(part, None, resolver, on)) is not None]
    moved = cut(paths, places(paths)[4:5])
    other = through(moved[1], None, resolver, on)
    assert other is not None
    with pytest.raises(Corrupt, match="it was changed while it was read"):
        joined(parts, [found[0], other])


# -- where it is cut


@FEW
@given(
    weights=st.lists(st.integers(1, 1_000_000), min_size=1, max_size=30),
    most=st.integers(1, 12),
)
def test_shares_begin_with_the_first_byte_come_in_order_and_are_not_more_than_asked_for(
    weights: list[int], most: int
) -> None:
    begins = shares(weights, most)
    assert begins[0] == (0, 0.0)
    assert begins == sorted(set(begins))
    assert len(begins) <= most
    assert all(0 <= before < weights[file] for file, before in begins)


@pytest.mark.parametrize(
    ("weights", "most", "found"),
    [
        ([100, 100, 100, 100], 2, [(0, 0), (2, 0)]),
        ([100, 100, 100, 100], 4, [(0, 0), (1, 0), (2, 0), (3, 0)]),
        ([400], 1, [(0, 0)]),
        ([1, 400, 1], 1, [(0, 0)]),
    ],
)
def test_segments_that_fit_are_left_whole(weights: list[int], most: int, found: list[tuple[int, float]]) -> None:
    assert shares(weights, most) == found


def test_of_one_segment_the_parts_take_the_same_time_and_no_more_are_made_than_are_worth_it() -> None:
    ((_, none), (_, half)) = shares([1000], 2)
    assert none == 0
    assert half == pytest.approx(1000 - half + 0.35 * half, rel=0.02)
    assert 2 < len(shares([1000], 1000)) < 12


def test_a_journal_is_cut_only_where_it_pays_and_only_where_this_program_alone_decides(
    segments: dict[str, bytes], scratch: Path, tmp_path: Path
) -> None:
    paths, files = laid(scratch, segments), RealFiles()
    size = sum(map(len, segments.values()))
    assert len(parts_of(files, paths, None, lambda: 8)) == 1
    assert len(parts_of(files, paths, None, lambda: 8, share_bytes=size // 3)) == 3
    assert len(parts_of(files, paths, None, lambda: 2, share_bytes=size // 3)) == 2
    assert len(parts_of(files, paths, None, lambda: 1, share_bytes=size // 3)) == 1
    assert len(parts_of(files, paths, 3, lambda: 1)) == 3
    foreign = laid(tmp_path, with_bot(segments, tmp_path / "mine.py"))
    assert len(parts_of(files, foreign, None, lambda: 8, share_bytes=size // 3)) == 1
    assert len(parts_of(files, foreign, 2, lambda: 8)) == 2


@pytest.mark.parametrize("suffix", ["", *PACK])
@pytest.mark.parametrize("most", [2, 3, 5])
def test_parts_begin_with_segments_and_looks_and_follow_one_another(
    segments: dict[str, bytes], scratch: Path, resolver: Resolver, suffix: str, most: int
) -> None:
    pack = PACK.get(suffix, bytes)
    paths = laid(scratch, {f"{name}{suffix}": pack(text) for name, text in segments.items()})
    parts = parts_of(RealFiles(), paths, most, lambda: 1)
    assert (1 if suffix == ".gz" else 2) <= len(parts) <= most
    assert [part.until for part in parts] == [*(part.begins for part in parts[1:]), None]
    assert verdict(paths, parts, resolver) == verdict(paths, cut(paths, []), resolver)


def test_no_part_begins_with_a_segment_whose_only_line_is_torn(
    segments: dict[str, bytes], scratch: Path, resolver: Resolver
) -> None:
    last = [*segments][-1]
    paths = laid(scratch, {**segments, last: segments[last][:-9000]})
    parts = parts_of(RealFiles(), paths, 9, lambda: 1)
    assert len(parts) > 2
    assert {part.paths[0].name for part in parts} <= {*segments} - {last}
    whole = verdict(paths, cut(paths, []), resolver)
    assert "a torn last line of" in whole[1]
    assert verdict(paths, parts, resolver) == whole


# -- in processes


def with_bot(segments: dict[str, bytes], source: Path, text: str = STILL, only: int | None = None) -> dict[str, bytes]:
    """The journal with this file for a bot, asked where it is read; in one segment only, or in all."""
    source.write_text(text)
    events = {name: unsaid(text) for name, text in segments.items()}
    for number, name in enumerate(events):
        if only in (None, number):
            policy = events[name][0]["data"]["policy"]
            policy["isolation"] = {**policy.get("isolation", {}), "host": "inline"}
            policy["bots"][0] |= {"bot": f"{source}:make", "signal": None, "parameters": {}}
    return linked(events)


def test_the_first_difference_counts_though_one_in_a_later_part_is_found_sooner(
    segments: dict[str, bytes], tmp_path: Path
) -> None:
    events = {name: unsaid(text) for name, text in segments.items()}
    night = events[[*segments][NIGHT]]
    plans = [event for event in night if event["kind"] == "decided"]
    for plan in (plans[6], plans[-4]):
        plan["data"]["plan"]["mode"] = "halted"
    paths = laid(tmp_path, linked(events))
    assert parts_of(RealFiles(), paths, 2, lambda: 1)[1].line > plans[6]["seq"] - night[0]["seq"] + 1
    result, alone = told(*paths, processes=2), told(*paths, processes=1)
    assert result.document == alone.document
    assert (result.exit_code, result.document["difference"]["seq"]) == (1, plans[6]["seq"])


def test_processes_come_to_the_same_as_one_and_say_how_far_they_are(segments: dict[str, bytes], tmp_path: Path) -> None:
    paths = laid(tmp_path, segments)
    parts, heard = parts_of(RealFiles(), paths, 2, lambda: 1), list[tuple[int, int]]()
    found = in_processes(parts, None, lambda read_bytes, events: heard.append((read_bytes, events)))
    alone = told(*paths, processes=1)
    assert replay.result_of(found, paths, None, None).document == alone.document
    assert heard == sorted(heard)


def test_where_no_process_can_be_started_one_alone_comes_to_the_same_and_says_so() -> None:
    told = "import tempfile; tempfile.tempdir = '/is/not/there'\nfrom hydra.cli.main import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", told, "replay", str(OLD), "--processes", "2"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "identical: " in done.stdout
    assert "decided by one process: FileNotFoundError" in done.stdout.replace("\n", " ")


def test_what_a_part_raises_is_raised_as_ever(segments: dict[str, bytes], tmp_path: Path) -> None:
    events = {name: unsaid(text) for name, text in segments.items()}
    events[[*segments][NIGHT]][0]["data"]["policy"]["risk"]["order_notional"] = "-5"
    paths = laid(tmp_path, linked(events))
    said = []
    for processes in (1, 2):
        with pytest.raises(BadConfig, match=r"risk\.order_notional") as refused:
            told(*paths, processes=processes)
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("more", [{"follow": True}, {"cycle": 3}, {"what_if": Path("other.toml")}])
def test_what_one_process_has_to_go_through_is_not_shared_out(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(BadConfig, match=r"--processes: --[a-z-]+ is gone through by one process"):
        told(tmp_path, processes=2, **more)


def test_standard_input_is_not_shared_out() -> None:
    with pytest.raises(BadConfig, match="standard input is gone through by one process"):
        told(Path("-"), processes=2)


def test_a_part_that_is_needed_no_more_is_told_so_and_stops(
    segments: dict[str, bytes], resolver: Resolver, scratch: Path, tmp_path: Path
) -> None:
    with Board(tmp_path / "board") as all_of_them, Board(tmp_path / "board", 1) as mine:
        all_of_them.need(1)
        assert all(mine.tell(1000, 10) for _ in range(64))
        assert all_of_them.told(3) == (1000, 10)
        all_of_them.need(0)
        time.sleep(0.11)
        assert [mine.tell(2000, 20) for _ in range(64)].count(False) == 1
    paths = laid(scratch, segments)
    assert through(cut(paths, [])[0], None, resolver, lambda _bytes, events: events < 5) is None
