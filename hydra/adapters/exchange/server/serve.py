"""Running an application on uvicorn: one host, one port, until a signal or an event.

Port 0 takes a free one; ``ready`` is told which, once connections are accepted. Nothing is logged for each request, and
nothing of ours reaches a client: no server header, no traceback.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from hydra.model.errors import BadConfig, Unreachable

PORT_MAX = 65535
BACKLOG = 512
GRACE_SECONDS = 3
SOCKET_MESSAGE_BYTES_MAX = 1 << 20

Ready = Callable[[str, int], None]


def _nobody(host: str, port: int) -> None:
    """Nobody wants to know."""


class _Server(uvicorn.Server):
    """Uvicorn, telling when it accepts connections, and leaving signals to whoever started it if asked."""

    def __init__(self, config: uvicorn.Config, ready: Ready, host: str, port: int) -> None:
        super().__init__(config)
        self._ready = ready
        self._address = (host, port)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready(*self._address)


class Serving:
    """A server that can be asked to stop from anywhere. ``failure`` is why, if something of ours broke down."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """Finish what is being answered, and end."""
        if self._server is not None:
            self._server.should_exit = True

    def collapse(self, failure: BaseException) -> None:
        """Stop because a part without which the server is of no use has failed."""
        self.failure = failure
        self.stop()

    def run(self, app: ASGIApp, host: str, port: int, ready: Ready = _nobody) -> None:
        """Serve until SIGINT, SIGTERM or ``stop``. Blocks; signals are handled when this is the main thread.

        Raises ``BadConfig`` for an address that cannot be used and ``Unreachable`` when the application does not start or
        breaks down. After a signal uvicorn raises it again, so the process ends as it would without a server.
        """
        listening = listen(host, port)
        try:
            bound = listening.getsockname()[1]
            self._server = _Server(_config(app), ready, host, bound)
            asyncio.run(self._server.serve(sockets=[listening]))
        except SystemExit as error:  # how uvicorn says that the application did not start
            raise Unreachable("the venue's server did not start") from error
        finally:
            listening.close()
        if self.failure is not None:
            raise Unreachable(f"the venue broke down: {type(self.failure).__name__}: {self.failure}") from self.failure


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``BadConfig`` when the address is taken or is not this machine's."""
    if not 0 <= port <= PORT_MAX:  # the resolver would take it modulo 65536
        raise BadConfig(f"cannot listen on {host}:{port}: a port is 0 to {PORT_MAX}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, OverflowError, UnicodeError) as error:
        raise BadConfig(f"cannot listen on {host}:{port}: {error}") from error
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise BadConfig(f"cannot listen on {host}:{port}: {reason}") from error
    return made


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=SOCKET_MESSAGE_BYTES_MAX,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
