"""The code a configuration names with a colon: ``bots/mine.py:make``, a file and a name in it, or ``mine.bots:make``, a module.

A file is one module of its own: it is compiled from what it says now (nothing that Python cached is believed), under a name
that no other module has, and it finds installed packages but no files beside it. Importing runs foreign code in the process
that imports, a worker's or this one, with all that it may do; what it raises becomes a refusal that names its file and line.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any, NoReturn, TypeVar

from hydra.guard import attempt_foreign
from hydra.model.errors import BadConfig

T = TypeVar("T")


def is_source(name: str) -> bool:
    """Whether a plug's name points into a file or a module; otherwise it is an entry point's."""
    return ":" in name


def file_of(name: str) -> Path | None:
    """The file that ``file.py:NAME`` points into; ``None`` for a module and for an entry point."""
    where, colon, _ = name.rpartition(":")
    return Path(where) if colon and (where.endswith(".py") or "/" in where) else None


def file_of_module(name: str) -> Path | None:
    """The source file of a module, found without importing anything; ``None`` for what has none, or is nowhere."""
    spec = _spec_of(name)
    return None if spec is None or not spec.has_location or spec.origin is None else Path(spec.origin)


def home_of_module(name: str) -> Path | None:
    """The folder, or the single file, of the package that a module belongs to; found without importing anything."""
    spec = _spec_of(name.partition(".")[0])
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.has_location and spec.origin is not None else None


def _spec_of(name: str) -> ModuleSpec | None:
    """Part by part: looking a module up in its package's folders does not run the package."""
    folders: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    so_far = ""
    for part in name.split("."):
        so_far = f"{so_far}.{part}" if so_far else part
        finders = sys.meta_path if folders is None else [PathFinder]
        found = (finder.find_spec(so_far, folders) for finder in finders if hasattr(finder, "find_spec"))
        spec = next((each for each in found if each is not None), None)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
    return spec


def load_source(name: str, key: str) -> Any:
    """What ``name`` points at; ``key`` is where the configuration names it. Raises ``BadConfig``."""
    where, _, wanted = name.rpartition(":")
    path = file_of(name)
    module = _module_of_file(path, key) if path is not None else _module_called(where, key)
    found = vars(module).get(wanted)
    if found is None:
        there = ", ".join(sorted(n for n, v in vars(module).items() if callable(v) and not n.startswith("_")))
        raise BadConfig(f"{key}: {where} has no {wanted!r}; callable there: {there or 'nothing'}")
    if not callable(found):
        raise BadConfig(f"{key}: {wanted!r} in {where} is a {type(found).__name__}, not something to be called")
    return found


def call_foreign(key: str, call: Callable[[], T]) -> T:
    """What a call into foreign code returns. Raises ``BadConfig`` with file and line for whatever it raises.

    A ``BadConfig`` of its own is passed on with the key before it.
    """
    raised: list[BaseException] = []

    def told() -> T:
        with _keeping(raised):
            return call()

    outcome = attempt_foreign(key, told)
    if outcome.failure is None:
        return outcome.value  # type: ignore[return-value]  # no failure: the value is what the call returned
    error = raised[0] if raised else None
    if isinstance(error, BadConfig):
        raise BadConfig(f"{key}: {error}") from error
    reason = error.msg if isinstance(error, SyntaxError) else outcome.failure.reason  # its text has the place again
    raise BadConfig(f"{key}: {_place_of(error)}{outcome.failure.kind}: {reason}") from error


@contextmanager
def _keeping(raised: list[BaseException]) -> Iterator[None]:
    """Keep what passes through; the guard outside turns it into a value and drops where it came from."""
    try:
        yield
    finally:
        error = sys.exc_info()[1]
        if error is not None:
            raised.append(error)


def _place_of(error: BaseException | None) -> str:
    """File and line an exception came from: the last that is neither ours nor the import machinery's."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}, line {error.lineno}: "
    frames = [] if error is None else [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    foreign = [f"{file}, line {line}: " for file, line in frames if not file.startswith("<") and not _ours(file)]
    return foreign[-1] if foreign else ""


def _ours(file: str) -> bool:
    here = str(Path(__file__).resolve().parent.parent)
    return file.startswith(here) or "/importlib/" in file


class _AsWritten(SourceFileLoader):
    """Compiles the source as it is: reads and leaves no cache."""

    def path_stats(self, path: Any) -> NoReturn:
        raise OSError(f"{path}: not to be cached")


def _module_of_file(path: Path, key: str) -> ModuleType:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{key}: {path} cannot be read: {error.strerror}") from error
    name = f"hydra_file_{hashlib.sha256(str(path.resolve()).encode() + content).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path, loader=_AsWritten(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        call_foreign(key, lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]  # asserted above
    except BadConfig:
        del sys.modules[name]
        raise
    return module


def _module_called(name: str, key: str) -> ModuleType:
    return call_foreign(key, lambda: import_module(name))
