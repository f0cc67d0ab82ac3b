"""One look at a chain: which contracts pass the rules, what they are worth, what can be built of them, and if nothing, why.

Expiries are looked at from the nearest on, and the first of which a structure can be built is taken, so nothing further away is
priced. At most ``PRICED_MOST`` contracts of an expiry are priced, those nearest to the money: that bounds the time of a look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from hydra.bots.options.contracts import Contract, Look, objection, terms_of
from hydra.bots.options.pricing import Setting, delta_of, years_left
from hydra.bots.options.structures import RIGHTS, Priced, Proposal, Refusal, build
from hydra.model.market import OptionQuote
from hydra.policy import OptionsPolicy

PRICED_MOST = 400
_REASONS_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look came to. ``out`` counts the contracts that each rule refused, ``reasons`` says why, nearest expiry first."""

    proposal: Proposal | None
    rule: str
    reasons: tuple[str, ...]
    contracts: int
    out: Mapping[str, int]


def search(chain: Iterable[OptionQuote], look: Look, options: OptionsPolicy) -> Finding:
    """The structure that can be built now, or what stands in its way."""
    kept, out, examples = _sift(chain, look)
    refusals: list[Refusal] = []
    for expiry in sorted(kept):
        priced = _priced(kept[expiry], look, options, out, examples)
        built = build(priced, look.policy)
        if isinstance(built, Proposal):
            return _finding(built, [], out, examples, kept)
        refusals.append(Refusal(rule=built.rule, reason=f"{expiry}: {built.reason}"))
    return _finding(None, refusals, out, examples, kept)


def _sift(
    chain: Iterable[OptionQuote], look: Look
) -> tuple[dict[date, list[Contract]], dict[str, int], dict[str, str]]:
    """Contracts that pass the rules, by expiry; how many each rule refused; and the first reason of each."""
    kept: dict[date, list[Contract]] = {}
    out: dict[str, int] = {}
    examples: dict[str, str] = {}
    rights = RIGHTS[look.policy.structure]
    for quote in chain:
        terms = terms_of(quote.symbol)
        if terms.right not in rights:
            continue
        contract = Contract(terms=terms, quote=quote, days=(terms.expiry - look.day).days)
        found = objection(contract, look)
        if found is None:
            kept.setdefault(terms.expiry, []).append(contract)
        else:
            _count(out, examples, *found)
    return kept, out, examples


def _priced(
    contracts: list[Contract], look: Look, options: OptionsPolicy, out: dict[str, int], examples: dict[str, str]
) -> list[Priced]:
    """Those with a delta. The rest counts as ``priced``, or as ``bound`` when there were too many."""
    nearest = sorted(contracts, key=lambda each: (abs(each.terms.strike - look.spot), each.symbol))
    setting = Setting(
        spot=float(look.spot),
        years=years_left(contracts[0].terms.expiry, look.at),
        rate=float(options.rate),
        dividend_yield=float(options.dividend_yield),
    )
    found: list[Priced] = []
    for contract in nearest[:PRICED_MOST]:
        delta = delta_of(contract.terms, contract.quote, setting)
        if delta is None:
            _count(out, examples, "priced", f"{contract.symbol} has no delta, and its price implies none")
        else:
            found.append(Priced(contract=contract, delta=delta))
    for contract in nearest[PRICED_MOST:]:
        _count(out, examples, "bound", f"{contract.symbol} is not among the {PRICED_MOST} nearest to the money")
    return found


def _count(out: dict[str, int], examples: dict[str, str], rule: str, reason: str) -> None:
    out[rule] = out.get(rule, 0) + 1
    examples.setdefault(rule, reason)


def _finding(
    proposal: Proposal | None,
    refusals: list[Refusal],
    out: dict[str, int],
    examples: dict[str, str],
    kept: Mapping[date, list[Contract]],
) -> Finding:
    contracts = sum(out.get(name, 0) for name in out if name not in _OF_KEPT) + sum(map(len, kept.values()))
    if proposal is None and not refusals:
        telling = {name: n for name, n in out.items() if name not in _OTHERS} or out
        rule = max(sorted(telling), key=lambda name: telling[name], default="chain")
        refusals = [Refusal(rule=rule, reason=examples.get(rule, NO_CONTRACT))]
    return Finding(
        proposal=proposal,
        rule="" if proposal is not None else refusals[0].rule,
        reasons=tuple(refusal.reason for refusal in refusals[:_REASONS_MOST]),
        contracts=contracts,
        out=out,
    )


NO_CONTRACT = "no contract of it is known"
"""Of a chain without contracts."""
_OTHERS = frozenset({"root", "expired", "days"})
"""A chain always has such: they tell why nothing was built only when it has nothing else."""
_OF_KEPT = frozenset({"priced", "bound"})
"""These were counted among the contracts that passed."""
