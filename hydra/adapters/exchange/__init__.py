"""The simulated exchange: a venue with its own books and clock, and thin views of it for each port."""
