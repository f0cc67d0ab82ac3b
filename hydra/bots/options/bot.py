"""OptionsBot: when it holds nothing on an underlying, it builds the structure its policy describes, if the chain has it.

It holds one structure on an underlying at a time, asks at most once a minute, and not while an entry of its own is under way.
When the structure is closed is the engine's business (``hydra.risk.option_exits``). It asks at the prices that are quoted, so
``entry.type``, ``entry.slippage`` and ``entry.spread`` mean nothing to it; ``entry.seconds`` is when the engine takes an
unfilled order back. Why it asked for nothing is in its memory (``hydra.bots.options.notes``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hydra.bots.options import pricing
from hydra.bots.options.contracts import Look, terms_of
from hydra.bots.options.notes import looked, minute_of_note, note_of, wished
from hydra.bots.options.search import NO_CONTRACT, Finding, search
from hydra.bots.options.structures import Proposal
from hydra.model.errors import BadConfig
from hydra.model.orders import Intent, OrderType, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.policy import BotPolicy, Bucket, OptionPolicy, OptionsPolicy, StructureName
from hydra.ports import Setting

_SIZES = {"risk": SizeKind.RISK, "notional": SizeKind.NOTIONAL, "quantity": SizeKind.QUANTITY}


class OptionsBot:
    """One structure on each of any number of underlyings. Made by ``make``."""

    def __init__(self, policy: BotPolicy, option: OptionPolicy, options: OptionsPolicy) -> None:
        self._policy = policy
        self._option = option
        self._options = options
        self._size = Size(kind=_SIZES[policy.size.by], amount=policy.size.amount)

    def __call__(self, view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        """The wishes for this view, and the memory after it."""
        intents: list[Intent] = []
        notes: dict[str, Any] = {}
        held = {terms_of(symbol).root for symbol in view.holdings}
        for underlying in view.symbols:
            old = note_of(memory, underlying)
            if view.day is None or not self._free(underlying, view, held, old):
                continue
            finding = self._look(underlying, view, view.day)
            if finding.proposal is None:
                note = looked(old, view.at, finding)
            else:
                intents.append(self._wish(underlying, finding.proposal))
                note = wished(view.at, finding)
            if note is not old:
                notes[underlying] = note
        return intents, {**memory, **notes} if notes else memory

    def has_said(self, underlying: str, memory: Mapping[str, Any]) -> bool:
        """Whether it has noted that an underlying has no contract: for as long as there is none, it wishes and notes nothing more."""
        note = note_of(memory, underlying)
        return note.get("why") == [NO_CONTRACT] and not note.get("contracts") and not note.get("out")

    def _free(self, underlying: str, view: View, held: set[str], old: Mapping[str, Any]) -> bool:
        """May a structure be entered, as far as the bot is concerned?"""
        if not view.may_enter.get(underlying, False) or underlying in view.ordered or _root(underlying) in held:
            return False
        return bool(old.get("asked") != minute_of_note(view.at))

    def _look(self, underlying: str, view: View, day: date) -> Finding:
        quote, chain = view.quotes.get(underlying), view.chains.get(underlying)
        if quote is None or chain is None:
            missing = "quote" if quote is None else "chain"
            return Finding(
                proposal=None, rule=missing, reasons=(f"no {missing} of {underlying} is known",), contracts=0, out={}
            )
        look = Look(
            at=view.at,
            day=day,
            root=_root(underlying),
            spot=quote.mid,
            policy=self._option,
            stale=self._options.stale_after,
        )
        return search(chain, look, self._options)

    def _wish(self, underlying: str, proposal: Proposal) -> Intent:
        price = abs(proposal.paid)
        return Intent(
            bot=self._policy.id,
            symbol=underlying,
            side=Side.BUY if proposal.paid > 0 else Side.SELL,
            size=self._size,
            reference=price,
            order_type=OrderType.LIMIT,
            limit=price,
            legs=proposal.legs,
            thesis=str(proposal),
        )


def make(setting: Setting) -> OptionsBot:
    """The bot that a policy entry describes. Raises ``BadConfig`` naming the keys that do not fit."""
    policy = setting.policy
    if policy.option is None:
        raise BadConfig("option: an options bot needs it: the structure, and the rules for its contracts")
    wrong = [*_misfits(policy), *_absurdities(policy.option)]
    if wrong:
        raise BadConfig("; ".join(wrong))
    pricing.load()
    return OptionsBot(policy, policy.option, setting.options)


def _root(underlying: str) -> str:
    """The root of an equity's contracts: its symbol without a dot. Adjusted contracts have another."""
    return underlying.replace(".", "")


def _misfits(policy: BotPolicy) -> Iterator[str]:
    """What a bot can be told, and this one cannot do."""
    if policy.bucket is not Bucket.OPTIONS:
        yield f"bucket: an options bot draws on options, got {policy.bucket}"
    if policy.size.by not in _SIZES:
        yield f"size.by: an options bot sizes by {' or '.join(_SIZES)}, got {policy.size.by}"
    if policy.shorts:
        yield "shorts: means nothing for an options bot, whose structures bound their loss"
    if policy.parameters:
        yield f"parameters: an options bot takes none, got {', '.join(sorted(policy.parameters))}"


def _absurdities(option: OptionPolicy) -> Iterator[str]:
    """What could never happen."""
    straddle = option.structure is StructureName.LONG_STRADDLE
    if straddle and option.credit_least > 0:
        yield f"option.credit_least: a {option.structure} is paid for, it brings no credit"
    if straddle and option.delta_band >= Decimal("0.5"):
        yield f"option.delta_band: {option.delta_band} from 0.5 admits every contract; expected below 0.5"
    if not straddle and option.profit_share is not None and option.profit_share >= 1:
        yield f"option.profit_share: {option.profit_share} of a credit is never left to take; expected below 1"
    if not straddle and option.delta_band >= option.delta:
        yield f"option.delta_band: {option.delta_band} around {option.delta} admits contracts worth nothing; expected below"
