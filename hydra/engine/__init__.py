"""The loop: observe, gate, manage, ask, judge, act, settle. It meets the outside world only through ``hydra.ports``."""
