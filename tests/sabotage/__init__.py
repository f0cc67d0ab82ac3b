"""The test of the tests: small sabotages of the program, each of which the rehearsal, the storm or the preflight has to notice."""
