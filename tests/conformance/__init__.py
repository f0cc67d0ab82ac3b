"""The server as Alpaca's own clients and documents see it."""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in ("crypto", "equities", "invented", "options", "streaming", "venues"))
)
