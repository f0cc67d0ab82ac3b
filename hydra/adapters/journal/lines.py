"""One line of the journal: built fast, checked without mercy.

``{"v":1,"seq":N,"ts":"…Z","run":"…","kind":"…","data":{…},"prev":"…","hash":"…"}`` and a newline. The hash stands last so
that it can be cut off without parsing: it is SHA-256 over exactly the line's bytes with ``,"hash":"…"`` taken out. The
chosen oddity: the bytes are assembled by hand around the encoded payload, and a reader hashes before it parses, so no
two JSON libraries have to agree on anything.

A line that lies as it was written is decoded in one pass (``event_at_once``). Whatever does not is looked at step by step,
envelope first, payload last, and that is where every complaint comes from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec

from hydra.model.errors import Invalid
from hydra.model.events import GENESIS, KIND_OF, KINDS, VERSION, Event, RawEvent, payload_of
from hydra.model.values import Value, aware_utc, encode
from hydra.ports import Head

LINE_MAX_BYTES = 16 << 20
"""Newline not counted. Neither written nor read above this."""

BEFORE_FIRST = Head(seq=0, hash=GENESIS)
"""The head of an empty journal."""

P = TypeVar("P")


class _Line(msgspec.Struct, Generic[P], frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A line with what its payload has to be."""

    v: int
    seq: int
    ts: datetime
    run: str
    kind: str
    data: P
    prev: str
    hash: str


_PAYLOADS = {payload: encode(kind) for payload, kind in KIND_OF.items()}
_START = b'{"v":%d,' % VERSION
_MARK = b',"hash":"'
_END = b'"}'
_END_BYTES = len(_MARK) + 64 + len(_END)
_KIND = b',"kind":"'
_KINDS = {kind.encode(): payload for kind, payload in KINDS.items()}
_VERSION_FOUND = re.compile(rb'\{"v":(\d{1,9}),')
_envelopes = msgspec.json.Decoder(RawEvent)
_at_once: dict[bytes, msgspec.json.Decoder[_Line[Any]]] = {}
"""Decoders of whole lines by the kind of their event; made when the first line of a kind is read."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError)
_SHOWN_BYTES = 60


class BadLine(Exception):
    """A line that is not what it has to be. The caller knows which file and line and turns it into ``Corrupt``."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")


def line_of(after: Head, ts: datetime, run: bytes, payload: Value) -> tuple[bytes, str]:
    """The line (newline included) that records ``payload`` after ``after``, and its hash. ``run`` is already JSON.

    Raises ``Invalid`` for a payload that is not an event, cannot be encoded, or makes the line too long.
    """
    kind = _PAYLOADS.get(type(payload))
    if kind is None:
        raise Invalid(f"{type(payload).__name__} is not a kind of event")
    if ts.tzinfo is not UTC:
        aware_utc("ts", ts)
        ts = ts.astimezone(UTC)
    try:
        data = encode(payload)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise Invalid(f"{KIND_OF[type(payload)]} cannot be encoded: {error}") from error
    open_body = b'{"v":%d,"seq":%d,"ts":%b,"run":%b,"kind":%b,"data":%b,"prev":"%b"' % (
        VERSION,
        after.seq + 1,
        encode(ts),
        run,
        kind,
        data,
        after.hash.encode(),
    )
    if len(open_body) + _END_BYTES > LINE_MAX_BYTES:
        raise Invalid(
            f"{KIND_OF[type(payload)]} makes a line of {len(open_body) + _END_BYTES} bytes; at most {LINE_MAX_BYTES}"
        )
    digest = sha256(open_body + b"}").hexdigest()
    return b'%b%b%b"}\n' % (open_body, _MARK, digest.encode()), digest


