"""Exchanges with models, kept by the hash of what was asked: seat, wire, model, settings, prompt and brief.

No time and no run is in the hash, so a brief that comes again finds what was said to it. Where the same question was asked again and
heard something else (after an abstention, say), the later exchange is kept beside the first: ``HASH``, ``HASH.2``, and so on; a vote
names the one it came from. A file carries the hash of its own content, and one that does not fit is damage.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from hydra.adapters.llm.exchange import Exchange, Question
from hydra.model.errors import Corrupt, Invalid
from hydra.model.values import Value, decode, encode
from hydra.ports import Files

_NAME = re.compile(r"[0-9a-f]{64}(\.[1-9][0-9]{0,5})?")
VARIANTS_MAX = 10_000


class _Kept(Value, frozen=True, kw_only=True):
    exchange: Exchange
    sha256: str


class Recordings:
    """A folder of exchanges. Raises ``Corrupt`` for a file that does not fit its hash, ``OSError`` from the disk."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def keep(self, exchange: Exchange) -> str:
        """Store an exchange durably, unless it is there already; its name comes back."""
        key = key_of(exchange.question)
        for number in range(1, VARIANTS_MAX):
            name = key if number == 1 else f"{key}.{number}"
            known = self.find(name)
            if known is None:
                self._files.make_dir(self._path(name).parent)
                kept = _Kept(exchange=exchange, sha256=_sha256(exchange))
                self._files.write_whole(self._path(name), encode(kept) + b"\n")
                return name
            if known == exchange:
                return name
        raise OSError(f"{self._folder}: {VARIANTS_MAX} exchanges about one question")

    def latest(self, question: Question) -> tuple[str, Exchange] | None:
        """The last exchange about a question, and its name."""
        key = key_of(question)
        found: tuple[str, Exchange] | None = None
        for number in range(1, VARIANTS_MAX):
            name = key if number == 1 else f"{key}.{number}"
            exchange = self.find(name)
            if exchange is None:
                break
            found = name, exchange
        return found

    def find(self, name: str) -> Exchange | None:
        """The exchange of this name; None when there is none."""
        if not _NAME.fullmatch(name):
            return None
        path = self._path(name)
        try:
            data = b"".join(self._files.chunks(path))
        except FileNotFoundError:
            return None
        try:
            kept = decode(data, _Kept)
        except Invalid as error:
            raise Corrupt(f"{path}: not a recording: {error}") from None
        if kept.sha256 != _sha256(kept.exchange) or key_of(kept.exchange.question) != name.partition(".")[0]:
            raise Corrupt(f"{path}: its content is not what was recorded under this name")
        return kept.exchange

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.json"


def key_of(question: Question) -> str:
    """The SHA-256 that names a question."""
    ordered = Question(
        seat=question.seat,
        wire=question.wire,
        model=question.model,
        settings=dict(sorted(question.settings.items())),
        prompt=question.prompt,
        brief=question.brief,
    )
    return hashlib.sha256(encode(ordered)).hexdigest()


def _sha256(exchange: Exchange) -> str:
    return hashlib.sha256(encode(exchange)).hexdigest()
