"""One request to one model, through pydantic-ai, with what went over the wire kept.

The extra ``llm`` is imported here, on first use, and nowhere else. A *tape* stands between the SDK and the network: it lets through the
headers that are needed and no others, follows no redirection, reads at most so much of an answer, and remembers request, status and
body. The SDKs' own retries are 0: whether to try again is decided by whoever knows the deadline.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import SecretStr

from hydra.adapters.llm.exchange import Attempt
from hydra.adapters.llm.failures import seconds_of
from hydra.adapters.llm.scrub import Scrub
from hydra.guard import attempt
from hydra.model.errors import BadConfig
from hydra.model.votes import Why
from hydra.policy.tournament import SeatSection

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

BODY_BYTES_MAX = 1 << 20
KEPT_CHARACTERS_MAX = 100_000
"""How much of an answer's body is kept."""
_SENT_HEADERS = frozenset(
    (
        "host",
        "connection",
        "accept",
        "content-type",
        "content-length",
        "user-agent",
        "authorization",
        "x-api-key",
        "anthropic-version",
    )
)
_CREDENTIALS = {"authorization": "Bearer {}", "x-api-key": "{}"}
_SAMPLES = {
    "openai": '{"id":"","object":"chat.completion","created":0,"model":"","choices":[{"index":0,"finish_reason":"stop",'
    '"message":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}',
    "anthropic": '{"id":"","type":"message","role":"assistant","model":"","content":[{"type":"text","text":""}],'
    '"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
}
"""An empty answer in each wire's form, to warm up with."""
_TIMEOUTS = ("TimeoutError", "ModelTimeoutError", "ModelRequestTimeout")
_TALKATIVE = ("anthropic", "httpcore2", "httpx2", "openai")
"""Libraries that log headers or bodies when somebody turns logging up; what they could say is in the recordings, without the keys."""
EXTRA = "models need the extra `llm`: pip install 'trading-hydra[llm]'"


class TooLarge(Exception):
    """An answer longer than anything a vote needs."""


class _Heard(NamedTuple):
    text: str | None
    finish: str
    tokens: tuple[int, int] | None


