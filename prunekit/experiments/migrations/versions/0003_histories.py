"""Histories that were brought in with prunekit: once each, also when their runs are deleted afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "histories",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("time", sa.Float, nullable=False),
    )
