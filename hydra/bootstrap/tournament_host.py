"""Where the tournament's bot is asked: a brief goes to every seat at once, and what they agree on becomes a wish.

Everything but the votes follows from the view, the memory and the policy, by pure functions that the run and its replay share:

    turn_of     which asset is on turn, its brief, or why nobody is asked
    wishes_of   what the consensus wants: BUY opens a long, SELL closes one, HOLD nothing

The votes are input. They are journaled (``voted``) before the bot answers, and are its memory: a process that ends in between finds
them there and, as long as the market has not moved on, decides on them without asking again. A pair cannot be sold short at the
simulated exchange, so SELL without a holding is nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from hydra import indicators
from hydra.bots.kit import free_to_enter, leave, touch
from hydra.gladiators.brief import Brief, brief_of
from hydra.gladiators.consensus import consensus
from hydra.guard import attempt
from hydra.model.errors import BadConfig
from hydra.model.events import Voted
from hydra.model.isolation import INLINE, Isolation
from hydra.model.market import Bar
from hydra.model.money import exact
from hydra.model.orders import Intent, Protection, Side, Size, SizeKind
from hydra.model.snapshot import Answer, View
from hydra.model.values import Value, decode, encode, replace
from hydra.model.votes import SEATS, TOURNAMENT, Choice, Consensus, Vote, Why
from hydra.policy import BotPolicy
from hydra.ports import Question

if TYPE_CHECKING:
    from hydra.gladiators.seat import Asker

BOT = TOURNAMENT
"""The name of the bot, which is that of its make too."""
_PATIENCE_SECONDS = 600.0
"""What reading recordings may take: time is not replayed."""
Change: TypeAlias = Callable[[Brief], Brief]


class Setting(Value, frozen=True, kw_only=True):
    """What an iteration goes by, as it stands in the policy under the bot's ``parameters``."""

    candles: int
    gap_candles: int
    stale_candles: int
    granularity: int
    atr_candles: int
    stop_atr: float
    target_atr: float
    stop_least: float
    hold_counts: bool
    needed: int
    horizon: int
    control: str = ""


class Turn(Value, frozen=True, kw_only=True):
    """The iteration to come: its number, its asset, and the brief, or why there is none. ``barred``: the engine's decision says why."""

    iteration: int
    asset: str
    brief: Brief | None = None
    skipped: str = ""
    barred: bool = False


def setting_of(policy: BotPolicy) -> Setting:
    """The setting in a bot's parameters. Raises ``BadConfig`` for a policy that is not a tournament's."""
    try:
        return msgspec.convert(policy.parameters, Setting)
    except msgspec.ValidationError as error:
        raise BadConfig(f"bots ({policy.id}).parameters: {error}") from None


def change_of(control: str) -> Change:
    """What a control does to every brief; nothing without one. Raises ``BadConfig`` for a name that is none."""
    if not control:
        return lambda brief: brief
    from hydra.gladiators import controls

    return controls.control(control)


def last_of(memory: Mapping[str, Any]) -> Voted | None:
    """The last iteration, as the bot remembers it."""
    return msgspec.convert(memory, Voted, strict=False) if memory else None


def next_of(symbols: Sequence[str], memory: Mapping[str, Any]) -> tuple[int, str]:
    """The number of the iteration to come, and the asset that is on turn: they rotate."""
    done: int = memory.get("iteration", 0)
    return done + 1, symbols[done % len(symbols)]


def turn_of(policy: BotPolicy, setting: Setting, view: View, memory: Mapping[str, Any]) -> Turn:
    """The iteration to come, by the view alone."""
    iteration, asset = next_of(policy.symbols, memory)
    bars = view.bars.get(asset, ())[-setting.candles :]
    skipped = _why_not(asset, bars, setting, view.at)
    if not view.may_enter.get(asset, False) and asset not in view.holdings:
        why = f"{asset}: nothing may be entered, and nothing is held"
        return Turn(iteration=iteration, asset=asset, skipped=why, barred=True)
    if skipped:
        return Turn(iteration=iteration, asset=asset, skipped=skipped)
    return Turn(iteration=iteration, asset=asset, brief=brief_of(asset, bars, setting.granularity, setting.horizon))


