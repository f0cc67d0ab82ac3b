"""``python -m hydra.bootstrap.backup``: save the state of a trader while it runs, put it back into new folders, or look whether a backup is whole.

What is copied, when, and why that is safe is told in ``hydra.adapters.backup``. A store elsewhere (``store.url``) is not copied: the
journals, which are, fold it anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hydra import __version__
from hydra.adapters.backup import Backup, Folders, back_up, restore
from hydra.adapters.files import RealFiles
from hydra.adapters.lock import WriterLock
from hydra.bootstrap.setup import LOG_DIR, STATE_DIR, this_process, wall_now
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable

_DONE, _DAMAGED, _USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it is done, 1 when something is damaged or cannot be read or written, 2 for a line that makes no sense."""
    options = _options(arguments)
    folders = Folders(state=options.state_dir, logs=options.log_dir)
    try:
        said = _ACTIONS[options.action](options.folder, folders, options)
    except BadConfig as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    except (Refused, Corrupt, Unreachable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return _DAMAGED
    sys.stdout.write(f"{said}\n")
    return _DONE


def save(folder: Path, folders: Folders, _options: argparse.Namespace) -> str:
    """Copy; a running engine is not disturbed."""
    if not folders.logs.is_dir() or not folders.state.is_dir():
        raise BadConfig(
            f"{folders.state} and {folders.logs}: nothing is there to be saved; name them with --state-dir and --log-dir"
        )
    return f"saved in {folder}: {_told(back_up(folders, folder, taken=wall_now(), version=__version__))}"


def put_back(folder: Path, folders: Folders, options: argparse.Namespace) -> str:
    """Copy back, under the writer's lock of the new state folder."""
    RealFiles().make_dir(folders.state)
    with WriterLock(folders.state / "lock", this_process("restore")):
        backup = restore(folder, folders, journal_only=options.journal_only)
    return (
        f"restored into {folders.state} and {folders.logs}: {_told(backup)}; `hydra check-io` and `hydra qc` come next"
    )


def check(folder: Path, _folders: Folders, _options: argparse.Namespace) -> str:
    """Restore to where nobody looks."""
    with tempfile.TemporaryDirectory(prefix="hydra-backup-") as place:
        backup = restore(folder, Folders(state=Path(place) / "state", logs=Path(place) / "logs"))
    return f"{folder} is whole: {_told(backup)}"


_ACTIONS = {"save": save, "restore": put_back, "check": check}


def _told(backup: Backup) -> str:
    return (
        f"{len(backup.files)} files, {backup.size_bytes} bytes, to event {backup.head.seq} ({backup.head.hash[:12]}), taken "
        f"{backup.taken:%Y-%m-%d %H:%M:%S}Z by Hydra {backup.version}"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.bootstrap.backup", description=(__doc__ or "").partition(": ")[2]
    )
    parser.add_argument("action", choices=tuple(_ACTIONS), help="save, restore, or check that a backup is whole")
    parser.add_argument("folder", type=Path, help="where the backup is written, or lies")
    parser.add_argument("--state-dir", type=Path, default=_from("HYDRA_STATE_DIR", STATE_DIR), help="the state folder")
    parser.add_argument("--log-dir", type=Path, default=_from("HYDRA_LOG_DIR", LOG_DIR), help="the journal's folder")
    parser.add_argument(
        "--journal-only", action="store_true", help="restore without the store: the next start folds it anew"
    )
    return parser.parse_args(arguments)


def _from(variable: str, usual: Path) -> Path:
    return Path(os.environ.get(variable) or usual)


if __name__ == "__main__":
    sys.exit(main())
