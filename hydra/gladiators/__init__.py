"""Gladiators: contenders that see one brief and vote BUY, SELL, HOLD or ABSTAIN. Pure; nothing here reaches outside.

votes      what a gladiator answers
text       what is kept of a text that came from outside
brief      what every gladiator is shown: candles, indicators, regime
readings   the indicators of a brief
regime     which of five regimes the readings speak of
consensus  from four votes to one choice
seat       the seam a gladiator stands behind, and the empty seat
local      four rule-based gladiators that need no key
prompts    what a model is told, one file a role
"""
