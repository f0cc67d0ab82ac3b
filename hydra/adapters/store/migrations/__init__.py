"""How a store of an older program becomes one of this program: one script a step, run by Alembic."""
