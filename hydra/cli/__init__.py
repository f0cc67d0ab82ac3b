"""The command line: parse, call, render, exit code. Each command is imported only when it is the one that was asked for."""
