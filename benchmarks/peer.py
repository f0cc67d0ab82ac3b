"""The least a question to another process can cost: 4 KB there and 4 KB back, to a process that does nothing else.

The worker stays, takes a message of 4 KB (as MessagePack, by ``msgspec``) off a pipe, changes one number, and sends it back:
write, wake up, read, decode, encode, and the same again. One message at a time, nobody else asked meanwhile.

``python -m benchmarks.peer IN OUT`` is the worker.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import Any

import msgspec

_HEAD = struct.Struct("<I")
_READ_BYTES = 1 << 16
BARS = 72
"""Bars in a message: enough for 4 KB."""


def message() -> dict[str, Any]:
    """What crosses."""
    bars = [[1577836800.0 + n, 100.1234 + n, 101.2 + n, 99.3 + n, 100.4 + n, 12345.0 + n] for n in range(BARS)]
    return {
        "id": 1,
        "kind": "bar",
        "symbol": "SYM",
        "bars": bars,
        "cash": 99999.99,
        "held": {"SYM": 10},
        "note": "x" * 60,
    }


class Peer:
    """The process, and two pipes to it."""

    def __init__(self) -> None:
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peer", str(there), str(back)], pass_fds=(there, back)
        )
        os.close(there)
        os.close(back)
        self._message = message()
        self.bytes = len(msgspec.msgpack.encode(self._message))

    def once(self) -> None:
        """One round trip."""
        _send(self._out, msgspec.msgpack.encode(self._message))
        msgspec.msgpack.decode(_receive(self._in))

    def close(self) -> None:
        """End it."""
        os.close(self._out)
        self._process.wait(10)
        os.close(self._in)


def _send(out: int, data: bytes) -> None:
    os.write(out, _HEAD.pack(len(data)) + data)


def _receive(source: int) -> bytes:
    data = os.read(source, _READ_BYTES)
    if not data:
        raise EOFError
    end = _HEAD.size + _HEAD.unpack_from(data)[0]
    while len(data) < end:
        more = os.read(source, _READ_BYTES)
        if not more:
            raise EOFError
        data += more
    return data[_HEAD.size : end]


def _serve(source: int, out: int) -> None:
    while True:
        try:
            said = msgspec.msgpack.decode(_receive(source))
        except EOFError:
            return
        said["id"] += 1
        _send(out, msgspec.msgpack.encode(said))


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
