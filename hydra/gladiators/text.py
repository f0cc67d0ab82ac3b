"""Text from a model is data: see ``hydra.model.text``."""

from hydra.model.text import DETAIL_MAX, REASONING_MAX, harmless, is_harmless

__all__ = ["DETAIL_MAX", "REASONING_MAX", "harmless", "is_harmless"]
