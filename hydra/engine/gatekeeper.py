"""Asking the gates: each for every key of its scope, behind the guard. Whatever is not an answer is a refusal.

A gate that says what it looks at (``Gate.sees``) is asked again when some of that has been replaced. What is shut is put in words at
once, for it is journaled. Why a gate is open is read by a person now and then: of a gate that can judge in short (``Gate.doubts``)
those words are asked for when somebody reads them, about the snapshot that was judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, overload

from hydra.guard import ask_foreign, shown, told
from hydra.model.same import Same, kept
from hydra.model.snapshot import Failure, GateAnswer, Snapshot, Verdict
from hydra.model.values import Value, replace
from hydra.policy import Policy
from hydra.risk.gates import keys_of
from hydra.risk.plugs import Gate, Reply, RuleBook

_PASS = Verdict.PASS


class Answers(Sequence[GateAnswer]):
    """Every gate's answer for every key of its scope, in the policy's order. ``shut`` are those that are not a pass."""

    __slots__ = ("_policy", "_said", "_snapshot", "_worded", "shut")

    def __init__(self, snapshot: Snapshot, book: RuleBook) -> None:
        self._snapshot = snapshot
        self._policy = book.policy
        self._said = _desk_of(book.gates, book.policy).ask(snapshot)
        self._worded: tuple[GateAnswer, ...] | None = None
        self.shut = tuple([answer for said in self._said if said.shut for answer in said.shut])

    def open(self, name: str) -> bool:
        """True when the gate is there, and open for each of its keys."""
        there = False
        for said in self._said:
            if said.gate.name == name and said.keys:
                if said.shut:
                    return False
                there = True
        return there

    def __len__(self) -> int:
        return sum(len(said.keys) for said in self._said)

    def __iter__(self) -> Iterator[GateAnswer]:
        return iter(self._in_words())

    @overload
    def __getitem__(self, place: int) -> GateAnswer: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[GateAnswer]: ...
    def __getitem__(self, place: int | slice) -> GateAnswer | Sequence[GateAnswer]:
        return self._in_words()[place]

    def _in_words(self) -> tuple[GateAnswer, ...]:
        if self._worded is None:
            self._worded = tuple([self._answer(said, key) for said in self._said for key in said.keys])
        return self._worded

    def _answer(self, said: _Said, key: str) -> GateAnswer:
        gate = said.gate
        if key in said.replies:
            return _answer_of(gate, key, said.replies[key])
        reply = ask_foreign(gate.name, gate.ask, self._snapshot, self._policy, key)
        return replace(_answer_of(gate, key, reply), verdict=_PASS)  # which is what was decided on


class _Said(Value, frozen=True, kw_only=True):
    """What a gate has replied, by key; nothing for a key where it judged in short and is open. ``shut`` is what is not a pass.

    ``sound``: every reply is one. Of a gate that failed nothing is kept.
    """

    gate: Gate
    keys: tuple[str, ...]
    replies: Mapping[str, Any] = {}
    shut: tuple[GateAnswer, ...] = ()
    sound: bool = True


class _Post:
    """A gate and the keys it answers for."""

    __slots__ = ("_gate", "_keys", "_nothing")

    def __init__(self, gate: Gate, keys: tuple[str, ...]) -> None:
        self._gate = gate
        self._keys = keys
        self._nothing = _Said(gate=gate, keys=keys)

    def ask(self, snapshot: Snapshot, policy: Policy) -> _Said:
        """What the gate says now."""
        gate, keys = self._gate, self._keys
        if gate.doubts is not None:
            found = ask_foreign(gate.name, gate.doubts, snapshot, policy, keys)
            if type(found) is list:
                if not found:
                    return self._nothing
                if all(type(key) is str and key in keys for key in found):
                    keys = tuple([key for key in keys if key in found])
        replies: dict[str, Any] = {}
        shut: tuple[GateAnswer, ...] = ()
        sound = True
        for key in keys:
            reply = replies[key] = ask_foreign(gate.name, gate.ask, snapshot, policy, key)
            if type(reply) is not Reply or reply.verdict is not _PASS or type(reply.reason) is not str:
                shut = (*shut, _answer_of(gate, key, reply))
                sound = sound and type(reply) is Reply
        return _Said(gate=gate, keys=self._keys, replies=replies, shut=shut, sound=sound)


class _Desk:
    """The gates of a rule book under its policy, and what they said last."""

    __slots__ = ("_last", "_look", "_policy", "_posts", "_readers", "_timely")

    def __init__(self, gates: tuple[Gate, ...], policy: Policy) -> None:
        self._policy = policy
        self._posts = [_Post(gate, keys_of(gate.scope, policy.symbols)) for gate in gates]
        parts = sorted({name for gate in gates for name in gate.sees} | {"ledger.cycle", "sight.at"})
        self._look = attrgetter(*parts)
        self._readers = [frozenset(n for n, gate in enumerate(gates) if name in gate.sees) for name in parts]
        self._timely = frozenset(n for n, gate in enumerate(gates) if not gate.sees)
        self._last: tuple[tuple[Any, ...], list[_Said]] | None = None

    def ask(self, snapshot: Snapshot) -> list[_Said]:
        """What every gate says now, in the policy's order."""
        seen, last = self._look(snapshot), self._last  # read and written as one: threads that decide at once share it
        if last is None:
            said = [post.ask(snapshot, self._policy) for post in self._posts]
        else:
            due = set(self._timely)
            for now, then, readers in zip(seen, last[0], self._readers, strict=True):
                if now is not then:
                    due |= readers
            said = [
                self._posts[n].ask(snapshot, self._policy) if n in due or not known.sound else known
                for n, known in enumerate(last[1])
            ]
        self._last = (seen, said)
        return said


@kept
def _desk_of(gates: tuple[Gate, ...], policy: Policy) -> _Desk:
    return _desks(Same(gates), Same(policy))


@lru_cache(maxsize=8)
def _desks(gates: Same[tuple[Gate, ...]], policy: Same[Policy]) -> _Desk:
    return _Desk(gates.value, policy.value)


def _answer_of(gate: Gate, key: str, reply: object) -> GateAnswer:
    if type(reply) is Failure:
        reply = Reply(verdict=Verdict.REFUSE, reason=f"the gate failed: {reply.kind}: {reply.reason}")
    elif type(reply) is not Reply or type(reply.verdict) is not Verdict or type(reply.reason) is not str:
        reply = Reply(verdict=Verdict.REFUSE, reason=f"the gate answered with {shown(reply)}, not with a reply")
    return GateAnswer(gate=gate.name, scope=gate.scope, verdict=reply.verdict, reason=told(reply.reason), key=key)