def _why_not(asset: str, bars: Sequence[Bar], setting: Setting, at: datetime) -> str:
    if len(bars) < setting.candles:
        return f"{asset}: {len(bars)} closed candles, {setting.candles} are needed"
    other = next((bar.seconds for bar in bars if bar.seconds != setting.granularity), None)
    if other is not None:
        return f"{asset}: a candle of {other} s among those of {setting.granularity} s"
    old = (at - bars[-1].closes_at).total_seconds()
    if old > setting.stale_candles * setting.granularity:
        return f"{asset}: stale: the last candle closed {old:.0f} s ago, at most {setting.stale_candles * setting.granularity}"
    for before, after in itertools.pairwise(bars):
        missing = round((after.at - before.closes_at).total_seconds() / setting.granularity)
        if missing > setting.gap_candles:
            return (
                f"{asset}: a gap: {missing} candles are missing after {before.at:%Y-%m-%dT%H:%MZ}, "
                f"at most {setting.gap_candles} in a row may be"
            )
    return ""


def agreed(votes: Sequence[Vote], setting: Setting) -> Consensus:
    """What the seats came to; challengers are not counted."""
    counted = [vote for vote in votes if vote.seat in SEATS]
    return consensus(counted, hold_counts=setting.hold_counts, needed=setting.needed)


def voted_of(turn: Turn, at: datetime, votes: Sequence[Vote], setting: Setting, shown: Brief) -> Voted:
    """The record of an iteration, as it will be read again. ``shown`` is the brief as it was shown, which a control may have changed."""
    assert turn.brief is not None
    voted = Voted(
        bot=BOT,
        iteration=turn.iteration,
        asset=turn.asset,
        at=at,
        closed=turn.brief.at,
        brief=shown.hash,
        regime=shown.regime.value,
        votes=tuple(sorted(votes, key=lambda vote: vote.seat)),
        consensus=agreed(votes, setting),
    )
    return decode(encode(voted), Voted)


def wishes_of(policy: BotPolicy, setting: Setting, view: View, voted: Voted) -> tuple[Intent, ...]:
    """What the consensus wants of the view; nothing where it wants what already is, or cannot be protected."""
    agreement, asset = voted.consensus, voted.asset
    if agreement is None:
        return ()
    thesis = f"iteration {voted.iteration}: {agreement.told}, confidence {agreement.confidence:.2f}"
    wish: Intent | None = None
    if agreement.choice is Choice.SELL:
        wish = leave(policy, view, asset, thesis)
    elif agreement.choice is Choice.BUY:
        wish = _enter(policy, setting, view, asset, thesis)
    return () if wish is None else (wish,)


def _enter(policy: BotPolicy, setting: Setting, view: View, asset: str, thesis: str) -> Intent | None:
    quote = view.quotes.get(asset)
    if quote is None or not free_to_enter(view, asset):
        return None
    if quote.ask - quote.bid > policy.entry.spread * quote.mid:
        return None
    price = touch(quote, Side.BUY)
    protection = protection_of(setting, view.bars.get(asset, ()), price)
    if protection is None:
        return None
    return Intent(
        bot=policy.id,
        symbol=asset,
        side=Side.BUY,
        size=Size(kind=SizeKind.RISK, amount=policy.size.amount),
        reference=price,
        protection=protection,
        thesis=thesis,
    )


def protection_of(setting: Setting, bars: Sequence[Bar], price: Decimal) -> Protection | None:
    """Stop and target by the average true range of the last candles; ``None`` where that is unknown, or leaves no stop above zero."""
    tail = bars[-setting.candles :]
    span = indicators.atr(tail, setting.atr_candles) if tail else None
    if not span:
        return None
    nearest = price * exact(setting.stop_least)
    risked = max(exact(span) * exact(setting.stop_atr), nearest)
    gained = risked * exact(setting.target_atr) / exact(setting.stop_atr)
    if risked >= price:
        return None
    return Protection(stop=price - risked, target=price + gained)


