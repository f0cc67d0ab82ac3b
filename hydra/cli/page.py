"""The file of a report: looked at before the work begins, and written whole at its end."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hydra.model.errors import BadConfig


@dataclass(frozen=True, slots=True)
class Page:
    """Where the report goes; looked at before the minutes are spent."""

    path: Path

    @classmethod
    def at(cls, path: Path | None) -> Page | None:
        """Raises ``BadConfig`` when nothing could be written there."""
        if path is None:
            return None
        try:
            # A link is followed: what it points to is replaced, the link stays.
            found = cls(path.resolve())
            if found.path.exists() and not found.path.is_file():
                raise BadConfig(f"--report {path}: is a {'folder' if found.path.is_dir() else 'device'}, not a file")
            found._beside().write_bytes(b"")
            found._beside().unlink()
        except (OSError, ValueError, RuntimeError) as error:
            raise BadConfig(
                f"--report {path}: cannot be written: {getattr(error, 'strerror', None) or error}"
            ) from error
        return found

    def write(self, text: str) -> None:
        """The whole file or none of it: written beside it, synced, renamed."""
        beside = self._beside()
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise

    def _beside(self) -> Path:
        return self.path.with_name(f".{self.path.name[:80]}.{os.getpid()}.new")