def require_extra() -> None:
    """Import what models need, which takes a second or two. Raises ``BadConfig`` naming the extra when it is not installed."""
    try:
        import anthropic
        import httpx2
        import openai
        import pydantic_ai.direct
        import pydantic_ai.models.anthropic
        import pydantic_ai.models.openai  # noqa: F401  # only whether they are there
    except ImportError as error:
        raise BadConfig(f"{EXTRA} ({error.name or error} is missing)") from None
    del anthropic, httpx2, openai
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class Client:
    """A seat's line to its model. Used by one thread at a time; ``repr`` shows no key."""

    def __init__(self, seat: SeatSection, key: SecretStr | None, scrub: Scrub) -> None:
        require_extra()
        self._seat = seat
        self._scrub = scrub
        self._tape = _Tape(key)
        self._loop = asyncio.new_event_loop()
        self._model = _model_of(seat, self._tape)
        self._warm_up()

    def __repr__(self) -> str:
        return f"Client({self._seat.wire}:{self._seat.model})"

    def ask(self, system: str, question: str, seconds: float) -> tuple[Attempt, tuple[int, int] | None]:
        """One request, ended after ``seconds``; with it the tokens (in, out) the vendor says it used.

        None when nobody says; none at all when there was no connection to send anything over.
        """
        self._tape.clear()
        began = time.monotonic()
        outcome = attempt("asking", lambda: self._loop.run_until_complete(self._ask(system, question, seconds)))
        latency_ms = int((time.monotonic() - began) * 1000)
        tape, heard = self._tape, outcome.value
        problem, because = Why.NONE, ""
        if outcome.failure is not None and not (tape.status is not None and tape.status != 200 and tape.whole):
            problem, because = self._problem(outcome.failure.kind, outcome.failure.reason, seconds)
        tokens = heard.tokens if heard else (0, 0) if tape.never_left else None
        return Attempt(
            request=self._scrub(tape.request),
            status=tape.status,
            body=self._scrub(tape.body)[:KEPT_CHARACTERS_MAX],
            text=None
            if heard is None or heard.text is None
            else self._scrub(_sayable(heard.text))[:KEPT_CHARACTERS_MAX],
            finish=_sayable(heard.finish)[:40] if heard else "",
            problem=problem,
            because=self._scrub(because),
            retry_after=tape.retry_after,
            latency_ms=latency_ms,
            tokens_in=tokens[0] if tokens else 0,
            tokens_out=tokens[1] if tokens else 0,
        ), tokens

    def close(self) -> None:
        """Drop every connection."""
        if not self._loop.is_closed():
            attempt("closing", lambda: self._loop.run_until_complete(self._tape.aclose()))
            self._loop.close()

    def _warm_up(self) -> None:
        """The SDKs build what they parse with at their first answer, most of a second: here, so that no deadline pays for it.

        Nothing is sent. The tape answers itself, once, and forgets it.
        """
        self._tape.rehearsal = _SAMPLES[self._seat.wire]
        self.ask("", "", 60)
        self._tape.rehearsal = ""

    async def _ask(self, system: str, question: str, seconds: float) -> _Heard:
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart
        from pydantic_ai.settings import ModelSettings

        settings = ModelSettings(max_tokens=self._seat.max_output_tokens, timeout=seconds)
        if self._seat.temperature is not None:
            settings["temperature"] = float(self._seat.temperature)
        if self._seat.thinking is not None:
            settings["thinking"] = self._seat.thinking
        request = ModelRequest(parts=[SystemPromptPart(content=system), UserPromptPart(content=question)])
        response = await asyncio.wait_for(model_request(self._model, [request], model_settings=settings), seconds)
        finish = str((response.provider_details or {}).get("finish_reason") or response.finish_reason or "")
        refusal = _refusal_in(self._tape.body)
        return _Heard(refusal or response.text or "", "refusal" if refusal else finish, _tokens_in(self._tape.body))

    def _problem(self, kind: str, reason: str, seconds: float) -> tuple[Why, str]:
        if kind in _TIMEOUTS:
            return Why.TIMEOUT, f"no whole answer in {seconds:.2f} s"
        if self._tape.too_large:
            return Why.ERROR, f"an answer of more than {BODY_BYTES_MAX} bytes"
        if self._tape.status is None or not self._tape.whole:
            return Why.UNREACHABLE, f"{kind}: {reason}"
        return Why.PARSE, f"HTTP {self._tape.status}, and not in the vendor's form: {kind}: {reason}"


