"""The cycle on a simulated venue in memory, with and without faults."""
