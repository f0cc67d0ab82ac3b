"""Recordings: addressed by what was asked, and repeated without a call, byte for byte."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.llm.exchange import Attempt, Exchange, Question, vote_of
from hydra.adapters.llm.recordings import Recordings, key_of
from hydra.bootstrap.seats import Recorded, replay_seats
from hydra.gladiators.brief import Brief
from hydra.model.errors import BadConfig, Corrupt
from hydra.model.values import encode, replace
from hydra.model.votes import Choice, Vote, Why
from tests import llm_servers as wire
from tests.adapters.llm.stage import Stage, stage

QUESTION = Question(seat="A", wire="openai", model="m", settings={"b": "2", "a": "1"}, prompt="p" * 64, brief="b" * 64)
SAID = Attempt(request="{}", status=200, text=wire.vote_text(), cost=Decimal("0.01"), tokens_in=3, latency_ms=7)


def exchange(*attempts: Attempt) -> Exchange:
    return Exchange(question=QUESTION, attempts=attempts, latency_ms=9)


@pytest.fixture
def kept(tmp_path: Path) -> Recordings:
    return Recordings(RealFiles(), tmp_path / "recordings")


def test_the_name_is_of_the_question_and_of_nothing_else() -> None:
    turned = replace(QUESTION, settings={"a": "1", "b": "2"})
    assert key_of(QUESTION) == key_of(turned)
    others = [
        replace(QUESTION, seat="B"),
        replace(QUESTION, model="n"),
        replace(QUESTION, settings={"a": "1"}),
        replace(QUESTION, prompt="q" * 64),
        replace(QUESTION, brief="c" * 64),
    ]
    assert len({key_of(question) for question in [QUESTION, *others]}) == 6


def test_what_is_kept_comes_back_and_the_same_is_kept_once(kept: Recordings) -> None:
    name = kept.keep(exchange(SAID))
    assert kept.find(name) == exchange(SAID)
    assert kept.keep(exchange(SAID)) == name
    assert kept.latest(QUESTION) == (name, exchange(SAID))


def test_another_answer_to_the_same_question_is_kept_beside_the_first(kept: Recordings) -> None:
    late = replace(SAID, text=None, status=None, problem=Why.TIMEOUT, because="late")
    first, second = kept.keep(exchange(late)), kept.keep(exchange(SAID))
    assert (first, second) == (key_of(QUESTION), f"{key_of(QUESTION)}.2")
    assert kept.find(first) == exchange(late)
    assert kept.latest(QUESTION) == (second, exchange(SAID))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, f"{'a' * 64}.0", f"{'a' * 64}/x"])
def test_a_name_that_is_none_finds_nothing(kept: Recordings, name: str) -> None:
    assert kept.find(name) is None


def test_a_recording_that_was_changed_is_damage(kept: Recordings, tmp_path: Path) -> None:
    name = kept.keep(exchange(SAID))
    (path,) = (tmp_path / "recordings").rglob("*.json")
    whole = path.read_bytes()
    for damaged in (whole.replace(b"0.62", b"0.63"), whole[:-20], b"", whole.replace(b'"model":"m"', b'"model":"n"')):
        path.write_bytes(damaged)
        with pytest.raises(Corrupt, match=name):
            kept.find(name)


def history(*rounds: tuple[Vote, ...]) -> dict[tuple[str, str], Vote]:
    return {(vote.seat, vote.brief): vote for votes in rounds for vote in votes}


MIXED = {
    "deepseek": (wire.says("no"), wire.votes("SELL", 0.6, 0.4)),
    "claude": (wire.hangs,),
    "grok": (wire.refuses(402, "{}"),),
}


def test_a_run_is_repeated_without_a_call_and_byte_for_byte(tmp_path: Path, brief: Brief) -> None:
    other = replace(brief, headline="another brief")
    with stage(tmp_path, MIXED) as on:
        panel = on.panel()
        votes = history(panel.ask(brief, 0.5), panel.ask(other, 0.5))
        before = on.requests()
        engines = {seat: vote.engine for (seat, _), vote in votes.items()}
        again = replay_seats(engines, votes, on.places)
        on.panels.append(again)
        repeated = history(again.ask(brief, 5), again.ask(other, 5))
        assert on.requests() == before
    assert {key: encode(vote) for key, vote in repeated.items()} == {key: encode(vote) for key, vote in votes.items()}
    assert {vote.why for vote in votes.values()} == {Why.NONE, Why.TIMEOUT, Why.QUOTA}


def test_a_replay_needs_neither_settings_nor_keys_and_local_rules_vote_again(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path) as on:
        votes = on.panel({}).ask(brief, 5)
        engines = {vote.seat: vote.engine for vote in votes}
        assert set(engines.values()) == {"local:trend"}
        again = replay_seats(engines, {}, on.places)
        on.panels.append(again)
        assert again.ask(brief, 5) == votes
        with pytest.raises(BadConfig, match="no local rule is named dice"):
            replay_seats({"A": "local:dice"}, {}, on.places)


def test_what_is_missing_is_a_miss_by_name_and_never_a_guess(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path) as on:
        votes = on.panel().ask(brief, 5)
        name = votes[2].recordings[0]
        (on.places.log_dir / "recordings" / name[:2] / f"{name}.json").unlink()
        again = replay_seats({vote.seat: vote.engine for vote in votes}, history(votes), on.places)
        on.panels.append(again)
        repeated = again.ask(brief, 5)
        assert (repeated[0], repeated[1], repeated[3]) == (votes[0], votes[1], votes[3])
        assert (repeated[2].why, repeated[2].detail) == (Why.MISS, f"recording {name} is not there")
        other = again.ask(replace(brief, headline="unseen"), 5)
        assert {vote.why for vote in other} == {Why.MISS}


def test_an_abstention_that_was_never_asked_is_an_input_of_the_replay(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path) as on:
        votes = on.panel({"GROK_API_KEY": "xai-5d5e5f6071829a"}).ask(brief, 5)
        assert [vote.why for vote in votes] == [Why.EMPTY_SEAT, Why.EMPTY_SEAT, Why.NONE, Why.EMPTY_SEAT]
        again = replay_seats({vote.seat: vote.engine for vote in votes}, history(votes), on.places)
        on.panels.append(again)
        assert again.ask(brief, 5) == votes


def test_recorded_voters_repeat_the_latest_that_was_said(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path) as on:
        votes = on.panel().ask(brief, 5)
        again = on.panel({}, Recorded())
        assert again.ask(brief, 5) == votes
        missed = again.ask(replace(brief, headline="unseen"), 5)
        assert {vote.why for vote in missed} == {Why.MISS}
        assert on.requests() == dict.fromkeys("ABCD", 1)
        as_it_was = on.panel({}, Recorded(history(votes)))
        assert as_it_was.ask(brief, 5) == votes


def ask_again(on: Stage, brief: Brief) -> tuple[Vote, ...]:
    return on.panel().ask(brief, 0.5)


def test_a_brief_that_was_answered_is_not_paid_for_again_and_an_abstention_is_asked_again(
    tmp_path: Path, brief: Brief
) -> None:
    with stage(tmp_path, {"claude": (wire.refuses(402, "{}"), wire.votes("SELL", 1, 0))}) as on:
        first, second, third = ask_again(on, brief), ask_again(on, brief), ask_again(on, brief)
        assert on.requests() == {"A": 1, "B": 2, "C": 1, "D": 1}
        assert first[0] == second[0] == third[0]
        assert (first[1].why, second[1].vote, third[1]) == (Why.QUOTA, Choice.SELL, second[1])
        assert second[1].recordings == (f"{first[1].recordings[0]}.2",)


def test_without_reuse_every_brief_is_asked_again(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path, recordings={"reuse": False}) as on:
        ask_again(on, brief)
        ask_again(on, brief)
        assert on.requests() == dict.fromkeys("ABCD", 2)


def test_a_recording_holds_request_and_raw_answer(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path, {"grok": (wire.says("no"), wire.votes())}) as on:
        (name,) = on.panel().ask(brief, 2)[2].recordings
        text = (on.places.log_dir / "recordings" / name[:2] / f"{name}.json").read_text()
        sent = [request.body for request in on.servers["grok"].requests]
    document = json.loads(text)["exchange"]
    assert [attempt["request"] for attempt in document["attempts"]] == sent
    assert json.loads(document["attempts"][1]["body"])["choices"][0]["message"]["content"] == wire.vote_text()
    assert document["question"]["brief"] == brief.hash


def test_an_exchange_that_was_cut_short_says_what_cut_it() -> None:
    failed = replace(SAID, status=529, text=None, body="{}")
    cut = Exchange(question=QUESTION, attempts=(failed,), ended=Why.BUDGET, because="no money")
    assert (vote_of(cut).why, vote_of(cut).detail, vote_of(cut).attempts) == (Why.BUDGET, "no money", 1)
    answered = Exchange(question=QUESTION, attempts=(failed, SAID))
    assert (vote_of(answered).vote, vote_of(answered).cost) == (Choice.BUY, Decimal("0.02"))
