"""One contract suite a port, run against every adapter and its fake."""
