"""How alembic reaches the run store: the URL comes from the caller."""

import sqlalchemy as sa
from alembic import context

from prunekit.experiments.store import METADATA

with sa.create_engine(context.config.attributes["url"], connect_args={"timeout": 5}).connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
