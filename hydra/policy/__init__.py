"""The policy: everything a person may decide about Hydra, as plain frozen models with their ranges.

Reading files and the environment is the composition root's work; this package only says what is valid. Money and fractions
are ``Decimal``. Fractions are fractions: 0.02 is two percent. Times of day are the exchange's own (New York for equities).

    fields    the types of the values, and the base of the sections
    sections  the venue, the market, the loop, its health, the journal and the store
    risk      the rule book's numbers and the budgets
    bots      a bot and what belongs to it
    whole     the policy itself

Everybody imports from here; which module a name stands in is this package's own affair.
"""

from hydra.policy.bots import (
    BotBudgetPolicy,
    BotPolicy,
    Bucket,
    EntryPolicy,
    OptionPolicy,
    SessionPolicy,
    SizePolicy,
    StructureName,
    TrailingPolicy,
)
from hydra.policy.fields import (
    Amount,
    Fraction,
    Identifier,
    PlugName,
    Section,
    Speed,
    StoreUrl,
    Symbol,
    TimeOfDay,
    minute_of,
)
from hydra.policy.risk import Blackout, BudgetPolicy, RiskPolicy
from hydra.policy.sections import (
    DAY_SECONDS,
    AlpacaPolicy,
    BrokerPolicy,
    CertificatePolicy,
    EnginePolicy,
    HealthPolicy,
    IsolationPolicy,
    JournalPolicy,
    MarketPolicy,
    OptionsPolicy,
    QcPolicy,
    StorePolicy,
)
from hydra.policy.whole import Policy

__all__ = [
    "DAY_SECONDS",
    "AlpacaPolicy",
    "Amount",
    "Blackout",
    "BotBudgetPolicy",
    "BotPolicy",
    "BrokerPolicy",
    "Bucket",
    "BudgetPolicy",
    "CertificatePolicy",
    "EnginePolicy",
    "EntryPolicy",
    "Fraction",
    "HealthPolicy",
    "Identifier",
    "IsolationPolicy",
    "JournalPolicy",
    "MarketPolicy",
    "OptionPolicy",
    "OptionsPolicy",
    "PlugName",
    "Policy",
    "QcPolicy",
    "RiskPolicy",
    "Section",
    "SessionPolicy",
    "SizePolicy",
    "Speed",
    "StorePolicy",
    "StoreUrl",
    "StructureName",
    "Symbol",
    "TimeOfDay",
    "TrailingPolicy",
    "minute_of",
]
