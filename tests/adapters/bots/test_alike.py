"""What a bot says is the same said by either host, to the byte: whatever it remembers, wishes or fails with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.bots.processes import ProcessBotHost
from hydra.model.snapshot import Answer
from hydra.model.values import encode
from tests.adapters.bots.hosts import host_of
from tests.adapters.bots.parrot import STRANGE, parrot
from tests.contracts.bot_host_contract import question

PATIENT_MS = 20_000
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def process() -> Iterator[ProcessBotHost]:
    """A host with the parrot in a process."""
    host = host_of({"parrot": parrot}, deadline_ms=PATIENT_MS)
    yield host
    host.close()


def inline_says(memory: dict[str, object]) -> Answer:
    (answer,) = InlineBotHost({"parrot": parrot}, PATIENT_MS).ask([question("parrot", memory)])
    return answer


@settings(derandomize=True, max_examples=150, deadline=None)
@given(value=values)
def test_whatever_it_remembers(process: ProcessBotHost, value: object) -> None:
    memory = {"said": value}
    again = {"said": value, "more": 1}
    for asked in (memory, again):
        (answer,) = process.ask([question("parrot", asked)])
        assert answer.failure is None
        assert encode(answer) == encode(inline_says(asked))


@pytest.mark.parametrize("strange", STRANGE)
def test_however_strange(process: ProcessBotHost, strange: str) -> None:
    (answer,) = process.ask([question("parrot", {"strange": strange})])
    assert encode(answer) == encode(inline_says({"strange": strange}))
