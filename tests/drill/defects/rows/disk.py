"""What lies on this machine: folders, their modes, room, who writes."""

from __future__ import annotations

import fcntl
import os
import shutil
from functools import partial

from tests.drill.defects.defect import BARRED, Act, Defect
from tests.drill.defects.stage import Stage
from tests.e2e.mounts import read_only, small

_USERS = 100
"""A group that many are in."""
_AFTER = 'mkdir -p "$0.after"\n'


def mode(stage: Stage, name: str, mode: int) -> None:
    """Another mode for a path below the folder."""
    stage.chmod(stage.folder / name, mode)


def readable_secrets(stage: Stage) -> None:
    stage.write(stage.env_file, "HYDRA_SIM__SECRET=hunter2hunter2\n")
    stage.chmod(stage.env_file, 0o644)


def shared_with_a_group(stage: Stage) -> None:
    folder, group = stage.place.logs, stage.place.logs.stat().st_gid
    os.chown(folder, -1, _USERS)
    stage.undo.append(partial(os.chown, folder, -1, group))
    stage.chmod(folder, 0o775)


def segment_open(stage: Stage) -> None:
    stage.chmod(stage.place.segments()[-1], 0o666)


def replaceable(stage: Stage) -> None:
    """The folder in which the configuration lies."""
    stage.chmod(stage.config.parent, 0o777)


def leads_nowhere(stage: Stage) -> None:
    stage.env_file.symlink_to("/nonexistent/keys")
    stage.undo.append(stage.env_file.unlink)


def cannot_be_written(stage: Stage, name: str) -> None:
    stage.prefix = tuple(read_only(stage.folder / name))


def full(stage: Stage, name: str) -> None:
    """A disk of 4 MB, and every byte of it taken."""
    fill = 'dd if=/dev/zero of="$0/filler" bs=1k 2>/dev/null; exec "$@"'
    folder = stage.folder / name
    stage.prefix = (*_small(stage, name, 4000), "sh", "-c", fill, str(folder))


def little_room(stage: Stage) -> None:
    stage.prefix = _small(stage, "state", 12_000)
    stage.moved_back = (stage.place.state,)


def _small(stage: Stage, name: str, kilobytes: int) -> tuple[str, ...]:
    """Several commands, one after the other: each makes the folder in which it leaves what it had."""
    folder = stage.folder / name
    prefix = small(folder, kilobytes)
    after = folder.with_name(f"{name}.after")
    after.rmdir()
    stage.undo.append(lambda: shutil.rmtree(after, ignore_errors=True))
    index = prefix.index("-c") + 1
    prefix[index] = _AFTER + prefix[index]
    return tuple(prefix)


def a_file_for_a_folder(stage: Stage, name: str) -> None:
    folder = stage.keep(stage.folder / name)
    shutil.rmtree(folder)
    folder.write_text("not a folder\n")


def lock_held(stage: Stage) -> None:
    """Somebody's process has the lock, and the file does not say whose."""
    descriptor = os.open(stage.place.state / "lock", os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, 0)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    stage.open.callback(os.close, descriptor)


def second_writer(stage: Stage) -> None:
    """A run in full swing on the same folders."""
    head = stage.place.head()
    running = stage.place.start("run", "--speed", "60")
    stage.open.callback(running.kill)
    running.until(lambda: stage.place.head() > head + 4)


def permissions(name: str, planted: str, plant: Act, reason: str, check: str = "permissions") -> Defect:
    """Others may change, or read, what is Hydra's. A run looks too, at its start and while it goes on."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended="the mode as it was",
    )


def stray(stage: Stage) -> None:
    stage.write(stage.place.state / "inbox" / "20260101T000000.000000Z-halt-aa.json", '{"nope')


def half_a_file(stage: Stage) -> None:
    """As a command leaves it that was killed while it wrote: the process of that number is no more."""
    stage.write(stage.place.state / ".exchange-source.json.99999999-0.tmp", "half")


def advice(name: str, planted: str, plant: Act, check: str, reason: str) -> Defect:
    """What does no harm is warned of, and stops nothing."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended="`hydra doctor --fix` moves it aside",
        mend=lambda stage: stage.hydra("doctor", "--fix"),
        qc=0,
        run=None,
    )


