"""The inbox: words for a running engine, and what becomes of nonsense."""

from __future__ import annotations

import errno
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.inbox import ACTIONS, FILE_MAX_BYTES, READ_MAX_COMMANDS, FileInbox
from hydra.adapters.memory.files import LossyFiles
from hydra.model.errors import BadConfig
from hydra.model.snapshot import Command
from hydra.model.values import encode
from hydra.ports import Inbox

FOLDER = Path("/state/inbox")
NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def command(number: int = 1, action: str = "halt", command_id: str | None = None, reason: str = "because") -> Command:
    return Command(
        command_id=f"c{number}" if command_id is None else command_id,
        action=action,
        by="operator",
        wall=NOW + timedelta(seconds=number),
        reason=reason,
    )


def inbox(files: LossyFiles) -> FileInbox:
    return FileInbox(files, FOLDER, now=lambda: NOW)


def test_commands_are_read_oldest_first_until_they_are_done() -> None:
    files = LossyFiles()
    port: Inbox = inbox(files)
    assert port.read() == ()
    commands = [command(number, action) for number, action in enumerate(ACTIONS)]
    for left in reversed(commands):
        inbox(files).leave(left)
    assert port.read() == tuple(commands)
    assert port.read() == tuple(commands)
    port.done(commands[:2])
    assert port.read() == tuple(commands[2:])
    port.done(commands[2:])
    port.done(commands[2:])
    assert port.read() == ()


def test_a_command_that_was_left_survives_a_loss_of_power() -> None:
    files = LossyFiles()
    inbox(files).leave(command())
    files.crash()
    assert inbox(files).read() == (command(),)


def test_a_command_that_was_left_twice_is_read_once() -> None:
    files = LossyFiles()
    inbox(files).leave(command())
    files.write_whole(FOLDER / "later.json", encode(command()))
    port = inbox(files)
    assert port.read() == (command(),)
    port.done([command()])
    assert port.read() == ()
    assert files.names(FOLDER) == ()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "truncated"),
        (b"\0\xff", "malformed"),
        (b"[" * 60_000, "(?i)expected `object`|recursion"),
        (b"{}", "missing required field"),
        (encode(command(action="buy")), "action must be one of halt, resume, flatten, release, accept, got 'buy'"),
        (encode(command(command_id="../x")), "command_id must match"),
        (encode(command()).replace(b"{", b'{"extra":1,', 1), "unknown field `extra`"),
        (encode(command(reason="r" * FILE_MAX_BYTES)), f"at most {FILE_MAX_BYTES} bytes are accepted"),
    ],
)
def test_nonsense_is_moved_aside_told_once_and_does_not_block_the_next(data: bytes, complaint: str) -> None:
    files = LossyFiles()
    inbox(files).leave(command())
    files.write_whole(FOLDER / "0.json", data)
    port = inbox(files)
    refused, good = port.read()
    assert (refused.action, refused.wall, good) == ("refused", NOW, command())
    assert refused.reason.startswith("0.json: ")
    assert refused.reason.endswith("; now in refused/")
    assert re.search(complaint, refused.reason)
    assert files.content(FOLDER / "refused" / "0.json") == data[:FILE_MAX_BYTES]
    port.done([refused])
    assert port.read() == (command(),)


def test_what_cannot_be_moved_aside_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "0.json").mkdir()
    port = FileInbox(RealFiles(), tmp_path, now=lambda: NOW)
    port.leave(command())
    refused, good = port.read()
    assert refused.reason == "0.json: cannot be read: Is a directory; left where it is"
    port.done([refused, good])
    assert port.read() == ()


def test_a_read_only_folder_still_gives_its_commands() -> None:
    files = LossyFiles()
    inbox(files).leave(command())
    files.write_whole(FOLDER / "0.json", b"nonsense")
    files.fail(0, OSError(errno.EROFS, "Read-only file system"), for_good=True)
    port = inbox(files)
    refused, good = port.read()
    assert refused.reason.endswith("; left where it is (Read-only file system)")
    assert good == command()
    with pytest.raises(OSError, match="Read-only"):
        port.done([good])
    assert port.read() == (command(),)


def test_other_files_are_left_alone_and_a_flood_is_read_in_portions() -> None:
    files = LossyFiles()
    for number in range(READ_MAX_COMMANDS + 5):
        inbox(files).leave(command(number))
    files.write_whole(FOLDER / ".x.json", b"")
    files.write_whole(FOLDER / "readme.txt", b"")
    port = inbox(files)
    first = port.read()
    assert len(first) == READ_MAX_COMMANDS
    port.done(first)
    assert len(port.read()) == 5
    assert {".x.json", "readme.txt"} < set(files.names(FOLDER))


def test_a_command_that_would_be_refused_is_not_left() -> None:
    files = LossyFiles()
    for wrong in (command(action="buy"), command(command_id="a b"), command(reason="r" * FILE_MAX_BYTES)):
        with pytest.raises(BadConfig):
            inbox(files).leave(wrong)
    assert files.names(FOLDER) == ()
