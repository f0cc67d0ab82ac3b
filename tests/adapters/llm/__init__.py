"""Models in the seats, over real sockets."""
