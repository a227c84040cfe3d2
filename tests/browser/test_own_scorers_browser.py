"""A criterion of one's own in the app."""

from tests.browser.driving import end_engine, served
from tests.readme import criterion_example


def test_the_app_draws_its_scores(window, tmp_path):
    file, home = tmp_path / "mine.py", tmp_path / "home"
    file.write_text(criterion_example(), encoding="utf-8")
    command = ("-m", "prunekit", "app", "--no-browser", "--port", "{port}", "--scorers", str(file))
    try:
        with served(home, *command) as url:
            page = window(f"{url}/explore?model=mlp-digits&criterion=peak&knob_power=2")
            page.set_default_timeout(90_000)
            page.wait_for_selector(".cuts .row canvas")
            assert page.get_by_role("combobox", name="Criterion").input_value() == "Largest weight"
            assert page.get_by_role("spinbutton", name="Power").input_value() == "2"
    finally:
        end_engine(home)
