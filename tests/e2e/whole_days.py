"""By hand: ``python -m tests.e2e.whole_days [part of a name]`` plays whole real days through both doors and prints the figures.

Requests are counted by a relay between the adapter and ``hydra sim``: one each time a request's first line goes by.
"""

from __future__ import annotations

import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.both_doors import DAYS, Outcome, RealDay, difference, in_process, lay_out, over_the_wire, simulator
from tests.e2e.conftest import bare
from tests.e2e.place import REPOSITORY
from tests.shared_data import shared_data

_FIRST_LINE = re.compile(rb"^([A-Z]+) (\S+?)(?:\?\S*)? HTTP/1\.1\r\n", re.MULTILINE)
_ID = re.compile(r"[0-9a-f-]{36}")
_PIECE = 1 << 16


class Relay:
    """Passes connections on to an address and counts the requests in them by route."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "", parts.port or 0)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.routes: Counter[str] = Counter()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(self._to)
                threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket, asked: bool) -> None:
        here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            while piece := here.recv(_PIECE):
                there.sendall(piece)
                for method, path in _FIRST_LINE.findall(piece) if asked else ():
                    self.routes[f"{method.decode()} {_ID.sub('{id}', path.decode())}"] += 1
        with suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Take no more connections."""
        self._door.close()


@contextmanager
def relayed(url: str) -> Iterator[Relay]:
    """A relay for as long as the block lasts."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.close()


def play(day: RealDay, program: Path) -> bool:
    """A day through both doors; True when the lists of orders are the same."""
    folder = Path(tempfile.mkdtemp(prefix="both-doors-"))
    here, there = bare(folder / "here", program), bare(folder / "there", program)
    for place in (here, there):
        lay_out(day, place, shared_data(), day.day)
    with simulator(there, day) as url, relayed(url) as relay:
        began = time.monotonic()
        wired = over_the_wire(there, day, relay.url)
        wire_seconds = time.monotonic() - began
    began = time.monotonic()
    plain = in_process(here, day)
    print(f"{day.name}  ({folder})")
    print(f"  in-process     {_figures(plain)}, {time.monotonic() - began:.1f} s with qc")
    print(f"  over the wire  {_figures(wired)}, {wire_seconds:.1f} s with test-broker, verify-balance and qc")
    print(
        f"  requests       {relay.routes.total()}: {', '.join(f'{n} {name}' for name, n in relay.routes.most_common())}"
    )
    unlike = difference(plain, wired)
    print(f"  difference     {len(unlike) or 'none'}", *unlike, sep="\n    ")
    return not unlike


def _figures(outcome: Outcome) -> str:
    filled = Counter(str(order["purpose"]) for order in outcome.orders if order["filled"])
    fills = ", ".join(f"{count} {purpose}" for purpose, count in sorted(filled.items()))
    trades, median = outcome.document["trades"], outcome.document["cycle_micros"]["median"]
    return (
        f"{outcome.document['cycles']} cycles of {median / 1000:.1f} ms, {len(outcome.orders)} orders (filled: {fills}), "
        f"{trades['closed']} trades, profit {trades['profit']}"
    )


def main(part: str = "") -> int:
    """Play the days whose names have this part."""
    program = Path(tempfile.mkdtemp(prefix="both-doors-program-"))
    shutil.copytree(REPOSITORY / "hydra", program / "hydra")
    same = [play(day, program) for day in DAYS if part in day.name]  # all of them, whatever becomes of the first
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
