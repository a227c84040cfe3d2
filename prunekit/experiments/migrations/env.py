"""How alembic reaches the run store: the URL comes from the caller; all that is to be done is done, or nothing."""

import sqlalchemy as sa
from alembic import context

from prunekit.experiments.schema import METADATA

engine = sa.create_engine(context.config.attributes["url"], connect_args={"timeout": 5})


# Python's sqlite3 would commit each CREATE TABLE by itself: a kill or a full disk in between would leave half of them.
@sa.event.listens_for(engine, "connect")
def _leave_transactions_alone(connection, _record) -> None:
    connection.isolation_level = None


@sa.event.listens_for(engine, "begin")
def _begin_at_once(connection) -> None:
    connection.exec_driver_sql("begin immediate")


with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
