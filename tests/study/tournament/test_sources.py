"""What a tournament left behind is read as it was written, and nothing is made up where it was not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hydra.gladiators.score.prices import Fate
from hydra.gladiators.score.score import score
from hydra.model.errors import BadConfig, Corrupt
from hydra.study.tournament.sources import VOTES, folder_and_run, original_of, recorded_prices, tournament
from hydra.study.tournament.trades import traded
from tests.gladiators.score.world import ASSET, prices, world
from tests.study.tournament.left import SEATS, add_run, add_votes, leave

RUN = "20260105T000000-aaaa"


def test_a_run_is_read_with_its_terms_and_the_candles_of_its_journal(tmp_path: Path) -> None:
    rows = leave(tmp_path)
    found = tournament(tmp_path)
    assert found.rows == tuple(rows)
    assert (found.terms.run, found.terms.cost, found.terms.assumed) == (RUN, 0.001, ())
    assert found.terms.seats["X1"].calls == 100
    assert str(found.terms.seats["D"].cutoff) == "2026-01-05"
    _, quoted = world(SEATS, 200)
    assert found.prices[ASSET].close.tolist() == quoted[ASSET].close.tolist()


def test_what_was_not_written_down_is_assumed_and_named(tmp_path: Path) -> None:
    leave(tmp_path)
    (tmp_path / "runs.jsonl").unlink()
    assert tournament(tmp_path).terms.assumed == (
        "granularity", "horizon", "hold_band", "cost", "hold_counts", "needed", "seed", "seats",
    )  # fmt: skip


def test_a_run_that_goes_on_is_scored_with_the_one_before(tmp_path: Path) -> None:
    every, quoted = world(SEATS, 200)
    for run, part in (("one", every[:400]), ("two", every[400:])):
        add_votes(tmp_path, [msgspec.structs.replace(row, run=run) for row in part])
        add_run(tmp_path, run, continues="one" if run == "two" else "")
    found = tournament(tmp_path)
    assert found.runs == ("one", "two")
    assert {row.run for row in found.rows} == {"two"}
    whole = score([msgspec.structs.replace(row, run="two") for row in every], quoted, found.terms)
    assert score(found.rows, quoted, found.terms).consensus.hits == whole.consensus.hits
    assert tournament(tmp_path, "one").runs == ("one",)


def test_a_run_that_counts_from_the_beginning_again_began_anew(tmp_path: Path) -> None:
    every, _ = world(SEATS, 20)
    for run in ("one", "two"):
        add_votes(tmp_path, [msgspec.structs.replace(row, run=run) for row in every])
        add_run(tmp_path, run, continues="one" if run == "two" else "")
    found = tournament(tmp_path)
    assert (found.runs, found.others, len(found.rows)) == (("two",), ("one",), len(every))


def test_runs_that_continue_each_other_in_a_circle_end(tmp_path: Path) -> None:
    every, _ = world(SEATS, 20)
    half = len(every) // 2
    for run, before, part in (("one", "two", every[:half]), ("two", "one", every[half:])):
        add_votes(tmp_path, [msgspec.structs.replace(row, run=run) for row in part])
        add_run(tmp_path, run, continues=before)
    assert tournament(tmp_path).runs == ("one", "two")


def test_without_a_journal_calls_are_not_known_yet(tmp_path: Path) -> None:
    rows, _ = world(SEATS, 40)
    add_votes(tmp_path, rows)
    found = tournament(tmp_path)
    assert found.prices == {}
    assert score(found.rows, found.prices, found.terms).fates == {Fate.PENDING: 40}


def test_a_folder_without_votes_is_refused_with_what_writes_them(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"no vote_history.jsonl here; `hydra tournament --paper` writes one"):
        tournament(tmp_path)
    (tmp_path / VOTES).write_bytes(b"")
    with pytest.raises(BadConfig, match="no vote in it yet"):
        tournament(tmp_path)


def test_a_run_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    leave(tmp_path, iterations=3)
    with pytest.raises(BadConfig, match=f"no run 'other' .* there are {RUN}"):
        tournament(tmp_path, "other")


@pytest.mark.parametrize("text", ["nonsense\n", '{"run": 3}\n', '{"run":"x","horizon":"soon"}\n{}\n'])
def test_damaged_terms_are_damage_and_a_torn_line_is_not(tmp_path: Path, text: str) -> None:
    leave(tmp_path, iterations=3)
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write('{"run": "to')
    assert tournament(tmp_path).terms.assumed == ()
    (tmp_path / "runs.jsonl").write_text(text)
    with pytest.raises(Corrupt, match=r"runs.jsonl: line 1"):
        tournament(tmp_path)


def test_terms_that_cannot_be_are_damage(tmp_path: Path) -> None:
    leave(tmp_path, iterations=3, horizon=0)
    with pytest.raises(Corrupt, match="horizon must be within 1"):
        tournament(tmp_path)


def test_a_damaged_journal_is_damage(tmp_path: Path) -> None:
    leave(tmp_path, iterations=40)
    segment = next(tmp_path.glob("*.001.jsonl"))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([lines[0], lines[1].replace(b"100", b"101", 1), *lines[2:]]))
    with pytest.raises(Corrupt):
        tournament(tmp_path)


def test_recorded_prices_take_the_journals_place(tmp_path: Path) -> None:
    rows = leave(tmp_path / "t", iterations=30)
    data = tmp_path / "BTC-USD-1min.csv"
    quoted = prices([True] * 30)
    lines = ["timestamp,open,high,low,close,volume"]
    for at, first, last in zip(quoted.at.tolist(), quoted.open.tolist(), quoted.close.tolist(), strict=True):
        lines.append(f"{at}000,{first},{max(first, last)},{min(first, last)},{last},1")
    data.write_text("\n".join(lines) + "\n")
    found = tournament(tmp_path / "t", data=[data])
    assert score(rows, found.prices, found.terms).table.up.tolist() == [1.0] * 30
    assert str(data) in found.prices_from
    with pytest.raises(BadConfig, match="no candles of 300 s for BTC-USD"):
        recorded_prices([data], [ASSET], 300)


def test_a_folder_a_run_or_nothing_say_where_to_look(tmp_path: Path) -> None:
    default = tmp_path / "logs" / "tournament"
    leave(default, iterations=2)
    leave(default.with_name("tournament-inverted"), run="turned", iterations=2, control="inverted")
    assert folder_and_run(None, default) == (default, None)
    assert folder_and_run("turned", default) == (default.with_name("tournament-inverted"), "turned")
    assert folder_and_run("some-run", default) == (default, "some-run")
    assert folder_and_run(str(default.parent), default) == (default, None)
    assert folder_and_run(str(default), Path("elsewhere")) == (default, None)
    with pytest.raises(BadConfig, match="is neither a folder"):
        folder_and_run(str(default / VOTES), default)
    with pytest.raises(BadConfig, match="is neither a folder"):
        folder_and_run(str(tmp_path / "not" / "there"), default)


def test_a_control_finds_its_original_beside_itself(tmp_path: Path) -> None:
    plain, turned = tmp_path / "tournament", tmp_path / "tournament-headline"
    rows = leave(plain, iterations=10)
    leave(turned, run="shouted", iterations=10, control="headline")
    control = tournament(turned)
    assert original_of(control) == tuple(rows)
    assert original_of(control, plain, RUN) == tuple(rows)
    with pytest.raises(BadConfig, match="no run 'other'"):
        original_of(control, plain, "other")


def test_a_control_without_an_original_says_where_it_looked(tmp_path: Path) -> None:
    turned = tmp_path / "tournament-headline"
    leave(turned, run="shouted", iterations=10, control="headline")
    with pytest.raises(BadConfig, match=r"no run without a control shares a moment with shouted; .* --against"):
        original_of(tournament(turned))


def test_what_the_account_did_is_summed_to_the_cent(tmp_path: Path) -> None:
    assert traded(tmp_path, ["r"]) is None
    (tmp_path / "paper_trades.jsonl").write_text(
        '{"run":"r","result":null}\n{"run":"r","result":{"profit":"-1.25","fees":"0.10","reason":"stop"}}\n'
        '{"run":"r","result":{"profit":"3","fees":"0.10"}}\n{"run":"other","result":{"profit":"99"}}\n{"run":"r","res'
    )
    found = traded(tmp_path, ["r"])
    assert found is not None
    assert (found.lines, found.closed, found.won, found.lost, str(found.profit)) == (3, 2, 1, 1, "1.75")
    (tmp_path / "paper_trades.jsonl").write_text('{"run":"r","result":{"profit":"NaN"}}\n')
    with pytest.raises(Corrupt, match="line 1"):
        traded(tmp_path, ["r"])
