"""CryptoBot: the momentum bot, held to what trading pairs around the clock asks for.

    entry       a limit order: the ask and ``entry.slippage`` bound what a coin may cost; wider than ``entry.spread`` there is no
                wish; what has not filled after ``entry.seconds`` the engine takes back
    size        dollars: ``by = "notional"`` or ``by = "volatility"``; the venue's increment and minimum come last, in the rule book
    protection  a stop-limit at the venue for what is held after the fee in coin, where the venue has no plain stops for pairs
    exit        at the market: what has to go must not wait for a price

A policy that does not say these things is refused, so that none of them is left to a default. Size by risk is one: it counts on
the stop filling at its price, and a stop-limit that the price has jumped over does not.
"""

from __future__ import annotations

from hydra.bots.momentum import SignalBot
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass, asset_class_of
from hydra.policy import BotPolicy, Bucket
from hydra.ports import Setting


def make(setting: Setting) -> SignalBot:
    """The crypto bot that a policy entry describes. Raises ``BadConfig`` naming the key that does not fit."""
    check(setting.policy)
    return SignalBot(setting)


def check(policy: BotPolicy) -> None:
    """What a crypto bot needs beyond any bot with a signal. Raises ``BadConfig`` naming the first key that does not fit."""
    strange = [symbol for symbol in policy.symbols if asset_class_of(symbol) is not AssetClass.CRYPTO]
    if strange:
        raise BadConfig(f"symbols: a crypto bot trades pairs such as BTC-USD, got {', '.join(strange)}")
    if policy.bucket is not Bucket.CRYPTO:
        raise BadConfig(f"bucket: a crypto bot draws on the bucket 'crypto', got {policy.bucket.value!r}")
    if policy.entry.type != "limit":
        raise BadConfig(
            f"entry: a crypto bot enters at a limit, got type {policy.entry.type!r}, which does not bound what a coin may cost; "
            'expected entry = { type = "limit", slippage = 0.001 }'
        )
    if policy.size.by == "risk":
        raise BadConfig(
            "size: a crypto bot is sized in dollars, got by = 'risk', which counts on the stop filling at its price; "
            'expected size = { by = "notional", amount = 5000 } or by = "volatility"'
        )
