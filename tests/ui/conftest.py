"""What tests of the screen share: the app over a toy engine, in this process."""

import pytest

from tests.app_over_toy import AppOverToy


@pytest.fixture
def app(monkeypatch):
    """The whole app in this process, over a toy engine of five layers."""
    return AppOverToy(monkeypatch)
