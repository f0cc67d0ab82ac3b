"""The rehearsal of a policy: its weather, its worlds, its plan, and the trial that plays it."""
