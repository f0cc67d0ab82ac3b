"""From a TOML file and the environment to a ``Policy``, or to a list of everything that is wrong with them.

Three passes, and what each finds is reported together, one line a problem: the variables are matched to keys, every value
is checked to be of its key's kind, and the models check ranges and agreement. A line names the file or the variable, the
full path of the key, the value and what would be accepted. The oddity: the file's kinds are checked here and not by
pydantic, which would take ``true`` for 1 and ``"5"`` for 5.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from hydra.bootstrap.agreement import disagreements
from hydra.bootstrap.blackouts import read_blackouts
from hydra.bootstrap.environment import ENV_FILE, Environment, LayeredSettings, read_environment, read_text
from hydra.bootstrap.keys import FITS, READ_ELSEWHERE, Key, Kind, Location, key_at, keys, pattern_of, sections
from hydra.bootstrap.overrides import Override, match_variables
from hydra.bootstrap.problems import Problem, misfit, name_of, unknown_key, wanted, word
from hydra.bootstrap.sources import file_of
from hydra.model.errors import BadConfig
from hydra.policy import Blackout, BotPolicy, Policy

PROBLEMS_MAX = 100
_FILE_NAME_MAX = 256


class PolicySettings(Policy, LayeredSettings):
    """The policy as settings: the environment's layer over the file's."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def load_policy(path: Path, environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> Policy:
    """The policy in a TOML file, with ``HYDRA_SECTION__KEY`` variables of ``environ`` and ``env_file`` laid over it.

    Decimals are taken as written: ``0.1`` is one tenth. Files the policy names are found from the folder of this one. Raises
    ``BadConfig`` with every problem, one a line.
    """
    document = _read_document(path)
    environment = read_environment(environ, env_file)
    overrides, problems = match_variables(environment, document)
    overridden = {override.location for override in overrides}
    document, misfits = _check_kinds(document)
    problems += [problem for problem in misfits if problem.location not in overridden]
    try:
        settings = PolicySettings.of(_layer(document, overrides), document)
        if not problems:
            return _with_files(path, Policy.model_validate({n: getattr(settings, n) for n in Policy.model_fields}))
    except ValidationError as error:
        told = [problem.location for problem in problems if problem.location]
        problems += [problem for problem in _translate(error) if not _covered(problem.location, told)]
        problems = [problem for problem in problems if not _told_within(problem.location, problems)]
    raise BadConfig(_render(problems, _Sources(path, environment, overrides, document))) from None


def _with_files(path: Path, policy: Policy) -> Policy:
    """The policy, once it agrees with itself, with its blackout days read and its bots' files named in full.

    A journal then says of itself which file a bot came from, and is replayed without the configuration.
    """
    broken = tuple(f"{path}: {line}" for line in disagreements(policy))
    if broken:
        raise BadConfig("\n".join(broken))
    blackouts: tuple[Blackout, ...] = ()
    if policy.risk.blackout_file:
        try:
            blackouts = read_blackouts(path.parent / policy.risk.blackout_file)
        except BadConfig as error:
            raise BadConfig(f"{path}: risk.blackout_file: {error}") from None
    bots = tuple(_with_its_file(path, bot) for bot in policy.bots)
    risk = policy.risk.model_copy(update={"blackouts": blackouts})
    broker = policy.broker
    if broker.faults:
        broker = broker.model_copy(update={"faults_sha256": _sha256_of(path.parent / broker.faults)})
    return policy.model_copy(update={"risk": risk, "bots": bots, "broker": broker})


def _sha256_of(faults: Path) -> str:
    """The hash of a fault file; of one that cannot be read there is none, and the venue refuses it."""
    try:
        return hashlib.sha256(faults.read_bytes()).hexdigest()
    except OSError:
        return ""


def _with_its_file(path: Path, bot: BotPolicy) -> BotPolicy:
    file = file_of(bot.bot)
    if file is None:
        return bot
    whole = (path.parent / file).resolve()
    if len(str(whole)) > _FILE_NAME_MAX or ":" in str(whole):
        raise BadConfig(
            f"{path}: bots ({bot.id}).bot: {whole}: expected a path without a colon, at most {_FILE_NAME_MAX} characters"
        )
    return bot.model_copy(update={"bot": f"{whole}:{bot.bot.rpartition(':')[2]}"})


def _read_document(path: Path) -> dict[str, Any]:
    text = read_text(path)
    if not text.strip():
        raise BadConfig(f"{path}: empty; expected a configuration (`hydra init` writes one)")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        twice = "Cannot overwrite" in str(error) or "Cannot declare" in str(error)
        hint = "; a key or a table is written twice" if twice else ""
        raise BadConfig(f"{path}: not TOML: {error}{hint}") from None
    except RecursionError:
        raise BadConfig(f"{path}: not TOML a person would write: nested too deeply") from None
    except ValueError as error:
        raise BadConfig(f"{path}: holds a number or date that cannot be: {error}") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is beyond every range") from None


class _Kinds(NamedTuple):
    document: dict[str, Any]
    misfits: list[Problem]


