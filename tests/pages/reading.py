"""What a visitor reads on a page that a test has run."""

import re


def as_read(markdown) -> str:
    """Markdown without its escapes."""
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", str(markdown))


def errors(test) -> list[str]:
    """The red sentences of the page."""
    return [as_read(error.value) for error in test.error]


def address_of(test) -> dict[str, str]:
    """What the address of the page says."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in dict(test.query_params).items()}
