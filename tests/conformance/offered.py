"""Which of Alpaca's published operations the venue offers: all but these, each with its reason."""

from __future__ import annotations

from tests.adapters.exchange.server import openapi

NOT_OFFERED: dict[str, str] = {
    "/v1/locates": "shares are lent without locates: every shortable share is easy to borrow",
    "/v2beta1/events/activities": "server-sent events; the activities are there to be asked for",
    "/v1beta1/events/corporate-actions": "server-sent events; the actions are there to be asked for",
    "/v2/tokenization": "no tokens",
    "/v2/wallets": "coins do not leave the venue",
    "/v2/watchlists": "a list of names changes nothing in a market; clients keep their own",
    "/v1beta1/fixed_income": "no bonds",
    "/v1beta1/forex": "no currencies beside the dollar",
    "/v1beta1/logos": "no pictures",
    "/v1beta1/news": "no news",
    "/v1beta1/screener": "no market beside the symbols that are played",
}
"""By the beginning of the path; what follows it goes with it."""


def reason(operation: openapi.Operation) -> str | None:
    """Why an operation is not offered; ``None`` when it is."""
    for start, why in NOT_OFFERED.items():
        rest = operation.template.removeprefix(start)
        if rest != operation.template and (not rest or rest[0] in "/:"):
            return why
    return None


OFFERED = tuple(operation for operation in openapi.operations() if reason(operation) is None)
