"""The thinking that only ever says no, or less: gates, rules, budgets, exits, halts. Pure functions of a snapshot."""
