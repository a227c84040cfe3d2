"""What a visitor reads on a page that a test has run."""

import re


def as_read(markdown) -> str:
    """Markdown without its escapes."""
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", str(markdown))


def errors(test) -> list[str]:
    """The red sentences of the page."""
    return [as_read(error.value) for error in test.error]