def event_at_once(line: bytes) -> Event | None:
    """The event of a line (newline not included) that is whole in itself and lies as it was written.

    ``None`` says only that this was not to be had in one pass: ``envelope_of`` and ``event_of`` know why, or read it all the same.
    """
    kind_at = line.find(_KIND) + len(_KIND)
    decoder = _decoder_of(line[kind_at : line.find(b'"', kind_at)])
    if decoder is None or not line.startswith(_START) or len(line) > LINE_MAX_BYTES:
        return None
    digest = sha256(line[:-_END_BYTES] + b"}").hexdigest()
    if line[-_END_BYTES:] != _MARK + digest.encode() + _END:
        return None
    try:
        read = decoder.decode(line)
    except _UNREADABLE:
        return None
    # What was found first and looked like its kind need not be it: only the parser knows.
    if KINDS.get(read.kind) is not type(read.data) or read.ts.tzinfo is not UTC:
        return None
    return Event(
        v=read.v, seq=read.seq, ts=read.ts, run=read.run, kind=read.kind, data=read.data, prev=read.prev, hash=read.hash
    )


def _decoder_of(kind: bytes) -> msgspec.json.Decoder[_Line[Any]] | None:
    """What decodes a line with its payload, by the bytes of its kind; ``None`` when there is no such kind."""
    decoder = _at_once.get(kind)
    payload = _KINDS.get(kind) if decoder is None else None
    if payload is not None:
        decoder = _at_once[kind] = msgspec.json.Decoder(_Line[payload])  # type: ignore[valid-type]  # known when it runs
    return decoder


def envelope_of(line: bytes) -> RawEvent:
    """The envelope of a line (newline not included) that is whole in itself. Raises ``BadLine``."""
    digest = sha256(line[:-_END_BYTES] + b"}").hexdigest().encode()
    if line[-_END_BYTES:] != _MARK + digest + _END or not line.startswith(_START) or len(line) > LINE_MAX_BYTES:
        raise _why_not_whole(line, digest)
    try:
        raw = _envelopes.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine("the envelope of an event", str(error)) from error
    if raw.ts.tzinfo is not UTC:
        raise BadLine("ts in UTC, ending in Z", raw.ts.isoformat())
    return raw


def check_follows(read: RawEvent | Event, after: Head | RawEvent | Event) -> None:
    """Refuse an event that is not the one right after ``after``. Raises ``BadLine``."""
    if read.seq != after.seq + 1:
        raise BadLine(f"seq {after.seq + 1}", f"seq {read.seq}")
    if read.prev != after.hash:
        raise BadLine(f"prev {after.hash} (the hash of seq {after.seq})", read.prev)


def event_of(raw: RawEvent) -> Event:
    """The event with its typed payload. Raises ``BadLine`` naming the kind and the field."""
    try:
        data = payload_of(raw)
    except (Invalid, ArithmeticError) as error:
        raise BadLine("a payload that this version can read", str(error)) from error
    return Event(v=raw.v, seq=raw.seq, ts=raw.ts, run=raw.run, kind=raw.kind, data=data, prev=raw.prev, hash=raw.hash)


def _why_not_whole(line: bytes, digest: bytes) -> BadLine:
    if len(line) > LINE_MAX_BYTES:
        return too_long(len(line))
    if not line:
        return BadLine("an event", "a blank line")
    if b"\0" in line:
        return BadLine("an event", f"a NUL byte at column {line.index(0) + 1}")
    if not line.startswith(_START):
        version = _VERSION_FOUND.match(line)
        found = repr(line[:_SHOWN_BYTES]) if version is None else f"version {int(version[1])}"
        return BadLine(f"journal version {VERSION}", found)
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return BadLine("UTF-8", f"byte 0x{line[error.start]:02x} at column {error.start + 1}")
    body, mark, end = line.rpartition(_MARK)
    if not mark or re.fullmatch(rb'[0-9a-f]{64}"\}', end) is None:
        return BadLine(
            'a line ending in ,"hash":"<64 lower-case hex digits>"}', repr(line[-max(_SHOWN_BYTES, len(end)) :][:200])
        )
    assert len(body) + _END_BYTES == len(line)
    return BadLine(f"hash {digest.decode()} (SHA-256 of the line without its hash)", f"hash {end[:64].decode()}")


def too_long(length: int) -> BadLine:
    """The complaint about a line of (at least) ``length`` bytes."""
    return BadLine(f"a line of at most {LINE_MAX_BYTES} bytes", f"{length} bytes and more")
