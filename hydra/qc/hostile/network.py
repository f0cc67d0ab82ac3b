"""Bots that reach for the venue, or for anybody. Only the harness's own listeners on this machine are ever called."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress

from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Attempt, attempting, refused_by, targets_of

_SECONDS = 0.2
_SAID = b"POST /v2/orders HTTP/1.1\r\n\r\n"


def _with(family: int, kind: int, use: Callable[[socket.socket], str]) -> Attempt:
    def attempt() -> str:
        with socket.socket(family, kind) as line:
            line.settimeout(_SECONDS)
            return use(line)

    return attempt


def calls_the_venue(setting: Setting) -> Bot:
    """An order straight to the venue, over everything that carries bytes."""
    targets = targets_of(setting)

    def says(address: object) -> Callable[[socket.socket], str]:
        def use(line: socket.socket) -> str:
            line.connect(address)  # type: ignore[arg-type]  # a pair or a path, as the family wants it
            return f"{line.send(_SAID)} bytes to {address}"

        return use

    return attempting(
        {
            "TCP": _with(socket.AF_INET, socket.SOCK_STREAM, says((targets.host, targets.tcp))),
            "TCP over IPv6": _with(socket.AF_INET6, socket.SOCK_STREAM, says((f"::ffff:{targets.host}", targets.tcp))),
            "UDP": _with(socket.AF_INET, socket.SOCK_DGRAM, says((targets.host, targets.udp))),
            "UDP without connecting": _with(
                socket.AF_INET,
                socket.SOCK_DGRAM,
                lambda line: f"{line.sendto(_SAID, (targets.host, targets.udp))} bytes sent",
            ),
            "TCP fast open": _with(
                socket.AF_INET,
                socket.SOCK_STREAM,
                lambda line: f"{line.sendto(_SAID, 0x20000000, (targets.host, targets.tcp))} bytes sent",
            ),
            "MPTCP": refused_by(errno.EPROTONOSUPPORT, errno.ENOPROTOOPT)(_mptcp(targets.host, targets.tcp)),
            "unix socket": _with(socket.AF_UNIX, socket.SOCK_STREAM, says(targets.unix)),
            "abstract unix socket": _with(socket.AF_UNIX, socket.SOCK_STREAM, says(f"\0{targets.unix}")),
            "unix datagram": _with(
                socket.AF_UNIX, socket.SOCK_DGRAM, lambda line: f"{line.sendto(_SAID, f'{targets.unix}.d')} bytes sent"
            ),
        }
    )


def _mptcp(host: str, port: int) -> Attempt:
    def attempt() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as line:
            line.settimeout(_SECONDS)
            line.connect((host, port))
            return f"{line.send(_SAID)} bytes by several paths"

    return attempt


def listens(_setting: Setting) -> Bot:
    """Opens a door of its own for others to come in by."""

    def bound(line: socket.socket) -> str:
        line.bind(("127.0.0.1", 0))
        return f"port {line.getsockname()[1]}"

    def listening(line: socket.socket) -> str:
        line.listen(1)  # without an address the kernel gives it one
        return f"port {line.getsockname()[1]}"

    def named(line: socket.socket) -> str:
        line.bind(f"\0hydra-stress-{os.getpid()}")
        return "an abstract name"

    return attempting(
        {
            "bind TCP": _with(socket.AF_INET, socket.SOCK_STREAM, bound),
            "listen without a name": _with(socket.AF_INET, socket.SOCK_STREAM, listening),
            "bind UDP": _with(socket.AF_INET, socket.SOCK_DGRAM, bound),
            "bind an abstract name": _with(socket.AF_UNIX, socket.SOCK_STREAM, named),
        }
    )


def other_families(_setting: Setting) -> Bot:
    """Sockets that are no internet's: the kernel's own, raw ones, virtual machines', crypto, bluetooth."""
    absent = refused_by(errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EINVAL)

    def opened(_line: socket.socket) -> str:
        return "a socket"

    kinds = {
        "netlink": (16, socket.SOCK_RAW),
        "packet": (17, socket.SOCK_RAW),
        "raw": (socket.AF_INET, socket.SOCK_RAW),
        "vsock": (40, socket.SOCK_STREAM),
        "crypto": (38, socket.SOCK_SEQPACKET),
        "bluetooth": (31, socket.SOCK_RAW),
        "xdp": (44, socket.SOCK_RAW),
        "SCTP": (socket.AF_INET, socket.SOCK_SEQPACKET),
        "internet": (socket.AF_INET, socket.SOCK_STREAM),
        "internet 6": (socket.AF_INET6, socket.SOCK_DGRAM),
        "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    }
    return attempting({what: absent(_with(family, kind, opened)) for what, (family, kind) in kinds.items()})


def resolves(_setting: Setting) -> Bot:
    """Asks for the address of a name: one that needs no network, so that no packet leaves if nothing stands in the way."""

    def resolve() -> None:
        # Whether it gets an answer or not: the C library has one for this name without a packet, and that harms nobody.
        with suppress(socket.gaierror):
            socket.getaddrinfo("localhost", 80)

    def resolver() -> str:
        with open("/etc/resolv.conf", "rb") as file:  # noqa: PTH123  # the plainest call there is
            return f"{len(file.read())} bytes of the resolver's settings"

    return attempting({"a host name": resolve, "the resolver's settings": resolver})
