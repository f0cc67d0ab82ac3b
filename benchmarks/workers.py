"""The worker processes of a host, as the system lists them, and the memory of each."""

from __future__ import annotations

from pathlib import Path


def workers_of(host: int) -> list[int]:
    """The children of the host's children, oldest first: it starts one process, and that one forks its workers."""
    return [worker for nursery in _children(host) for worker in _children(nursery)]


def memory_kb(pid: int) -> int | None:
    """What a process has in memory, of shared pages its share; ``None`` where the system does not say, or not to us."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sorted(int(child) for task in tasks for child in (task / "children").read_text().split())
    except OSError:
        return []
