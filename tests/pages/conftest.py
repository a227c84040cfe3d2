"""What tests of the pages share: the engine in this process, and a history to fill."""

from tests.pages.in_process_engine import engine_here, history, three_runs  # noqa: F401
