"""The venue: who answers there, whether he answers, and what of the account."""

from __future__ import annotations

import json

from tests.drill.defects.defect import BARRED, REFUSED, Act, Defect
from tests.drill.defects.stage import Stage
from tests.drill.defects.strange_venue import PLAN

UNREACHED = frozenset({3, 4})


def told(stage: Stage, **plan: object) -> None:
    """Have the strange venue tell it otherwise."""
    stage.write(stage.folder / PLAN, json.dumps(plan))


def believed(stage: Stage) -> None:
    """What was told in the meantime has latched a halt, as a loss of all there is would have."""
    stage.restore()
    if stage.hydra("status", "--json").document["halts"]:
        stage.command("resume", "--reason", "the venue was wrong", "--force")


def account(name: str, planted: str, reason: str, check: str = "account", **plan: object) -> Defect:
    """A venue that tells something else of the account."""
    return Defect(
        name=name,
        planted=planted,
        plant=lambda stage: told(stage, **plan),
        check=check,
        reason=reason,
        mended="the venue tells what is so; where a run has met it, `hydra resume`",
        mend=believed,
        base="foreign",
        run=BARRED,
    )


def faulty(name: str, planted: str, check: str, reason: str, plant: Act, run: frozenset[int] = BARRED) -> Defect:
    """A venue that fails as its fault file says."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended="the venue is well again",
        run=run,
    )


def fault(name: str, check: str, reason: str, fault: str, on: str = "", **keys: object) -> Defect:
    """The same, with one rule of a fault file."""
    numbers = "".join(f", {key} {value}" for key, value in keys.items())
    planted = f"fault `{fault}`" + (f" on `{on}`" if on else "") + numbers
    return faulty(name, planted, check, reason, lambda stage: stage.fault(fault, on, **keys))


def over_http(name: str, check: str, reason: str, *rules: dict[str, object], planted: str) -> Defect:
    """A server that fails, over the wire."""

    def plant(stage: Stage) -> None:
        assert stage.client is not None
        client = stage.client
        for rule in rules:
            assert client.post("/sim/faults", json=rule).status_code == 200
        stage.undo.append(lambda: client.delete("/sim/faults"))

    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended="the server is well again",
        base="served",
        run=REFUSED | {0},
    )


def wrong_secret(stage: Stage) -> None:
    stage.place.env["HYDRA_ALPACA__SECRET"] = "not-the-secret"
    stage.undo.append(lambda: stage.place.env.update({"HYDRA_ALPACA__SECRET": "secret"}))


def nobody_there(stage: Stage) -> None:
    """A port of this machine at which nobody listens."""
    url = stage.place.env["HYDRA_ALPACA__URL"]
    stage.place.env["HYDRA_ALPACA__URL"] = "http://127.0.0.1:9"
    stage.undo.append(lambda: stage.place.env.update({"HYDRA_ALPACA__URL": url}))


def served(name: str, planted: str, check: str, reason: str, plant: Act, mended: str) -> Defect:
    """A row on an account at a server."""
    return Defect(
        name=name, planted=planted, plant=plant, check=check, reason=reason, mended=mended, base="served", run=REFUSED
    )


def books_gone(stage: Stage) -> None:
    for path in stage.place.state.glob("exchange.db*"):
        stage.keep(path).unlink()


def books_damaged(stage: Stage) -> None:
    books_gone(stage)
    stage.write(stage.place.state / "exchange.db", b"garbage " * 2000)


ACCOUNT = (
    fault("a blocked account", "account", r"is blocked for trading", "account_blocked", "account"),
    fault(
        "an account that is not active",
        "account",
        r"has status INACTIVE, expected ACTIVE",
        "account_inactive",
        "account",
    ),
    account(
        "a closed account",
        "status ACCOUNT_CLOSED",
        r"has status ACCOUNT_CLOSED, expected ACTIVE",
        account={"status": "ACCOUNT_CLOSED"},
    ),
    account(
        "equity that is no number", "equity NaN", r"account\.equity must be finite, got NaN", account={"equity": "NaN"}
    ),
    account(
        "equity without end",
        "equity Infinity",
        r"account\.equity must be finite, got Infinity",
        account={"equity": "Infinity"},
    ),
    account("negative equity", "equity -5", r"equity -5\b.*", account={"equity": "-5"}),
    account("no equity", "equity 0", r"equity 0\b", account={"equity": "0"}),
    account(
        "an answer for another account",
        "asked for one account, the venue answers for OTHER-1",
        r"answered for OTHER-1",
        account={"account_id": "OTHER-1"},
    ),
    account(
        "the wrong account",
        "the venue has account OTHER-1 where the ledger is another's",
        r"OTHER-1",
        account={"account_id": "OTHER-1"},
        identity={"account_id": "OTHER-1"},
    ),
    account(
        "real money behind a paper configuration",
        "the venue says that it is live",
        r"the configuration says paper, .* is live",
        "mode",
        identity={"mode": "live"},
    ),
    fault(
        "an account blocked between two looks",
        "account_valid",
        r"is blocked for trading",
        "account_blocked",
        "account",
        nth=3,
    ),
    account(
        "a gate of another package",
        "a gate `moon` that another distribution brings is shut",
        r"the moon is full",
        "moon",
        moon="full",
    ),
    account("an account that is nonsense", "the answer is nothing", r"NoneType|nothing|None", none="account"),
    account(
        "an account that is not told", "the question is not answered", r"no answer from the venue", silent="account"
    ),
)
VENUE = (
    faulty("books of the exchange that are gone", "`state/exchange.db` is deleted", "recover", r"fills", books_gone),
    faulty(
        "books of the exchange that are damaged",
        "`state/exchange.db` is 16000 bytes of text",
        "address",
        r"exchange\.db cannot be read: file is not a database",
        books_damaged,
    ),
    fault("a venue that is mute", "account", r"no answer in time", "timeout_before", "*"),
    fault("a venue with errors of its own", "recover", r"positions: .*500", "500", "positions"),
    fault("a venue that answers with a page", "recover", r"no JSON", "html_200", "positions"),
    fault("a venue that answers with nothing", "recover", r"the answer is empty", "empty_body", "orders"),
    fault("a venue that speaks in new words", "recover", r"unheard_of", "unknown_enum", "fills"),
    fault("a venue that counts requests", "recover", r"429", "429", "activities"),
    fault("a venue that hangs up", "recover", r"closed without an answer", "drop_before", "positions"),
    fault(
        "a venue that stops answering in between", "broker_reachable", r"positions: .*500", "500", "positions", nth=2
    ),
    fault(
        "a venue two minutes ahead", "clock_skew", r"120\.\d+ s from the venue's, limit 2 s", "clock_off", seconds=120
    ),
    fault(
        "a venue two minutes behind", "clock_skew", r"120\.\d+ s from the venue's, limit 2 s", "clock_off", seconds=-120
    ),
    fault(
        "a venue whose clock is not told", "broker_reachable", r"venue_clock: .*no answer", "timeout_before", "clock"
    ),
    served(
        "a server that is not there",
        "the address is a port at which nobody listens",
        "address",
        r"127\.0\.0\.1:9",
        nobody_there,
        "the address as it was",
    ),
    served(
        "a wrong secret", "`HYDRA_ALPACA__SECRET` is another", "address", r"401", wrong_secret, "the secret as it was"
    ),
    over_http(
        "a server that is too slow",
        "account",
        r"[Tt]imeout|no answer within \d+ s",
        {"fault": "slow", "on": "account", "ms": 8000},
        planted="`GET /v2/account` takes 8 s; 5 are allowed",
    ),
    over_http(
        "a server with a gateway's page",
        "recover",
        r"504|JSON",
        {"fault": "504_after", "on": "positions"},
        planted="`GET /v2/positions` is answered with status 504 and a page",
    ),
    over_http(
        "a server whose account is blocked",
        "account",
        r"is blocked for trading",
        {"fault": "account_blocked", "on": "account"},
        planted="the account says over HTTP that it is blocked",
    ),
    over_http(
        "a server whose numbers are none",
        "account",
        r"finite|NaN",
        {"fault": "nan", "on": "account"},
        planted="every number of `GET /v2/account` is NaN",
    ),
)
