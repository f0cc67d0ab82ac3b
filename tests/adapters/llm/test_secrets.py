"""A key goes into one header of a request to its own vendor, and nowhere else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from hydra.adapters.llm.client import Client
from hydra.adapters.llm.scrub import scrub_of
from hydra.bootstrap.model_keys import load_model_keys
from hydra.gladiators.brief import Brief
from hydra.model.errors import BadConfig
from hydra.model.values import encode
from tests import llm_servers as wire
from tests.adapters.llm.stage import KEYS, settings_of, stage
from tests.llm_servers import Call


def echoes(call: Call) -> None:
    """Quotes the whole request, headers and all, in its refusal."""
    request = call.server.requests[-1]
    call.send(
        401, f'{{"error": "bad key in {dict(request.headers)!r}"}}'.replace("'", " "), {"X-Echo": str(request.headers)}
    )


def says_the_key(call: Call) -> None:
    """Puts the key into a valid answer."""
    key = call.server.requests[-1].headers["authorization"].removeprefix("Bearer ")
    wire.votes(reasoning=f"the key is {key} and I keep it")(call)


def written(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() + str(path).encode() for path in folder.rglob("*") if path.is_file())


def test_no_key_is_in_anything_that_is_written_said_or_shown(
    tmp_path: Path, brief: Brief, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    scripts = {
        "deepseek": (echoes,),
        "claude": (says_the_key,),
        "grok": (wire.refuses(401, wire.KEY_401 % KEYS["GROK_API_KEY"]),),
        "gemini": (wire.drops,),
    }
    with stage(tmp_path, scripts) as on:
        panel = on.panel()
        votes = panel.ask(brief, 1)
        prompts = "".join(request.body for server in on.servers.values() for request in server.requests)
        inside = " ".join(repr(vars(seat.gladiator)) for seat in panel._seats)
        shown = " ".join(
            (repr(panel.seated), repr(panel.notes), repr(on.policy), inside, caplog.text, *capfd.readouterr())
        )
        for key in KEYS.values():
            assert key.encode() not in encode(votes)
            assert key.encode() not in written(tmp_path)
            assert key not in prompts
            assert key not in shown
    assert votes[1].reasoning == "the key is (key) and I keep it"


def test_each_vendor_gets_its_own_key_and_nobody_elses(
    tmp_path: Path, brief: Brief, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SDKs look for in the environment is there, too, and does not leave."""
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "stray-credential-0123456789")
    with stage(tmp_path) as on:
        on.panel().ask(brief, 2)
        for vendor, server in on.servers.items():
            headers = str(server.requests[0].headers)
            assert "stray" not in headers
            assert {name for name, key in KEYS.items() if key in headers} == {f"{vendor.upper()}_API_KEY"}


def test_a_server_of_ones_own_without_a_key_is_sent_none(tmp_path: Path, brief: Brief) -> None:
    with stage(tmp_path, grok={"key": ""}) as on:
        votes = on.panel({}).ask(brief, 2)
        headers = on.servers["grok"].requests[0].headers
        assert "authorization" not in headers
        assert [vote.engine for vote in votes] == ["empty", "empty", "openai:grok-4-1-fast-non-reasoning", "empty"]


def test_a_line_to_a_model_shows_no_key() -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    section = settings_of(dict.fromkeys(wire.VENDORS, "http://127.0.0.1:9")).seats.C
    client = Client(section, SecretStr(KEYS["GROK_API_KEY"]), scrub_of([]))
    assert repr(client) == "Client(openai:grok-4-1-fast-non-reasoning)"
    client.close()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key s3cret-value refused", "key (key) refused"),
        ("Incorrect API key provided: sk-ab***********cdef.", "Incorrect API key provided: (key)."),
        ("Authorization: Bearer abcdef123456", "Authorization: (key)"),
        ("AIzaSyA-0b1c2d3e4f5a6b", "(key)"),
        ("risk-free, task-oriented", "risk-free, task-oriented"),
    ],
)
def test_keys_are_taken_out_of_what_vendors_say(text: str, kept: str) -> None:
    assert scrub_of([SecretStr("s3cret-value"), SecretStr("abc")])(text) == kept


def test_keys_come_from_the_environment_and_beneath_it_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A_API_KEY=from-file-a\nexport B_API_KEY='from-file-b'\nHYDRA_SIM__SECRET=other\nC_API_KEY=\n")
    keys = load_model_keys(["A_API_KEY", "B_API_KEY", "C_API_KEY", "D_API_KEY", ""], {"A_API_KEY": "from-env-a"}, file)
    assert {name: key.get_secret_value() for name, key in keys.items()} == {
        "A_API_KEY": "from-env-a",
        "B_API_KEY": "from-file-b",
    }
    assert "from-env-a" not in repr(keys)


@pytest.mark.parametrize("value", ["with blank", "short", "new\nline-and-more", "x" * 513, "ünïcode-key"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(BadConfig) as refused:
        load_model_keys(["A_API_KEY"], {"A_API_KEY": value}, None)
    assert (
        str(refused.value) == f"A_API_KEY: {len(value)} characters; expected 6 to 512 ASCII characters without blanks"
    )
