"""Does the day's risk add up? The shares are worked out as a run deals them, and then added, with nothing taken on trust."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hydra.model.money import ONE, ZERO
from hydra.policy import Bucket, Policy
from hydra.qc.check import Finding
from hydra.risk.budgets import fraction_of

_ROUNDING = Decimal("1e-20")
"""Thirds do not add up to one to the last of 28 digits."""


def ask(policy: Policy) -> Finding:
    """Whether every enabled bot gets some of the day's risk within its clamp, and all of them together not more than there is."""
    if not policy.enabled_bots:
        return Finding(good=False, reason="no bot is enabled")
    shares = {bucket: fraction_of(bucket, policy.budgets, policy.peers) for bucket in policy.peers}
    wrong = tuple(_wrong(policy, shares))
    dealt = "; ".join(
        f"{bucket} {_percent(getattr(policy.budgets, bucket.value))} to {count} bot{'' if count == 1 else 's'}: {_percent(shares[bucket])} each"
        for bucket, count in policy.peers.items()
    )
    whole = _percent(_together(policy, shares))
    told = f"{dealt}; together {whole} of the day's risk, which is {_percent(policy.risk.daily_loss)} of the day's first equity"
    return Finding(good=not wrong, reason="; ".join((*wrong, told)))


def _wrong(policy: Policy, shares: dict[Bucket, Decimal]) -> Iterator[str]:
    budgets = policy.budgets
    parts = {bucket: getattr(budgets, bucket.value) for bucket in Bucket}
    if sum(parts.values(), ZERO) > ONE:
        named = ", ".join(f"{bucket} {_percent(part)}" for bucket, part in parts.items())
        yield f"{named} add up to {_percent(sum(parts.values(), ZERO))}, at most 100%"
    if _together(policy, shares) > ONE + _ROUNDING:
        yield f"the bots' shares add up to {_percent(_together(policy, shares))}, at most 100%"
    for bucket, share in shares.items():
        if share <= 0:
            yield f"bots are enabled in {bucket}, which has no share of the risk"
        elif share > budgets.bot_maximum:
            yield f"a bot in {bucket} gets {_percent(share)}, at most {_percent(budgets.bot_maximum)} (bot_maximum)"
    if not 0 < policy.risk.daily_loss <= ONE:
        yield f"the day's risk is {_percent(policy.risk.daily_loss)} of equity, expected above 0%, at most 100%"


def _together(policy: Policy, shares: dict[Bucket, Decimal]) -> Decimal:
    return sum((count * shares[bucket] for bucket, count in policy.peers.items()), ZERO)


def _percent(fraction: Decimal) -> str:
    return f"{(fraction * 100).quantize(Decimal('0.01')).normalize():f}%"
