"""Whatever happens inside the guard becomes a value, even what cannot be said."""

from __future__ import annotations

import pytest

from hydra.guard import (
    Outcome,
    ask_all,
    ask_until_one_speaks,
    attempt,
    attempt_foreign,
    failure_of,
    shown,
    told,
)
from hydra.model.snapshot import Failure
from hydra.model.values import encode


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def raising(error: BaseException):
    def call() -> None:
        raise error

    return call


def test_an_answer_is_a_value_and_nothing_is_an_answer_too() -> None:
    assert attempt("x", lambda: 3) == Outcome(value=3)
    assert attempt_foreign("x", lambda: None) == Outcome()


@pytest.mark.parametrize("guard", [attempt, attempt_foreign])
def test_an_exception_is_a_failure_that_names_what_was_asked(guard) -> None:
    outcome = guard("account", raising(ConnectionError("reset by peer")))
    assert outcome.failure == Failure(what="account", kind="ConnectionError", reason="reset by peer")
    assert outcome.value is None


def test_an_exit_passes_through_to_the_system_but_not_out_of_foreign_code() -> None:
    with pytest.raises(SystemExit):
        attempt("x", raising(SystemExit(1)))
    failure = attempt_foreign("x", raising(SystemExit(1))).failure
    assert failure is not None
    assert failure.kind == "SystemExit"
    generator_exit = attempt_foreign("x", raising(GeneratorExit())).failure
    assert generator_exit is not None
    assert generator_exit.reason == "no message"


@pytest.mark.parametrize("guard", [attempt, attempt_foreign])
def test_a_person_who_interrupts_is_heard(guard) -> None:
    with pytest.raises(KeyboardInterrupt):
        guard("x", raising(KeyboardInterrupt()))


def test_a_long_message_is_cut_and_an_empty_one_says_so() -> None:
    assert len(failure_of("x", ValueError("y" * 10_000)).reason) == 300
    assert failure_of("x", ValueError()).reason == "no message"


@pytest.mark.parametrize("error", [Unspeakable(), ValueError("\ud800 lone"), ValueError("\x00 nul")], ids=type)
def test_whatever_a_failure_says_can_be_journaled(error: Exception) -> None:
    assert encode(failure_of("x", error))


def test_a_value_that_cannot_be_shown_is_shown_as_such() -> None:
    assert shown(Unspeakable()) == "it cannot be shown: RuntimeError"
    assert len(shown("x" * 1000)) == 80
    assert encode(shown("\ud800"))


class Hostile(str):
    """A text that does not want to be shown."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_a_reason_can_always_be_journaled() -> None:
    assert told("held for 5 minutes") == "held for 5 minutes"
    assert told("caf\u00e9") == "caf\u00e9"
    assert told("\ud800").encode() == b"\\ud800"
    assert len(told("x" * 10_000)) == 300
    assert told(Hostile("x")) == "it cannot be shown: RuntimeError"


# -- books of plugs

BOOK = {
    "silent": lambda *_asked: None,
    "raises": raising(TypeError("broken")),
    "exits": lambda *_asked: raising(SystemExit(3))(),
    "speaks": lambda *asked: sum(asked),
}


def test_every_plug_of_a_book_is_asked_once_in_its_order_and_what_one_raises_stands_for_its_answer() -> None:
    silent, raised, exited, spoke = ask_all(BOOK.items(), 1, 2)
    assert (silent, spoke) == (None, 3)
    assert [(failure.what, failure.kind) for failure in (raised, exited)] == [
        ("raises", "TypeError"),
        ("exits", "SystemExit"),
    ]
    assert ask_all({}.items(), 1) == []


def test_the_first_plug_that_speaks_is_heard_and_the_same_iterator_goes_on_behind_it() -> None:
    plugs, heard = iter(BOOK.items()), []
    while (one := ask_until_one_speaks(plugs, 1, 2)) is not None:
        heard.append(one)
    assert [name for name, _ in heard] == ["raises", "exits", "speaks"]
    assert [type(answer) for _, answer in heard] == [Failure, Failure, int]
    assert ask_until_one_speaks(iter([("silent", BOOK["silent"])]), 1, 2) is None


def test_a_keyboard_interrupt_ends_the_asking() -> None:
    stop = [("stop", raising(KeyboardInterrupt()))]
    for ask in (lambda: ask_all(stop), lambda: ask_until_one_speaks(iter(stop))):
        with pytest.raises(KeyboardInterrupt):
            ask()
