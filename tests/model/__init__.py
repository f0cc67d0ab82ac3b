"""The values hold what they promise."""
