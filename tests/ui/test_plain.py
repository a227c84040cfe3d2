"""What people typed, names and paths stand on the page as they are."""

import re

from streamlit.testing.v1 import AppTest

from tests.pages.reading import as_read, errors

TYPED = "a __b__ $c$ squeezenet1_1 in /tmp/my_models/*.pth :red[x] <b> `d` #1 ~e~ 3 > 2"


def test_an_error_is_shown_as_typed_and_not_as_markdown():
    def page():
        from prunekit.ui.plain import show_error
        from tests.ui.test_plain import TYPED

        show_error(ValueError(TYPED))

    at = AppTest.from_function(page).run()
    assert errors(at) == [TYPED]
    shown = at.error[0].value
    assert as_read(shown) == TYPED
    left = re.sub(r"\\.", "", shown)  # without what is escaped
    assert not set(left) & set("_$*:[]<>`#~"), left
