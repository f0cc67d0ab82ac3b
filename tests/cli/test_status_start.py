"""What ``hydra status`` loads to look into a store: a person waits for it, so nothing that only writers need."""

import os
import subprocess
import sys
from pathlib import Path

from hydra.adapters.store.store import SqlStore

ROOT = Path(__file__).resolve().parents[2]
ONLY_FOR_OTHERS = {"sqlalchemy", "alembic", "exchange_calendars", "pandas", "numpy", "pyarrow"}
OURS_FOR_OTHERS = ("hydra.engine", "hydra.qc", "hydra.bots", "hydra.adapters.exchange", "hydra.adapters.journal")


def test_status_of_a_store_in_a_file_loads_no_database_library_and_nothing_of_the_engine(tmp_path: Path) -> None:
    SqlStore(f"sqlite:///{tmp_path / 'trading_state.db'}").close()
    folders = ["--state-dir", str(tmp_path), "--log-dir", str(tmp_path / "logs")]
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "hydra",
            "status",
            "--config",
            str(ROOT / "configs/paper.toml"),
            *folders,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")},
    )
    assert done.returncode == 0, done.stderr
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "hydra.adapters.store.reader" in loaded
    assert {
        name for name in loaded if name.split(".")[0] in ONLY_FOR_OTHERS or name.startswith(OURS_FOR_OTHERS)
    } == set()