ROWS = (
    advice("nonsense in the inbox", "a file in `state/inbox` that is no command", stray, "inbox", r"halt-aa\.json"),
    advice(
        "half a file", "a temporary file of a process that is no more", half_a_file, "leftovers", r"99999999-0\.tmp"
    ),
    permissions(
        "a state folder open to all",
        "`chmod 777 state`",
        partial(mode, name="state", mode=0o777),
        r"state \(mode 0777\)",
    ),
    permissions(
        "a log folder open to all", "`chmod 777 logs`", partial(mode, name="logs", mode=0o777), r"logs \(mode 0777\)"
    ),
    permissions(
        "a log folder shared with a group",
        "`chgrp users logs; chmod 775 logs`",
        shared_with_a_group,
        r"the group users may write logs \(mode 0775\)",
    ),
    permissions(
        "a configuration anybody may write",
        "`chmod 666 configs/paper.toml`",
        partial(mode, name="configs/paper.toml", mode=0o666),
        r"configuration: everybody may write .*paper\.toml \(mode 0666\)",
    ),
    permissions(
        "a configuration anybody may replace",
        "`chmod 777 configs`",
        replaceable,
        r"everybody may replace .*paper\.toml: .* has mode 0777",
    ),
    permissions(
        "a store anybody may write",
        "`chmod 666 state/trading_state.db`",
        partial(mode, name="state/trading_state.db", mode=0o666),
        r"trading_state\.db \(mode 0666\)",
    ),
    permissions(
        "a journal anybody may write", "`chmod 666` of the newest segment", segment_open, r"\.jsonl \(mode 0666\)"
    ),
    permissions(
        "keys readable by others",
        "`chmod 644 .env`",
        readable_secrets,
        r"\.env has mode 0644: others may read it; expected 0600",
        check="env_file",
    ),
    permissions(
        "keys that lead nowhere",
        "`.env` is a link to a file that is not there",
        leads_nowhere,
        r"\.env leads to /nonexistent/keys",
    ),
    Defect(
        name="a state folder that cannot be written",
        planted="`state` is mounted read-only",
        plant=partial(cannot_be_written, name="state"),
        check="state_folder",
        reason=r"Read-only file system: 'state/",
        mended="the mount is taken away",
    ),
    Defect(
        name="a log folder that cannot be written",
        planted="`logs` is mounted read-only",
        plant=partial(cannot_be_written, name="logs"),
        check="log_folder",
        reason=r"Read-only file system: 'logs/",
        mended="the mount is taken away",
    ),
    Defect(
        name="a full disk under the state",
        planted="`state` lies on a disk of 4 MB with 0 bytes free",
        plant=partial(full, name="state"),
        check="state_folder",
        reason=r"No space left on device",
        mended="the disk is taken away",
    ),
    Defect(
        name="a full disk under the journal",
        planted="`logs` lies on a disk of 4 MB with 0 bytes free",
        plant=partial(full, name="logs"),
        check="log_folder",
        reason=r"No space left on device",
        mended="the disk is taken away",
    ),
    Defect(
        name="a disk nearly full",
        planted="`state` lies on a disk of 12 MB; 200 MB have to be free",
        plant=little_room,
        check="disk",
        reason=r"\b\d+ MB free in state, .*at least 200 MB",
        mended="the disk is taken away",
        run=BARRED,
    ),
    Defect(
        name="a file for the state folder",
        planted="`state` is a file",
        plant=partial(a_file_for_a_folder, name="state"),
        check="state_folder",
        reason=r"File exists: 'state'",
        mended="the folder as it was",
    ),
    Defect(
        name="a file for the log folder",
        planted="`logs` is a file",
        plant=partial(a_file_for_a_folder, name="logs"),
        check="log_folder",
        reason=r"File exists: 'logs'",
        mended="the folder as it was",
    ),
    Defect(
        name="a lock somebody holds",
        planted="another process has locked `state/lock` and does not say who it is",
        plant=lock_held,
        check="lock",
        reason=r"held by another process",
        mended="the other process is gone",
        run=frozenset({3}),
    ),
    Defect(
        name="a second writer",
        planted="a `hydra run` is under way on the same folders",
        plant=second_writer,
        check="lock",
        reason=r"held by `run`, pid \d+ on .*, run 2\d+T",
        mended="the run is ended",
        run=frozenset({3}),
        alone=False,
    ),
)
