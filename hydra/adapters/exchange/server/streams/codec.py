"""The two tongues of the streams: JSON in text frames, MessagePack in binary ones.

A client chooses by the ``Content-Type`` it connects with. What it sends is read by what it looks like: JSON in a binary frame is
read too. Times are RFC 3339 in JSON and timestamps in MessagePack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from hydra.adapters.exchange.server import wire

Message: TypeAlias = Mapping[str, Any]
Frame: TypeAlias = str | bytes

PACKED = "application/msgpack"
FRAME_BYTES_MAX = 256 * 1024
"""The largest frame that is read."""

_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder()
_reader = msgspec.json.Decoder()


def written(body: Any, *, packed: bool) -> Frame:
    """The frame that says ``body``. A NaN is written as it is."""
    if packed:
        return _packer.encode(body)
    return json.dumps(body, separators=(",", ":"), default=_plain)


def read(frame: Frame) -> Message | None:
    """The mapping in a frame; ``None`` when there is none."""
    if not frame or len(frame) > FRAME_BYTES_MAX:
        return None
    try:
        data = frame.encode() if isinstance(frame, str) else frame
        looks_json = isinstance(frame, str) or data.lstrip()[:1] in (b"{", b"[")
        body = _reader.decode(data) if looks_json else _unpacker.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return body if isinstance(body, dict) and all(isinstance(name, str) for name in body) else None


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return wire.instant(value)
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")
