"""Without the extra: everything local works, nothing heavy is imported, and a model is refused by the extra's name."""

from __future__ import annotations

import subprocess
import sys

_BLOCKED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pydantic_ai", "openai", "anthropic", "httpx2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from datetime import UTC, datetime
from pathlib import Path
from hydra.adapters.files import RealFiles
from hydra.bootstrap.seats import Places, seats_of
from hydra.bootstrap.tournament_config import load_tournament
from hydra.model.errors import BadConfig
from tests.gladiators.candles import a_brief
policy = load_tournament(Path("configs/tournament.toml"))
folder = Path(sys.argv[1])
places = Places(Path("configs/tournament.toml"), None, folder, folder, RealFiles(), lambda: datetime.now(UTC))
panel = seats_of(policy, {}, places)
print(*[vote.engine for vote in panel.ask(a_brief(), 30)])
try:
    seats_of(policy, {"XAI_API_KEY": "xai-0123456789"}, places)
except BadConfig as error:
    print(error)
"""
_LIGHT = """
import sys
import hydra.bootstrap.seats, hydra.bootstrap.tournament_config, hydra.cli.main
print(sorted({name.split(".")[0] for name in sys.modules} & {"pydantic_ai", "openai", "anthropic", "httpx2", "talib", "pandas"}))
"""


def said(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_without_the_extra_rules_vote_and_a_model_is_refused_by_name(tmp_path: object) -> None:
    engines, refused = said(_BLOCKED, str(tmp_path))
    assert engines == "local:trend local:mean_reversion local:breakout local:synthesis"
    assert refused == "models need the extra `llm`: pip install 'trading-hydra[llm]' (anthropic is missing)"


def test_naming_the_seats_imports_nothing_heavy() -> None:
    assert said(_LIGHT) == ["[]"]
