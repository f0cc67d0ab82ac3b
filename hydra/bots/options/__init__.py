"""Options: which contracts may be traded, what is built of them, what they are worth, and the bot that asks for it."""
