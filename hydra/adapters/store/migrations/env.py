"""Alembic's door: runs the migrations on the connection, and within the transaction, that it is handed.

Alembic executes this file as a script; nothing imports it.
"""

from alembic import context

from hydra.adapters.store.indexes import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