class TournamentHost:
    """The ``BotHost`` of the tournament: asks the seats, has what they said journaled, and answers for them.

    ``asker`` is whoever asks the seats and ``record`` what journals; both are set before the first cycle, once nobody else can be at it.
    ``watch`` is told of the turn before anybody is asked, ``heard`` of each vote as it comes in. ``voted``, ``skipped`` and ``again`` are of the cycle since ``forget``.
    """

    def __init__(
        self,
        policy: BotPolicy,
        *,
        deadline_seconds: float,
        watch: Callable[[Turn], None] = lambda _turn: None,
        heard: Callable[[Vote], None] = lambda _vote: None,
    ) -> None:
        self._policy, self._setting = policy, setting_of(policy)
        self._deadline_seconds, self._watch, self._heard = deadline_seconds, watch, heard
        self._change = change_of(self._setting.control)
        self.asker: Asker | None = None
        self.record: Callable[[Value], None] | None = None
        self.voted: Voted | None = None
        self.skipped = ""
        self.again = False

    @property
    def isolation(self) -> Isolation:
        """Nothing foreign runs here: gladiators are this program's own, and models answer over a wire."""
        return INLINE

    @property
    def assets(self) -> tuple[str, ...]:
        """What is voted on, in turn."""
        return self._policy.symbols

    def forget(self) -> None:
        """Begin a cycle: nothing was voted in it yet."""
        self.voted, self.skipped, self.again = None, "", False

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Hold an iteration for the question, which there is one of at most."""
        return tuple(self._ask(question) for question in questions)

    def close(self) -> None:
        """Whoever is asked is let go of by whoever brought him."""

    def _ask(self, question: Question) -> Answer:
        view, last = question.view, last_of(question.memory)
        if last is not None and last.at == view.at and last.votes:
            self.again = True  # the process before ended here: these votes are of this very look
        else:
            turn = turn_of(self._policy, self._setting, view, question.memory)
            if turn.brief is None:
                self.skipped = "" if turn.barred else turn.skipped
                return Answer(bot=question.bot)
            self._watch(turn)
            asker, record = self.asker, self.record
            assert asker is not None, "whoever asks the seats is there before the first cycle"
            assert record is not None, "so is the journal"
            shown = self._change(turn.brief)
            asked = attempt(question.bot, lambda: asker.ask(shown, self._deadline_seconds, self._heard))
            votes = asked.value
            if votes is None:
                self.skipped = f"{turn.asset}: nobody could be asked: {asked.failure and asked.failure.reason}"
                return Answer(bot=question.bot, failure=asked.failure)
            last = self.voted = voted_of(turn, view.at, votes, self._setting, shown)
            record(last)
        return Answer(bot=question.bot, intents=wishes_of(self._policy, self._setting, view, last))


class VotesAgain:
    """The ``BotHost`` of a replay: the recorded votes, and everything else worked out again.

    With ``asker`` the seats are asked again, of their recordings; what took time then is taken as it was.
    """

    def __init__(self, policy: BotPolicy, *, asker: Asker | None = None) -> None:
        self._policy, self._setting, self._asker = policy, setting_of(policy), asker
        self._change = change_of(self._setting.control)
        self._heard: Voted | None = None
        self.misses: list[Vote] = []

    @property
    def isolation(self) -> Isolation:
        """Nothing foreign runs here."""
        return INLINE

    def hear(self, recorded: Voted, questions: Sequence[Question]) -> Voted:
        """The record as it comes out again from the question and the recorded votes."""
        self._heard = recorded
        if not questions:
            return replace(recorded, skipped="nobody could be asked", votes=(), consensus=None)
        view = questions[0].view
        turn = turn_of(self._policy, self._setting, view, questions[0].memory)
        if turn.brief is None:
            return replace(recorded, skipped=turn.skipped, votes=(), consensus=None)
        shown = self._change(turn.brief)
        votes = recorded.votes if self._asker is None else self._again(shown, recorded.votes, self._asker)
        return voted_of(turn, view.at, votes, self._setting, shown)

    def _again(self, shown: Brief, recorded: Sequence[Vote], asker: Asker) -> tuple[Vote, ...]:
        """The votes of now, with the time they took then."""
        took = {vote.seat: vote.latency_ms for vote in recorded}
        votes = asker.ask(shown, _PATIENCE_SECONDS)
        self.misses += [vote for vote in votes if vote.why is Why.MISS]
        return tuple(replace(vote, latency_ms=took.get(vote.seat, vote.latency_ms)) for vote in votes)

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """The answers that follow from what was heard, or, in a cycle that begins where one broke off, from what is remembered."""
        return tuple(self._ask(question) for question in questions)

    def close(self) -> None:
        """Let go of whoever is asked."""
        if self._asker is not None:
            self._asker.close()

    def _ask(self, question: Question) -> Answer:
        heard, self._heard = self._heard, None
        voted = heard if heard is not None and heard.at == question.view.at else last_of(question.memory)
        if voted is None or voted.at != question.view.at or not voted.votes:
            return Answer(bot=question.bot)
        return Answer(bot=question.bot, intents=wishes_of(self._policy, self._setting, question.view, voted))
