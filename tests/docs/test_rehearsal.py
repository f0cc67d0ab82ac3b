"""The page of the rehearsal names every regime and every kind of trouble, and its figures are those of the plan."""

from __future__ import annotations

from pathlib import Path

from hydra.qc.rehearsal.beats import PORTS
from hydra.qc.rehearsal.plan import FAIR_EACH, KINDS, LEG_BEATS, RECOVERY_BEATS, ROUND
from hydra.qc.rehearsal.regimes import RECOVERY, REGIMES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "rehearsal.md").read_text()


def test_every_regime_is_told() -> None:
    assert [name for name in (*REGIMES, RECOVERY.name) if f"`{name}`" not in PAGE] == []


def test_every_kind_of_trouble_is_told() -> None:
    assert [port for port in PORTS if f"`{port}`" not in PAGE] == []
    rows = {kind.partition(" ")[0] for kind in KINDS if " " in kind}
    assert [row for row in rows if f"`{row} …`" not in PAGE] == []


def test_the_figures_are_those_of_the_plan() -> None:
    assert FAIR_EACH == 6
    assert "Every sixth voyage has its market only" in PAGE
    assert f"{ROUND * FAIR_EACH // (FAIR_EACH - 1) + 1} voyages in a row hold every pair once" in PAGE
    assert f"for {LEG_BEATS} beats" in PAGE
    assert f"recovery of {RECOVERY_BEATS} beats" in PAGE
