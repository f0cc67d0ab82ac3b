"""What counts as an answer: checked where the bot is, and once more where the answer is heard.

A bot returns ``(intents, memory)``. What cannot be journaled and read back has not been said; what is larger than the limits
here is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from hydra.guard import shown, told
from hydra.model.errors import Invalid, OverBudget
from hydra.model.orders import Intent
from hydra.model.snapshot import NURSERY, STARTING, Answer, Failure
from hydra.model.values import decode, encode, replace

MEMORY_MAX_BYTES = 65536
INTENTS_MAX = 50
WORDS_MAX_BYTES = 65536
DIGITS_MAX = 30
HOSTS_WORDS = frozenset(
    (
        "timeout",
        "ended",
        "exited",
        "killed",
        "oversized",
        "malformed",
        "unfit",
        "busy",
        "missing",
        NURSERY,
        STARTING,
        OverBudget.__name__,
    )
)
"""The kinds of failures that a host tells of; a bot's own are the names of exceptions."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def checked(bot: str, memory: Mapping[str, Any], answer: Any) -> Answer:
    """The answer as a value; ``memory`` is what the bot was given. Raises ``TypeError`` or ``ValueError`` when it is none.

    The intents go through their wire form. A memory equal to what the bot was given is ``None``: unchanged.
    """
    if type(answer) is not tuple or len(answer) != 2:
        raise TypeError(f"a bot returns (intents, memory), got {type(answer).__name__}")
    intents, remembered = answer
    if type(intents) is not list and not isinstance(intents, list | tuple):
        raise TypeError("the intents must be a list of Intent values")
    if intents:
        if len(intents) <= INTENTS_MAX and any(type(intent) is not Intent for intent in intents):
            raise TypeError("the intents must be a list of Intent values")
        _bounded(intents)
    kept = None if remembered == memory else _packed(remembered)
    if not intents:
        return Answer(bot=bot, memory=kept)
    words = encode(Answer(bot=bot, intents=tuple(intents)))
    if len(words) > WORDS_MAX_BYTES:
        raise ValueError(f"the intents have {len(words)} bytes, at most {WORDS_MAX_BYTES}")
    return replace(decode(words, Answer), memory=kept)


def believed(bot: str, answer: Answer) -> Answer:
    """A worker's answer as far as it is one of this bot. Raises ``Invalid``: nothing that a worker says of itself is believed.

    The memory is taken in the form in which it can be written, read and given back again, whatever the worker made of it.
    """
    if answer.bot != bot:
        raise Invalid(f"it answers as {answer.bot[:40]!r}")
    if answer.failure is not None and (answer.intents or answer.memory is not None):
        raise Invalid("it has failed and answered at once")
    try:
        _bounded(answer.intents)
        memory = None if answer.memory is None else _packed(answer.memory)
        words = len(encode(replace(answer, memory=None))) if answer.intents else 0
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(str(error)) from error
    if words > WORDS_MAX_BYTES:
        raise Invalid(f"the intents have {words} bytes, at most {WORDS_MAX_BYTES}")
    failure = None if answer.failure is None else own(bot, answer.failure)
    return replace(answer, memory=memory, failure=failure)


def own(bot: str, failure: Failure) -> Failure:
    """A failure as a bot may have it: by the name of an exception, and by none that is the host's to say."""
    if _NAME.fullmatch(failure.kind) is None or failure.kind in HOSTS_WORDS:
        return Failure(
            what=bot, kind="malformed", reason=f"it failed as {shown(failure.kind)}, which is not its to say"
        )
    return Failure(what=bot, kind=failure.kind, reason=told(failure.reason))


def failed(bot: str, kind: str, reason: str) -> Answer:
    """The answer of a bot that has none."""
    return Answer(bot=bot, failure=Failure(what=bot, kind=kind, reason=reason))


def _bounded(intents: Sequence[Intent]) -> None:
    """Not too many, and no number that nobody trades with. Raises ``ValueError``."""
    if len(intents) > INTENTS_MAX:
        raise ValueError(f"{len(intents)} intents in one answer, at most {INTENTS_MAX}")
    words = sum(len(intent.thesis) + len(intent.symbol) + len(intent.bot) for intent in intents)
    if words > WORDS_MAX_BYTES:
        raise ValueError(f"the intents have {words} characters, at most {WORDS_MAX_BYTES} bytes")
    for intent in intents:
        protection = intent.protection
        numbers = [intent.reference, intent.size.amount, intent.limit]
        numbers += [] if protection is None else [protection.stop, protection.target]
        for number in numbers:
            if number is not None and not _usual(number):
                raise ValueError(f"a number of more than {DIGITS_MAX} digits in a wish for {intent.symbol[:40]}")


def _usual(number: Decimal) -> bool:
    """No more digits than anybody trades with, and no further from the point."""
    if type(number) is Decimal and len(text := str(number)) <= DIGITS_MAX and "E" not in text:
        return True  # nearly all of them, and counting digits is long work
    return abs(number.adjusted()) <= DIGITS_MAX and len(number.as_tuple().digits) <= DIGITS_MAX


def _packed(memory: Any) -> Mapping[str, Any]:
    if not isinstance(memory, dict):
        raise TypeError(f"the memory must be a mapping, got {type(memory).__name__}")
    packed = orjson.dumps(memory)
    if len(packed) > MEMORY_MAX_BYTES:
        raise ValueError(f"the memory has {len(packed)} bytes, at most {MEMORY_MAX_BYTES}")
    return orjson.loads(packed)  # type: ignore[no-any-return]  # a mapping went in