def _check_kinds(document: dict[str, Any]) -> _Kinds:
    """A copy of the document with its numbers in the models' form, and every value that is not of its key's kind."""
    misfits: list[Problem] = []
    cleaned = _clean(document, (), misfits)
    return _Kinds(cleaned if isinstance(cleaned, dict) else {}, misfits)


def _clean(value: Any, location: Location, misfits: list[Problem]) -> Any:
    pattern = pattern_of(location)
    key = keys().get(pattern)
    if pattern in READ_ELSEWHERE:
        misfits.append(unknown_key(location))
        return ()
    if key is not None:
        if not FITS[key.kind](value):
            misfits.append(misfit(key, location, value))
        return _in_form(key, value)
    if pattern == ("bots",):
        if type(value) is list:
            return [_clean(bot, (*location, index), misfits) for index, bot in enumerate(value)]
    elif pattern in sections() and type(value) is dict:
        return {name: _clean(inner, (*location, name), misfits) for name, inner in value.items()}
    if pattern in sections():
        misfits.append(Problem(location, f"{name_of(location)}: expected {wanted(pattern)}"))
    return value


def _in_form(key: Key, value: Any) -> Any:
    """Parameters of signals are indicators' numbers, hence floats; a zero has no sign."""
    if key.kind is Kind.TABLE:
        if type(value) is dict:
            return {name: _in_form(key, inner) for name, inner in value.items()}
        return float(value) if type(value) is Decimal else value
    return Decimal(0) if type(value) is Decimal and value.is_finite() and not value else value


def _layer(document: dict[str, Any], overrides: list[Override]) -> dict[str, Any]:
    """The environment's layer. Lists are replaced whole when layers meet, so it holds all bots when it touches one."""
    layer: dict[str, Any] = {}
    if any(override.location[0] == "bots" for override in overrides):
        layer["bots"] = deepcopy(document["bots"])
    for override in overrides:
        key = key_at(override.location)
        _put(layer, override.location, override.value if key is None else _in_form(key, override.value))
    return layer


def _put(layer: dict[str, Any], location: Location, value: Any) -> None:
    box: Any = layer
    for part in location[:-1]:
        box = box.setdefault(part, {}) if isinstance(box, dict) else box[part]
        if not isinstance(box, dict | list):
            return  # not a table; the check of kinds has said so
    box[location[-1]] = value


def _translate(error: ValidationError) -> Iterator[Problem]:
    """What pydantic found, in the words of the keys."""
    for found in error.errors(include_url=False):
        location: Location = found["loc"]
        key = key_at(location)
        if found["type"] == "extra_forbidden":
            yield unknown_key(location)
        elif found["type"] == "missing":
            yield Problem(location, f"{name_of(location)} is missing: expected {wanted(pattern_of(location))}")
        elif key is not None:
            yield misfit(key, location, found["input"], str(found.get("ctx", {}).get("error", "")))
        else:
            for line in str(found.get("ctx", {}).get("error", found["msg"])).splitlines():
                yield Problem(location, f"{name_of(location)}: {line}" if location else line)


def _covered(location: Location, told: list[Location]) -> bool:
    """Whether a problem there, or in the table around it, has been told."""
    return any(location[: len(other)] == other for other in told)


def _told_within(location: Location, problems: list[Problem]) -> bool:
    """Whether an entry of the list at ``location`` has been told: pydantic then calls the list too short as well."""
    inner = (other.location for other in problems if len(other.location) > len(location))
    return key_at(location) is not None and any(other[: len(location)] == location for other in inner)


class _Sources(NamedTuple):
    """What the values came from, to say so in a refusal."""

    path: Path
    environment: Environment
    overrides: list[Override]
    document: dict[str, Any]

    def place(self, problem: Problem) -> str:
        """The variable that set the value, else the file, with the variables that took part."""
        if problem.variable is not None:
            return self.environment.place(word(problem.variable))
        for override in self.overrides:
            if problem.location[: len(override.location)] == override.location:
                return self.environment.place(override.variable)
        took_part = [override.variable for override in self.overrides if _takes_part(override, problem)]
        return f"{self.path} with {', '.join(took_part)}" if took_part else str(self.path)

    def bot(self, location: Location) -> str:
        """The id of the bot a location lies in, in brackets."""
        if len(location) < 2 or location[0] != "bots":
            return ""
        bot = self.document["bots"][location[1]]
        bot_id = bot.get("id") if isinstance(bot, dict) else None
        return f" (bot {word(bot_id)})" if isinstance(bot_id, str) else ""


def _takes_part(override: Override, problem: Problem) -> bool:
    if problem.location:
        return override.location[: len(problem.location)] == problem.location
    return name_of(override.location) in problem.text


def _render(problems: list[Problem], sources: _Sources) -> str:
    lines = [f"{sources.place(problem)}: {problem.text}{sources.bot(problem.location)}" for problem in problems]
    lines = list(dict.fromkeys(lines))
    more = len(lines) - PROBLEMS_MAX
    return "\n".join(lines if more <= 0 else [*lines[:PROBLEMS_MAX], f"{sources.path}: and {more} more problems"])
