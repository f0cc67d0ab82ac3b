"""The rows of the table, by what is broken."""
