"""Gates, rules, exits and halts, each by itself and all together."""
