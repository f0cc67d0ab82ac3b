"""Votes as gladiators cast them: see ``hydra.model.votes``, which the journal shares."""

from hydra.model.votes import SEATS, Choice, Consensus, Vote, Why, abstain, within_one

__all__ = ["SEATS", "Choice", "Consensus", "Vote", "Why", "abstain", "within_one"]
