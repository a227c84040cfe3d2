"""What browser tests share: a real Chromium, and the app over a toy engine of twenty layers."""

import pytest

from tests.browser.driving import IDLE, chromium_path, launched, served

ROWS = 20


@pytest.fixture(scope="session")
def chromium():
    """A Chromium, shared by all tests; each opens a context of its own."""
    if chromium_path() is None:
        pytest.skip("no Chromium on this machine")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def toy_url(tmp_path_factory):
    """The address of the app over a toy engine of twenty layers, served by a process of its own."""
    with served(tmp_path_factory.mktemp("browser-home"), "tests/browser/toy_app.py", "{port}", str(ROWS)) as url:
        yield url


@pytest.fixture
def window(chromium):
    """Opens pages of a fresh visitor, and fails the test on an error in the browser's console."""
    contexts, problems = [], []

    def open_page(url: str, width: int = 1440, height: int = 900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        page.wait_for_selector(IDLE)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
