"""The preflight: questions asked before trading, one list a command, and the certificate that a passed list leaves."""