class _Tape:
    """What went over the wire in one request."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = key
        self._transport: httpx2.AsyncBaseTransport | None = None
        self.rehearsal = ""
        """What to answer with instead of asking anybody."""
        self.clear()

    @property
    def secret(self) -> str:
        """What an SDK is told the key is; it insists on one."""
        return self._key.get_secret_value() if self._key is not None else "none"

    def clear(self) -> None:
        self.request = ""
        self.status: int | None = None
        self.body = ""
        self.retry_after: float | None = None
        self.whole = False
        self.too_large = False
        self.never_left = False

    def client(self) -> httpx2.AsyncClient:
        """The HTTP client that the SDK is given."""
        import httpx2

        tape = self

        class Taped(httpx2.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                if tape.rehearsal:
                    tape.status, tape.body, tape.whole = 200, tape.rehearsal, True
                    json_header = {"content-type": "application/json"}
                    return httpx2.Response(200, headers=json_header, content=tape.rehearsal.encode(), request=request)
                request.headers = httpx2.Headers([*tape.sent(request.headers.items()), ("accept-encoding", "identity")])
                tape.request = (await request.aread()).decode("utf-8", "replace")
                try:
                    response = await super().handle_async_request(request)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    tape.never_left = True
                    raise
                return await tape.read(response, request)

        self._transport = Taped(verify=_trusted())
        return httpx2.AsyncClient(transport=self._transport, follow_redirects=False, trust_env=False)

    def sent(self, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The headers that may leave: a credential is this seat's own, whatever an SDK found in the environment, or there is none."""
        for name, value in headers:
            if name.lower() not in _SENT_HEADERS:
                continue
            if name.lower() not in _CREDENTIALS:
                yield name, value
            elif self._key is not None:
                yield name, _CREDENTIALS[name.lower()].format(self._key.get_secret_value())

    async def read(self, response: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
        """The response, read whole and remembered."""
        import httpx2

        self.status = response.status_code
        self.retry_after = seconds_of(response.headers.get("retry-after"))
        pieces: list[bytes] = []
        size = 0
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        try:
            async for piece in response.stream:
                size += len(piece)
                if size > BODY_BYTES_MAX:
                    self.too_large = True
                    raise TooLarge(f"more than {BODY_BYTES_MAX} bytes")
                pieces.append(piece)
        finally:
            self.body = b"".join(pieces).decode("utf-8", "replace")
            await response.aclose()
        self.whole = True
        kept = [
            (name, value)
            for name, value in response.headers.items()
            if name.lower() not in ("content-length", "transfer-encoding")
        ]
        return httpx2.Response(response.status_code, headers=kept, content=b"".join(pieces), request=request)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


@cache
def _trusted() -> ssl.SSLContext:
    """Whom TLS trusts, read once for all seats: it takes a tenth of a second."""
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _model_of(seat: SeatSection, tape: _Tape) -> Model:
    assert seat.base_url is not None
    return (_anthropic if seat.wire == "anthropic" else _openai)(seat, tape)


def _openai(seat: SeatSection, tape: _Tape) -> Model:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.deepseek import DeepSeekProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    client = AsyncOpenAI(base_url=seat.base_url, api_key=tape.secret, max_retries=0, http_client=tape.client())
    if seat.model.startswith("deepseek"):
        return OpenAIChatModel(seat.model, provider=DeepSeekProvider(openai_client=client))
    # `max_tokens` is what every compatible endpoint understands; `max_completion_tokens` is OpenAI's own.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    return OpenAIChatModel(
        seat.model, provider=OpenAICompatibleProvider("endpoint", openai_client=client, profile=profile)
    )


def _anthropic(seat: SeatSection, tape: _Tape) -> Model:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=seat.base_url, api_key=tape.secret, max_retries=0, http_client=tape.client())
    return AnthropicModel(seat.model, provider=AnthropicProvider(anthropic_client=client))


def _sayable(text: str) -> str:
    """Text as UTF-8 can hold it: JSON may spell half a character, and nothing could be recorded with it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _document(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _tokens_in(body: str) -> tuple[int, int] | None:
    """The tokens (in, out) a vendor says it used, in whichever of the two spellings; thinking it did not list is in the total."""
    usage = _document(body).get("usage")
    if not isinstance(usage, dict):
        return None
    read = _whole(usage, "prompt_tokens", "input_tokens")
    written = _whole(usage, "completion_tokens", "output_tokens")
    if not read or written is None:
        return None  # nothing was sent, says who was sent something: then nothing is known
    cached = sum(_whole(usage, name) or 0 for name in ("cache_creation_input_tokens", "cache_read_input_tokens"))
    total = _whole(usage, "total_tokens") or 0
    return read + cached, max(written, total - read)


def _whole(table: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = table.get(name)
        if type(value) is int and 0 <= value < 10**9:
            return value
    return None


def _refusal_in(body: str) -> str | None:
    """What an OpenAI-style endpoint answers in the place of content when the model would not."""
    choices = _document(body).get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    message = choices[0].get("message")
    refusal = message.get("refusal") if isinstance(message, dict) else None
    return refusal if isinstance(refusal, str) and refusal.strip() else None
