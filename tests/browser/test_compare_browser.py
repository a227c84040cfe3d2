"""Compare in a real browser: a click on a point opens its run, and the latest gesture wins."""

import pytest
from playwright.sync_api import expect

from prunekit.experiments.ledger import Ledger
from tests.browser.driving import IDLE, served, steady_box
from tests.sample_runs import add_finished, recipe

pytestmark = pytest.mark.browser

# Where the point of some runs is on the screen; plotly keeps their ids beside what it draws.
PLACE = """ids => {
  const points = [...document.querySelectorAll(".st-key-tradeoff .scatterlayer path.point")];
  const box = points.find((point) => point.__data__.id === ids)?.getBoundingClientRect();
  return box && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}"""
COUNTS = """wanted => {
  const told = [...document.querySelectorAll("p")].map((p) => p.textContent).filter((t) => t.startsWith("5 runs, "));
  return told.length === 1 && told[0] === wanted;
}"""
RANGE = "() => document.querySelector('.st-key-tradeoff .js-plotly-plot')._fullLayout.xaxis.range"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The address of the real app without an engine, and its runs: two alone, and three seeds of one recipe."""
    home = tmp_path_factory.mktemp("compare-home")
    store = Ledger(home)
    runs = {
        "half": add_finished(store, recipe(amount=0.5), finetuned=0.88),
        "most": add_finished(store, recipe(amount=0.9), finetuned=0.7),
    }
    for seed, value in enumerate((0.70, 0.80, 0.90)):
        runs[f"seed {seed}"] = add_finished(store, recipe(scorer="taylor", amount=0.3, seed=seed), finetuned=value)
    runs["mean"] = " ".join(runs[f"seed {seed}"] for seed in (2, 1, 0))
    with served(home, PRUNEKIT_ENGINE="off") as url:
        yield f"{url}/compare", runs


class Compare:
    """The Compare page as a hand and an eye."""

    def __init__(self, page, runs):
        self.page, self.runs = page, runs
        page.wait_for_selector(".st-key-tradeoff .scatterlayer path.point")
        page.wait_for_selector(IDLE)

    def place(self, name: str) -> tuple[float, float]:
        self.page.wait_for_function(PLACE, arg=self.runs[name])
        spot = self.page.evaluate(PLACE, self.runs[name])
        return spot["x"], spot["y"]

    def click(self, name: str) -> None:
        self.page.wait_for_selector(IDLE)  # a chart that is being drawn again has no points to click on
        self.page.mouse.move(*self.place(name))
        self.page.wait_for_timeout(150)  # plotly looks where the pointer is twenty times a second
        self.page.mouse.click(*self.place(name))

    def card(self, name: str):
        return self.page.locator(f".st-key-run_card_{self.runs[name]}")

    def expect_chosen(self, count: int) -> None:
        """Waits until the page says so and has nothing of before left: for a moment it shows both."""
        self.page.wait_for_function(COUNTS, arg=f"5 runs, {count} chosen", timeout=30_000)

    @property
    def close(self):
        return self.page.locator(".st-key-close_chosen button")


@pytest.fixture(scope="module")
def visit(chromium, shop):
    """One visit for all tests: a page takes longer to come than all that is done on it."""
    url, runs = shop
    context = chromium.new_context(viewport={"width": 1440, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(60_000)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(url)
    yield Compare(page, runs)
    context.close()
    assert not problems


@pytest.fixture
def compare(visit):
    """The page with nothing chosen."""
    visit.page.wait_for_selector(IDLE)
    if visit.close.is_visible():
        visit.close.click()
    visit.expect_chosen(0)
    return visit


def test_a_click_on_a_point_opens_its_run_below_the_chart_and_keeps_the_zoom(compare):
    left, top = compare.place("half")
    compare.page.mouse.move(left - 150, top - 60)
    compare.page.mouse.down()
    compare.page.mouse.move(left + 150, top + 60, steps=5)
    compare.page.mouse.up()
    compare.page.wait_for_timeout(500)
    zoomed = compare.page.evaluate(RANGE)
    assert zoomed[1] - zoomed[0] < 0.5
    compare.click("half")
    expect(compare.card("half")).to_be_visible()
    compare.expect_chosen(1)
    assert compare.page.evaluate(RANGE) == pytest.approx(zoomed)


def test_the_latest_click_wins(compare):
    compare.click("half")
    expect(compare.card("half")).to_be_visible()
    compare.click("most")
    expect(compare.card("most")).to_be_visible()
    expect(compare.card("half")).to_have_count(0)


def test_a_row_of_the_table_takes_over_from_the_chart(compare):
    compare.click("half")
    expect(compare.card("half")).to_be_visible()
    compare.page.wait_for_selector(IDLE)
    table = compare.page.locator(".stDataFrame")
    table.scroll_into_view_if_needed()
    box = steady_box(table)
    # The newest run is in the first row: the header is 35 pixels high, and so is a row.
    compare.page.mouse.click(box["x"] + 16, box["y"] + 35 + 17)
    expect(compare.card("seed 2")).to_be_visible()


# The last one, for it leaves the page.
def test_a_click_on_a_mean_lists_its_seeds_and_a_branch_opens_the_recipe_in_prune(compare):
    compare.click("mean")
    expect(compare.page.locator("[class*=st-key-run_line_]")).to_have_count(3)
    expect(compare.page.get_by_text("3 seeds of one recipe")).to_be_visible()
    compare.page.locator(f".st-key-open_{compare.runs['seed 1']} button").click()
    expect(compare.card("seed 1")).to_be_visible()
    compare.card("seed 1").get_by_role("button", name="Branch from here").click()
    expect(compare.page.get_by_role("spinbutton", name="Seed")).to_have_value("1")
    assert "/prune?model=lenet-fashion" in compare.page.url
