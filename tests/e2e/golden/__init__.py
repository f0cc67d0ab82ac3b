"""Real days, each played once by hand, looked at, and kept: the same program gives the same day to the cent."""
