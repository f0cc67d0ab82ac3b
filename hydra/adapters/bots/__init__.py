"""Where bots are asked: in Hydra's own process, or each in a process of its own."""
