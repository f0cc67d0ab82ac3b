"""What the environment says: variables, a ``.env`` file beneath them, and the secrets among them.

The environment is always an argument, so nothing here depends on the process it runs in. Where a variable stands both in
the environment and in the file, the environment wins. Only names that begin with ``HYDRA_`` are looked at. No value is
ever quoted from a ``.env`` file that cannot be read: it may hold a secret.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from dotenv.parser import Binding, parse_stream
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from hydra.bootstrap.keys import PREFIX
from hydra.model.errors import BadConfig

ENV_FILE = Path(".env")
FILE_BYTES_MAX = 1024 * 1024

ARM_LIVE = "HYDRA_ARM_LIVE"
JOURNAL_KEY = "HYDRA_JOURNAL_KEY"
SIM_KEY = "HYDRA_SIM__KEY"
SIM_SECRET = "HYDRA_SIM__SECRET"  # noqa: S105  # the variable's name
ALPACA_URL = "HYDRA_ALPACA__URL"
ALPACA_DATA_URL = "HYDRA_ALPACA__DATA_URL"
ALPACA_KEY = "HYDRA_ALPACA__KEY"
ALPACA_SECRET = "HYDRA_ALPACA__SECRET"  # noqa: S105  # the variable's name
RESERVED = (
    "HYDRA_CONFIG",
    "HYDRA_STATE_DIR",
    "HYDRA_LOG_DIR",
    ARM_LIVE,
    JOURNAL_KEY,
    SIM_KEY,
    SIM_SECRET,
    ALPACA_URL,
    ALPACA_DATA_URL,
    ALPACA_KEY,
    ALPACA_SECRET,
)
"""Variables with a meaning of their own: they are no keys of the configuration."""


class Environment(NamedTuple):
    """The ``HYDRA_`` variables, and which of them were read from a file."""

    variables: Mapping[str, str]
    file: Path
    from_file: frozenset[str]

    def place(self, variable: str) -> str:
        """Where a variable was set, for a refusal."""
        return f"{variable} in {self.file}" if variable in self.from_file else variable


class Layer(PydanticBaseSettingsSource):
    """A source of settings that holds its values already."""

    def __init__(self, settings: type[BaseSettings], values: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one field; none of them still has to be parsed."""
        del field
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All values of this layer."""
        return dict(self._values)


class LayeredSettings(BaseSettings):
    """Settings from layers that were read before, the highest first; nothing else is looked at.

    The layers travel as an argument of the constructor and are taken out before validation, because
    ``settings_customise_sources`` has no other way to see them.
    """

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> Self:
        """The settings these layers make. Raises ``pydantic.ValidationError``."""
        return cls(layers=layers)  # type: ignore[call-arg]  # taken out again before validation

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """One source for each layer."""
        del env_settings, dotenv_settings, file_secret_settings
        assert isinstance(init_settings, InitSettingsSource)
        return tuple(Layer(settings_cls, values) for values in init_settings.init_kwargs["layers"])


_HEADER_TEXT = re.compile(r"[!-9;-~]{1,128}")
_LIMITS: Mapping[str, tuple[str, str]] = {
    # variable: the field it fills, and what is accepted
    JOURNAL_KEY: ("journal_key", "16 to 1024 characters"),
    SIM_KEY: ("sim_key", "1 to 128 ASCII characters without blanks and colons"),
    SIM_SECRET: ("sim_secret", "1 to 128 ASCII characters without blanks and colons"),
    ALPACA_KEY: ("alpaca_key", "1 to 128 ASCII characters without blanks and colons"),
    ALPACA_SECRET: ("alpaca_secret", "1 to 128 ASCII characters without blanks and colons"),
}


def _sendable(text: SecretStr) -> SecretStr:
    if not _HEADER_TEXT.fullmatch(text.get_secret_value()):
        raise ValueError("not to be sent in a header")
    return text


class Secrets(LayeredSettings):
    """What must never be journaled, stored or shown. Unset is None."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    journal_key: SecretStr | None = Field(default=None, min_length=16, max_length=1024)
    """Signs the journal's head (HMAC-SHA-256); 16 to 1024 characters."""
    sim_key: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    sim_secret: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    """What a client of ``hydra sim`` has to name; 1 to 128 characters that a header can carry."""
    alpaca_key: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    alpaca_secret: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    """The keys of an account at Alpaca, or of the ``hydra sim`` that stands in for it."""


def read_environment(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> Environment:
    """The ``HYDRA_`` variables of ``environ`` over those of ``env_file`` (which need not exist; None: no file).

    Raises ``BadConfig`` for a file that cannot be read, naming file and line.
    """
    file = ENV_FILE if env_file is None else env_file
    written = {} if env_file is None or not env_file.exists() else _read_env_file(env_file)
    real = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    return Environment({**written, **real}, file, frozenset(written.keys() - real.keys()))


def load_secrets(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> Secrets:
    """The secrets of the environment. Raises ``BadConfig`` naming the variable, never its value."""
    environment = read_environment(environ, env_file)
    told = {name: environment.variables[name] for name in _LIMITS if name in environment.variables}
    try:
        return Secrets.of({_LIMITS[name][0]: value for name, value in told.items()})
    except ValidationError as error:
        wrong = {str(found["loc"][0]) for found in error.errors(include_url=False, include_input=False)}
    name = next(name for name in told if _LIMITS[name][0] in wrong)
    size = f"{len(told[name])} characters" if told[name] else "empty"
    raise BadConfig(f"{environment.place(name)}: {size}; expected {_LIMITS[name][1]}, or no such variable") from None


def read_text(path: Path) -> str:
    """The text of a regular file of at most ``FILE_BYTES_MAX`` bytes. Raises ``BadConfig`` naming the file."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise BadConfig(f"{path}: {kind}; expected a text file")
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise BadConfig(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: cannot be read: {error}") from error
    if len(data) > FILE_BYTES_MAX:
        raise BadConfig(f"{path}: larger than {FILE_BYTES_MAX} bytes; expected a configuration, not data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not text: byte {error.start} is not UTF-8") from None


def _read_env_file(path: Path) -> dict[str, str]:
    bindings = [binding for binding in parse_stream(StringIO(read_text(path))) if binding.error or binding.key]
    problems = [
        f"{path}:{_line_of(binding)}: expected NAME=value, with quotes closed"
        for binding in bindings
        if binding.error or (binding.value is None and _is_ours(binding))
    ]
    ours = {str(binding.key): str(binding.value) for binding in bindings if _is_ours(binding)}
    counts = Counter(binding.key for binding in bindings if _is_ours(binding))
    problems += [
        f"{path}: {name} is set {count} times; once is accepted" for name, count in counts.items() if count > 1
    ]
    if ARM_LIVE in ours:
        problems.append(f"{path}: {ARM_LIVE} is accepted from the environment only; a file would arm every start")
    if problems:
        raise BadConfig("\n".join(problems))
    return ours


def _is_ours(binding: Binding) -> bool:
    return binding.key is not None and binding.key.startswith(PREFIX)


def _line_of(binding: Binding) -> int:
    """A binding begins with the blank lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
