"""A nursery for tests: its workers' bots are functions, named in the recipe as ``module:function``."""

from __future__ import annotations

import socket
import sys
from importlib import import_module

from hydra.adapters.bots.nursery import serve
from hydra.adapters.bots.wire import Begin
from hydra.adapters.bots.worker import work
from hydra.ports import Bot


def make(begin: Begin) -> Bot:
    """The function that the recipe names; one called ``made_...`` is to make the bot."""
    module, _, name = begin.recipe["bot"].partition(":")
    found: Bot = getattr(import_module(module), name)
    return found(begin) if name.startswith("made_") else found  # type: ignore[call-arg, arg-type, return-value]  # a maker is asked with what begins it


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[-1]))
    serve(control, lambda line: work(line, make))
