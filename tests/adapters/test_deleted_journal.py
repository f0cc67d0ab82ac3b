"""A file that was deleted under its writer is not durable, however well it syncs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles


def test_a_file_that_was_deleted_while_open_cannot_be_synced(tmp_path: Path) -> None:
    path = tmp_path / "run.001.jsonl"
    file = RealFiles().append_to(path)
    file.write(b"one\n")
    file.sync()
    path.unlink()
    file.write(b"two\n")
    with pytest.raises(OSError, match="deleted"):
        file.sync()
    file.close()
