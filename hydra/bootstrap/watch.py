"""The configuration as it lies on the disk, looked at again and again while a command runs.

A certificate is bound to the policy's hash, and the binding is looked at every cycle: so what a running engine was started with has to be
what stands in the files still. Files are read again only when a ``stat`` differs; a look at unchanged ones costs some microseconds.
What is watched: the configuration, ``.env``, and the files the configuration names (blackout days, faults). The sources of bots belong
to the hash of the code. Comments and ways to write a number are no change; a secret in ``.env`` that is another one is, and is named
without its value. What cannot be read any more has no hash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.environment import ENV_FILE, RESERVED, Environment, read_environment
from hydra.bootstrap.plugs import named_files
from hydra.model.errors import BadConfig
from hydra.policy import Policy

_NAMED_MAX = 3
_SHOWN_LENGTH_MAX = 60
_GONE = (0, 0, 0, 0)


class Standing(NamedTuple):
    """The hash of the policy on the disk, empty when it cannot be read, and what is not as it was at the beginning."""

    policy_hash: str
    changed: tuple[str, ...] = ()


class ConfigWatch:
    """Watches the files behind ``policy``, which was read from ``config`` and ``environ`` just before."""

    def __init__(self, config: Path, environ: Mapping[str, str], policy: Policy, *, env_file: Path = ENV_FILE) -> None:
        self._config = config
        self._environ = dict(environ)
        self._env_file = env_file
        self._policy = policy
        self._variables = _apart(read_environment(self._environ, env_file))
        self._paths = self._watched(policy)
        self._stamp: tuple[tuple[int, ...], ...] | None = None
        self._standing = Standing("")

    def look(self) -> Standing:
        """How the configuration stands now. Raises nothing for a file that is gone or wrong: that is an answer."""
        paths = self._paths
        stamp = _looks(paths)
        if stamp != self._stamp:
            self._standing = self._read()
            # The stamp is older than what was read: an edit in between shows at the next look. So does a file named only now.
            self._stamp = stamp if self._paths == paths else None
        return self._standing

    def _read(self) -> Standing:
        try:
            policy = load_policy(self._config, self._environ, self._env_file)
            variables = _apart(read_environment(self._environ, self._env_file))
        except BadConfig as error:
            return Standing("", (_cut(str(error).partition("\n")[0], 200),))
        self._paths = self._watched(policy)
        changed = [*_differences(self._policy.document(), policy.document(), ""), *self._others(variables)]
        if not changed and policy.hash != self._policy.hash:
            changed = ["another policy"]
        more = len(changed) - _NAMED_MAX
        told = (*changed[:_NAMED_MAX], *((f"and {more} more",) if more > 0 else ()))
        return Standing(policy.hash, (f"{self._config}: {told[0]}", *told[1:]) if told else ())

    def _others(self, variables: Mapping[str, str]) -> Iterator[str]:
        for name in sorted(variables.keys() | self._variables.keys()):
            if variables.get(name) != self._variables.get(name):
                yield f"{name} in {self._env_file} is another"

    def _watched(self, policy: Policy) -> tuple[str, ...]:
        here = (self._config, self._env_file, *named_files(policy, self._config.parent))
        return tuple(os.path.abspath(path) for path in here)  # noqa: PTH100  # the link is followed anew at each look


def _apart(environment: Environment) -> dict[str, str]:
    """The variables that are no keys of the configuration."""
    return {name: environment.variables[name] for name in RESERVED if name in environment.variables}


def _looks(paths: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    looks = []
    for path in paths:
        try:
            seen = os.stat(path)  # noqa: PTH116  # a few of these each cycle
        except (OSError, ValueError):
            looks.append(_GONE)
        else:
            looks.append((seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size))
    return tuple(looks)


def _differences(before: Any, now: Any, name: str) -> Iterator[str]:
    """The keys that differ, with both values; a bot's by its id."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in (*before, *(key for key in now if key not in before)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else str(key))
    elif name == "bots":
        yield from _differences(_by_id(before), _by_id(now), name)
    elif before != now:
        yield f"{name} is {_shown(now)}, was {_shown(before)}"


def _by_id(bots: Any) -> dict[str, Any]:
    return {bot["id"]: bot for bot in bots}


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"{len(value)} of them"
    return "not there" if value is None else _cut(str(value), _SHOWN_LENGTH_MAX)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
