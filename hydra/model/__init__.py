"""Floor 0: values. Everything here is frozen, checked on construction, and depends on nothing above."""
