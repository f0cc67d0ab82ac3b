"""The strict form of an answer: one JSON object with a vote, a confidence, a probability and a reason.

Nothing is repaired: a confidence of 1.7 is not taken for 1, ``STRONG_BUY`` not for BUY. A text around the object is passed over, since
models like to talk; two objects are a contradiction, wherever they come from, and no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from hydra.model.text import REASONING_MAX, harmless
from hydra.model.votes import Choice

TEXT_CHARACTERS_MAX = 64_000
_TRIED_MAX = 64
"""How many opening braces are looked at: more of them is no answer anybody meant."""
_REFUSES = re.compile(
    r"\b(?:I|we)(?:'m| am)? (?:can(?:no|')t|won't|will not|(?:am )?(?:unable|not able|not comfortable))\b|\bas an ai\b|\bcan't (?:help|assist)\b",
    re.IGNORECASE,
)
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model is asked for."""

    vote: Literal["BUY", "SELL", "HOLD"]
    confidence: Share
    p_up: Share
    reasoning: str


class Unfit(NamedTuple):
    """Why a text is no answer; ``refused``: it would not be one at the next attempt either."""

    because: str
    refused: bool = False


class Said(NamedTuple):
    """An answer, checked and made harmless."""

    vote: Choice
    confidence: float
    p_up: float
    reasoning: str


def read_answer(text: str) -> Said | Unfit:
    """The answer in a model's text, or why there is none."""
    if not text.strip():
        return Unfit("the answer is empty")
    if len(text) > TEXT_CHARACTERS_MAX:
        return Unfit(f"the answer has {len(text)} characters; at most {TEXT_CHARACTERS_MAX} are read")
    objects = _objects(text)
    if isinstance(objects, Unfit):
        return objects
    if len(objects) != 1:
        return _not_one(text, len(objects))
    try:
        answer = msgspec.convert(objects[0], Answer, strict=True)
    except (msgspec.ValidationError, OverflowError) as error:
        return Unfit(f"not the agreed form: {error}")
    side = {"BUY": answer.p_up >= 0.5, "SELL": answer.p_up <= 0.5, "HOLD": True}
    if not side[answer.vote]:
        return Unfit(f"it contradicts itself: {answer.vote} with p_up {answer.p_up:.4g}")
    return Said(
        Choice(answer.vote), float(answer.confidence), float(answer.p_up), harmless(answer.reasoning, REASONING_MAX)
    )


def _not_one(text: str, count: int) -> Unfit:
    if count:
        return Unfit(f"{count} JSON objects in the answer; expected one")
    if _REFUSES.search(text):
        return Unfit(f"it refused: {text}", refused=True)
    return Unfit(f"no JSON object in the answer: {text}")


class _Twice(ValueError):
    pass


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Twice("a key is given twice")
    return dict(pairs)


def _no_number(name: str) -> float:
    raise _Twice(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def _objects(text: str) -> list[dict[str, Any]] | Unfit:
    """All outermost JSON objects in a text."""
    found: list[dict[str, Any]] = []
    at = text.find("{")
    for _ in range(_TRIED_MAX):
        if at < 0:
            return found
        try:
            value, end = _decoder.raw_decode(text, at)
        except _Twice as error:
            return Unfit(str(error))
        except RecursionError:
            return Unfit("nested too deeply")
        except ValueError:  # not JSON from here on, or a number of more digits than Python reads
            end = at + 1
        else:
            found.append(value)
        at = text.find("{", end)
    return Unfit(f"more than {_TRIED_MAX} opening braces")
