"""From ``configs/tournament.toml`` to a ``TournamentPolicy``, or to a list of everything that is wrong with it.

As with the policy, kinds are checked here and not by pydantic, which would take ``true`` for 1 and ``"5"`` for 5, and every refusal
names the file and the key, says what was found and what would be accepted. There are no overrides by variable: a tournament is one
file, whose hash its records carry.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hydra.bootstrap.environment import read_text
from hydra.model.errors import BadConfig
from hydra.policy.tournament import TournamentPolicy

DEFAULT_FILE = Path("configs/tournament.toml")
PROBLEMS_MAX = 50
_NOUNS: Mapping[Any, str] = {
    Decimal: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "text",
    date: "a date such as 2026-11-22",
}


def load_tournament(path: Path) -> TournamentPolicy:
    """The settings in a TOML file. Raises ``BadConfig`` with every problem, one a line."""
    text = read_text(path)
    try:
        document = tomllib.loads(text, parse_float=_decimal)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise BadConfig(f"{path}: not TOML: {str(error) or 'nested too deeply'}") from None
    problems: list[str] = []
    cleaned = _table(TournamentPolicy, document, (), problems)
    if not problems:
        try:
            return TournamentPolicy.model_validate(cleaned)
        except ValidationError as error:
            problems += [_told(found) for found in error.errors(include_url=False, include_input=False)]
    raise BadConfig("\n".join(f"{path}: {problem}" for problem in problems[:PROBLEMS_MAX])) from None


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is beyond every range") from None
    if not number.is_finite() or not -19 < number.adjusted() < 19:
        raise ValueError(f"{text[:40]} is beyond every range")
    return number


def _table(model: type[BaseModel], found: Any, path: tuple[str, ...], problems: list[str]) -> Any:
    """``found`` as the model takes it; what is not of its key's kind, unknown or missing goes into ``problems``."""
    if type(found) is not dict:
        problems.append(f"{_key(path)}: expected a table, got {_shown(found)}")
        return found
    known = model.model_fields
    for name in found.keys() - known.keys():
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
        problems.append(f"{_key((*path, name))}: unknown key; {hint}")
    for name, field in known.items():
        if field.is_required() and name not in found:
            problems.append(f"{_key((*path, name))}: missing")
    return {
        name: _value(known[name].annotation, value, (*path, name), problems)
        for name, value in found.items()
        if name in known
    }


def _value(annotation: Any, found: Any, path: tuple[str, ...], problems: list[str]) -> Any:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _table(annotation, found, path, problems)
    if get_origin(annotation) is dict:
        inner = _bare(get_args(annotation)[1])
        if type(found) is not dict:
            problems.append(f"{_key(path)}: expected tables, got {_shown(found)}")
            return found
        return {name: _value(inner, value, (*path, name), problems) for name, value in found.items()}
    if annotation is Decimal and type(found) is int and abs(found) < 10**19:
        return Decimal(found)
    wanted = annotation if annotation in _NOUNS else str
    if type(found) is not wanted:
        problems.append(f"{_key(path)}: expected {_NOUNS[wanted]}, got {_shown(found)}")
    return found


def _bare(annotation: Any) -> Any:
    """The type itself, without ``Annotated`` and ``... | None``."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(inner for inner in get_args(annotation) if inner is not NoneType)
        else:
            return annotation


def _told(found: Any) -> str:
    where = _key(tuple(str(part) for part in found["loc"] if part != "[key]"))
    message = str(found["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _key(path: tuple[str, ...]) -> str:
    return ".".join(_quoted(path))


def _quoted(path: tuple[str, ...]) -> Iterator[str]:
    for part in path:
        yield part if part.replace("_", "").replace("-", "").isalnum() else f'"{part}"'


def _shown(found: Any) -> str:
    """What was found, shortened. A key in the wrong place would be a secret: text is told by its length."""
    return f"text of {len(found)} characters" if type(found) is str else f"{type(found).__name__} {str(found)[:40]}"
