"""The program that workers are forked from: ``python -m hydra.bootstrap.bot_worker LINE``, started by the host and by nobody else.

It imports what bots are made of and this program's own bots, so that they cost a worker nothing, and serves as the nursery on
the descriptor ``LINE``.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from importlib import import_module

from hydra.adapters.bots.nursery import serve
from hydra.adapters.bots.wire import Begin
from hydra.adapters.bots.worker import work
from hydra.bootstrap.making import make_from
from hydra.bootstrap.points import available, is_ours
from hydra.indicators import load
from hydra.ports import Bot


def main(line: int) -> None:
    """Serve until the line closes."""
    control = socket.socket(fileno=line)
    for group in ("hydra.bots", "hydra.signals"):
        for name, point in available(group).items():
            if is_ours(group, name):
                with suppress(ImportError):  # its worker says so, with its name
                    import_module(point.module)
    with suppress(ImportError):
        load()
    serve(control, lambda own: work(own, _make))


def _make(begin: Begin) -> Bot:
    return make_from(begin.recipe)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
