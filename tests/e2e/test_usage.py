"""Whatever is typed or configured wrongly ends with 2 (or 3 where arming is missing) and a sentence that names it."""

from __future__ import annotations

import orjson
import pytest

from tests.e2e.place import Place
from tests.e2e.slices import sliced

WRONG = {
    "run --speed 0": (2, "--speed: '0'"),
    "run --speed nan": (2, "--speed: 'nan'"),
    "run --speed 1_0": (2, "--speed: '1_0'"),
    "run --speed foo": (2, "neither a number above 0"),
    "run --data nowhere": (2, "nowhere: no such file or folder"),
    "run --data state/inbox": (2, "no bars of AAPL, SPY in state/inbox"),
    "run --data garbage-1min.csv": (2, "garbage-1min.csv"),
    "run --data configs/paper.toml": (2, "configs/paper.toml: not a data file"),
    "run --data": (2, "'--data' requires an argument"),
    "run --cycles 0": (2, "'--cycles'"),
    "run --seed -1": (2, "'--seed'"),
    "run --interval 0": (2, "'--interval'"),
    "run --config nowhere.toml": (2, "nowhere.toml: no such file"),
    "run --frob": (2, "No such option: --frob"),
    "run --live": (3, "--live needs a live broker"),
    "frobnicate": (2, "No such command 'frobnicate'"),
    "halt": (2, "Missing option '--reason'"),
    "replay nowhere": (2, "nowhere: no such file"),
    "replay state/inbox": (2, "no journal segments"),
    "init .": (2, ".: not empty"),
    "init new --broker ib": (2, "'ib': unknown; accepted: sim, alpaca"),
}


@pytest.fixture(scope="module")
def typed(certified_once: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One place for all wrong lines: none of them may change anything."""
    place = certified_once.copied(tmp_path_factory.mktemp("typed") / "place")
    (place.folder / "garbage-1min.csv").write_bytes(b"\x00\xff garbage")
    return place


@pytest.mark.parametrize("line", sliced(WRONG, keep=9))
def test_a_wrong_line_is_refused_with_a_document_and_changes_nothing(typed: Place, line: str) -> None:
    head = typed.head()
    code, named = WRONG[line]
    told = typed.hydra(*line.split(), "--json") if line != "run --data" else typed.hydra("run", "--json", "--data")
    assert told.code == code
    assert told.document["exit_code"] == code
    assert told.document["ok"] is False
    assert named in told.document["error"]
    assert told.err
    assert [event for event in typed.events() if event["seq"] > head and event["kind"] == "decided"] == []
    assert typed.venue_orders() == []


def test_an_empty_reason_is_no_reason(typed: Place) -> None:
    told = typed.hydra("halt", "--reason", "  ", "--json")
    assert told.code == 2
    assert told.document["error"].startswith("--reason: empty")


ABUSE = {
    "HYDRA_RISK__DAILY_LOSS": ("2%", "risk.daily_loss"),
    "HYDRA_RISK__RISK_PER_TRADE": ("0.5", "risk_per_trade"),
    "HYDRA_RISK__RULES": ("[]", "risk.rules"),
    "HYDRA_HEALTH__GATES": ('["mode"]', "health.gates"),
    "HYDRA_ENGINE__SEED": ("-1", "engine.seed"),
    "HYDRA_BROKER__STARTING_CASH": ("NaN", "broker.starting_cash"),
    "HYDRA_BOTS__SPY_TREND__SYMBOLS": ('["not a symbol"]', "bots[0].symbols"),
    "HYDRA_BOTS__SPY_TREND__SIGNAL": ("fortune", "signal"),
    "HYDRA_MARKET__NAME": ("moon", "market.name"),
    "HYDRA_STORE__URL": ("sqlite:////nowhere/at/all.db?password=hunter2", "store.url"),
    "HYDRA_RISK__DAYLY_LOSS": ("0.01", "HYDRA_RISK__DAYLY_LOSS"),
}


@pytest.mark.parametrize("variable", sliced(ABUSE, keep=3))
def test_a_wrong_value_in_the_environment_is_refused_with_its_key(typed: Place, variable: str) -> None:
    value, named = ABUSE[variable]
    told = typed.hydra("run", "--json", **{variable: value})
    assert told.code == 2
    assert named in told.document["error"]
    assert "hunter2" not in told.text


FILES = {
    "empty": ("", "empty"),
    "not TOML": ("mode = = 3", "not TOML"),
    "not text": ("\udcff\udcfe", "not UTF-8"),
    "a list": ("bots = [1, 2]", "bots[0]"),
    "nested": ("a = " + "[" * 3000 + "]" * 3000, "TOML"),
}


@pytest.mark.parametrize("what", sliced(FILES, keep=2))
def test_a_configuration_that_is_none_is_refused_by_the_preflight_too(typed: Place, what: str) -> None:
    text, named = FILES[what]
    config = typed.folder / "broken.toml"
    config.write_bytes(text.encode("utf-8", "surrogateescape"))
    told = typed.hydra("qc", "--config", "broken.toml", "--json")
    assert told.code == 2
    assert "broken.toml" in told.document["error"]
    assert named in told.document["error"]


@pytest.mark.parametrize(
    ("before", "after", "key"),
    sliced(
        [
            ("daily_loss = 0.02 ", 'daily_loss = "0.02" ', "risk.daily_loss"),
            ("daily_loss = 0.02 ", "daily_loss = nan ", "risk.daily_loss"),
            ("daily_loss = 0.02 ", "daily_los = 0.02 ", "risk.daily_los"),
            ("interval_seconds = 5 ", "interval_seconds = 1e400 ", "engine.interval_seconds"),
            ('mode = "paper" ', 'mode = "live" ', "mode"),
            ('trade_end = "15:30" ', 'trade_end = "09:30" ', "bots[0].session"),
            ("[risk] ", "[[risk]] ", "risk"),
        ],
        keep=2,
    ),
)
def test_a_wrong_value_in_the_file_is_refused_with_its_key(typed: Place, before: str, after: str, key: str) -> None:
    text = typed.config.read_text()
    assert before in text
    (typed.folder / "wrong.toml").write_text(text.replace(before, after, 1))
    told = typed.hydra("run", "--config", "wrong.toml", "--json")
    assert told.code == 2
    assert key in told.document["error"]


def test_a_new_folder_is_ready_to_trade(typed: Place) -> None:
    made = typed.hydra("init", "inner", "--json")
    assert made.code == 0
    assert orjson.loads(made.out)["written"] == [
        "inner/configs/paper.toml",
        "inner/configs/tournament.toml",
        "inner/.env",
    ]
    inner = Place(folder=typed.folder / "inner", program=typed.program)
    assert inner.hydra("qc").code == 0
    assert (inner.folder / ".env").stat().st_mode & 0o777 == 0o600
