"""Explore in a real browser: drag, type, lock, undo; what moves under the hand is what the server says."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FAST = 1000  # ms within which the server's numbers are there; the benchmark measures how much sooner


class Explore:
    """The Explore page as a hand and an eye."""

    def __init__(self, page):
        self.page = page
        page.wait_for_selector(".cuts .row canvas")
        expect(self.readout).to_contain_text("kept")

    @property
    def readout(self):
        return self.page.locator(".cuts .net .readout")

    @property
    def sparsity(self):
        return self.page.locator(".pk-tile").first

    @property
    def plot(self):
        return self.page.locator(".cuts .plot")

    @property
    def percent(self):
        return self.page.locator(".cuts .net .number").first

    @property
    def handle(self):
        return self.page.locator(".cuts .handle")

    def row(self, i: int):
        return self.page.locator(".cuts .row").nth(i)

    def kept(self, i: int) -> int:
        return int(self.row(i).locator(".kept small").inner_text().split(" of ")[0].replace(",", ""))

    def agrees(self) -> str:
        """The readout on the client, once the server's tile says the same."""
        self.page.wait_for_timeout(150)
        percent, kept = re.match(r"([\d.]+) % pruned, ([\d,]+) of", self.readout.inner_text()).groups()
        expect(self.sparsity).to_contain_text(f"{kept} of", timeout=FAST)
        expect(self.sparsity).to_contain_text(f"{percent} %")
        return kept

    def drag(self, locator, start: float, end: float, steps: int = 30, release: bool = True) -> None:
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        y = box["y"] + min(box["height"] / 2, 120)
        self.page.mouse.move(box["x"] + start * box["width"], y)
        self.page.mouse.down()
        for i in range(1, steps + 1):
            self.page.mouse.move(box["x"] + (start + (end - start) * i / steps) * box["width"], y)
            self.page.wait_for_timeout(12)
        if release:
            self.page.mouse.up()


@pytest.fixture
def explore(window, toy_url):
    """The Explore page of a fresh visitor."""
    return Explore(window(f"{toy_url}/explore"))


def test_the_server_says_what_the_client_showed_when_the_net_slider_is_let_go(explore):
    before = explore.agrees()
    explore.drag(explore.page.locator(".cuts .net .slider"), 0.3, 0.7)
    after = explore.agrees()
    assert after != before
    assert 0.68 < float(explore.percent.input_value()) / 100 < 0.72


def test_the_numbers_of_the_server_follow_already_while_the_line_is_dragged(explore):
    before = explore.sparsity.inner_text()
    explore.drag(explore.page.locator(".cuts .net .slider"), 0.3, 0.6, release=False)
    expect(explore.sparsity).not_to_have_text(before, timeout=FAST)
    explore.page.mouse.up()


def test_dragging_the_line_of_a_layer_cuts_that_layer_alone(explore):
    explore.row(4).locator(".pick").click()
    expect(explore.page.locator(".cuts h3")).to_have_text("conv5")
    others = [explore.kept(i) for i in range(6) if i != 4]
    explore.drag(explore.plot, 0.3, 0.9)
    explore.agrees()
    assert explore.kept(4) <= 5
    assert "own-cut" in explore.row(4).get_attribute("class")
    # What the layer no longer gives, the others do not give in its place: their common cut stays a fraction of them.
    assert sum(abs(explore.kept(i) - old) for i, old in zip([0, 1, 2, 3, 5], others, strict=True)) <= 10
    explore.row(4).locator(".own").click()
    explore.agrees()
    assert "own-cut" not in explore.row(4).get_attribute("class")


def test_an_arrow_key_on_the_line_prunes_one_channel_more_and_says_so(explore):
    explore.row(2).locator(".pick").click()
    explore.handle.focus()
    pruned = int(explore.handle.get_attribute("aria-valuenow"))
    explore.page.keyboard.press("ArrowRight")
    expect(explore.handle).to_have_attribute("aria-valuenow", str(pruned + 1))
    assert explore.handle.get_attribute("aria-valuetext").startswith(f"{pruned + 1} of 16 pruned, at score")
    explore.agrees()


def test_arrow_keys_walk_through_the_layers(explore):
    explore.row(0).locator(".pick").focus()
    explore.page.keyboard.press("ArrowDown")
    explore.page.keyboard.press("ArrowDown")
    expect(explore.page.locator(".cuts h3")).to_have_text("conv3")


def test_a_typed_percentage_is_taken_exactly_and_nonsense_is_not(explore):
    # Per layer, a quarter of 8, 12, 16... channels is a whole number everywhere: 230 of 920.
    explore.page.locator(".st-key-scope input").click()
    explore.page.get_by_role("option", name="per layer").click()
    expect(explore.readout).to_have_text("30.0 % pruned, 644 of 920 kept")
    explore.percent.fill("25,0")
    explore.percent.press("Enter")
    expect(explore.readout).to_have_text("25.0 % pruned, 690 of 920 kept")
    assert explore.agrees() == "690"
    for nonsense in ("much", "120", "-1", ""):
        explore.percent.fill(nonsense)
        explore.percent.press("Enter")
        expect(explore.percent).to_have_value("25")


def test_a_typed_score_cuts_everything_below_it_and_stays_as_it_was_typed(explore):
    score = explore.page.locator(".cuts .net .score")
    score.fill("2")
    score.press("Enter")
    explore.agrees()
    expect(score).to_have_value("2")
    explore.row(7).locator(".pick").click()
    line = explore.page.locator(".cuts .focus .score").input_value()
    assert float(line) == pytest.approx(2, rel=0.05)


def test_a_locked_layer_keeps_everything_and_undo_unlocks_it(explore):
    explore.row(1).locator(".lock").click()
    explore.agrees()
    assert explore.kept(1) == 12
    explore.page.get_by_label("Undo").click()
    explore.agrees()
    assert explore.kept(1) < 12
    explore.page.get_by_label("Redo").click()
    explore.agrees()
    assert explore.kept(1) == 12


def test_a_layer_never_vanishes_and_the_page_says_so(explore):
    explore.percent.fill("100")
    explore.percent.press("Enter")
    assert explore.agrees() == "20"
    expect(explore.page.locator(".cuts .focus .readout")).to_contain_text("a layer never vanishes")


def test_the_cut_and_the_focus_are_still_there_after_a_look_at_another_page(explore):
    explore.row(3).locator(".pick").click()
    explore.drag(explore.plot, 0.3, 0.8)
    kept, of_row = explore.agrees(), explore.kept(3)
    explore.page.get_by_role("link", name="Start").click()
    explore.page.get_by_role("button", name="Explore it").wait_for()
    explore.page.get_by_role("link", name="Explore").click()
    explore.page.wait_for_selector(".cuts .row canvas")
    expect(explore.readout).to_contain_text(f"{kept} of")
    assert explore.agrees() == kept
    assert explore.kept(3) == of_row
    expect(explore.page.locator(".cuts h3")).to_have_text("conv4")


def test_the_chosen_model_survives_a_page_switch_and_a_reload(window, toy_url):
    page = window(f"{toy_url}/?model=mlp-digits")
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(".cuts .row canvas")
    page.wait_for_url("**/explore?model=mlp-digits")
    page.reload()
    page.wait_for_selector(".cuts .row canvas")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("Perceptron on digits")


def test_a_box_ticked_in_the_table_locks_the_layer_in_the_picture_until_it_is_undone(explore):
    explore.percent.fill("40")
    explore.percent.press("Enter")
    explore.page.get_by_text("Layers as a table").click()
    table = explore.page.locator("[data-testid=stDataFrame]")
    table.wait_for()
    table.scroll_into_view_if_needed()
    explore.page.wait_for_timeout(500)
    cell = explore.page.locator("[data-testid=stDataFrame] [aria-colindex]").filter(has_text="Locked")
    box, locked = table.bounding_box(), int(cell.first.get_attribute("aria-colindex"))
    explore.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 50)
    # One key at a time, as one who looks does: the table drops keys while it moves the focus to the next cell.
    at = explore.page.locator("[data-testid=stDataFrame] td[aria-selected=true]")
    column = int(at.get_attribute("aria-colindex"))
    while column != locked:
        step = 1 if column < locked else -1
        explore.page.keyboard.press("ArrowRight" if step > 0 else "ArrowLeft")
        column += step
        expect(at).to_have_attribute("aria-colindex", str(column))
    explore.page.keyboard.press("Space")
    expect(explore.row(0)).to_have_class(re.compile("locked"))
    explore.agrees()
    assert explore.kept(0) == 8
    explore.page.keyboard.press("Control+z")  # the table has no undo of its own
    expect(explore.row(0)).not_to_have_class(re.compile("locked"))


def test_a_frame_of_a_drag_over_twenty_layers_costs_the_browser_eight_milliseconds_at_most(explore):
    explore.page.evaluate("performance.clearMeasures('prunekit-draw')")
    explore.drag(explore.page.locator(".cuts .net .slider"), 0.2, 0.8, steps=80)
    found = explore.page.evaluate("performance.getEntriesByName('prunekit-draw').map((e) => e.duration)")
    assert len(found) > 20
    assert sorted(found)[int(0.95 * len(found))] <= 8


def test_on_a_phone_the_layer_in_focus_comes_below_the_rows_and_nothing_sticks_out(window, toy_url):
    explore = Explore(window(f"{toy_url}/explore", width=400))
    rows, focus = (
        explore.page.locator(".cuts .rows").bounding_box(),
        explore.page.locator(".cuts .focus").bounding_box(),
    )
    assert focus["y"] >= rows["y"] + rows["height"]
    assert explore.page.evaluate("document.documentElement.scrollWidth") <= 400
    explore.drag(explore.plot, 0.3, 0.8)
    explore.agrees()


COLOURS = """() => {
  const host = [...document.querySelectorAll("*")].find((e) => e.shadowRoot?.querySelector(".cuts"));
  const canvas = host.shadowRoot.querySelector(".focus canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) seen.add([...data.slice(i, i + 3)].join());
  return [...seen];
}"""


@pytest.mark.parametrize(("scheme", "kept"), [("light", "23,121,90"), ("dark", "42,140,105")])
def test_the_picture_takes_its_colours_from_the_theme(window, toy_url, scheme, kept):
    explore = Explore(window(f"{toy_url}/explore", color_scheme=scheme))
    explore.row(9).locator(".pick").click()
    explore.page.wait_for_timeout(300)
    assert kept in explore.page.evaluate(COLOURS)


def test_nothing_is_fetched_from_anywhere_but_this_server(window, toy_url):
    asked = []
    page = window(toy_url)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{toy_url}/explore")
    page.wait_for_selector(".cuts .row canvas")
    page.wait_for_timeout(500)
    assert len(asked) > 10
    outside = [url for url in asked if urlsplit(url).hostname not in ("127.0.0.1", None)]
    assert outside == []


def test_a_reload_comes_back_to_the_same_view_by_the_address(explore):
    page = explore.page
    explore.percent.fill("45")
    explore.percent.press("Enter")
    explore.row(3).locator(".pick").click()
    explore.drag(explore.plot, 0.3, 0.8)
    explore.row(1).locator(".lock").click()
    page.locator(".st-key-view").get_by_text("weights").click()
    page.wait_for_url("**view=weights**")
    explore.agrees()
    page.wait_for_url(re.compile(r"cut=0\.45&own=\w{4}_1-L_3-"))
    kept = [explore.kept(i) for i in range(8)]  # the rows in sight
    page.reload()
    page.wait_for_selector(".cuts .row canvas")
    expect(explore.percent).to_have_value("45")
    assert [explore.kept(i) for i in range(8)] == kept
    expect(explore.row(1)).to_have_class(re.compile("locked"))
    expect(explore.row(3)).to_have_class(re.compile("own-cut"))
    expect(page.locator(".cuts h3")).to_have_text("conv4")
    expect(page.locator(".st-key-view [aria-checked=true]")).to_have_text("weights")


def test_back_leads_to_the_page_before_however_often_the_cut_was_moved(explore):
    page = explore.page
    page.get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare?model=lenet-fashion")
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(".cuts .row canvas")
    for value in ("20", "40", "60"):
        explore.percent.fill(value)
        explore.percent.press("Enter")
        page.wait_for_url(f"**cut=0.{value[0]}")
    page.go_back()
    page.wait_for_url("**/compare?model=lenet-fashion")
    page.go_forward()
    page.wait_for_selector(".cuts .row canvas")
    expect(explore.percent).to_have_value("60")
    page.wait_for_url("**cut=0.6")


def test_the_keyboard_undoes_and_redoes_what_was_typed_locked_and_looked_at_otherwise(explore):
    page = explore.page
    explore.percent.fill("50")
    explore.percent.press("Enter")
    explore.row(0).locator(".lock").click()
    page.locator(".st-key-view").get_by_text("weights").click()
    page.wait_for_url("**view=weights**")
    expect(explore.row(0)).to_have_class(re.compile("locked"))
    page.keyboard.press("Control+z")
    expect(explore.row(0)).not_to_have_class(re.compile("locked"))
    page.keyboard.press("Control+z")
    expect(explore.percent).to_have_value("30")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    expect(explore.percent).to_have_value("50")
    page.keyboard.press("Control+y")
    expect(explore.row(0)).to_have_class(re.compile("locked"))
    explore.agrees()
    # In a field with unfinished text the browser's own undo works on the text.
    explore.percent.click()
    page.keyboard.type("9")
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    expect(explore.row(0)).to_have_class(re.compile("locked"))


def test_what_was_done_can_be_undone_after_a_look_at_another_granularity_and_another_page(explore):
    page = explore.page
    explore.percent.fill("50")
    explore.percent.press("Enter")
    explore.row(0).locator(".lock").click()
    explore.agrees()
    page.locator(".st-key-granularity input").click()
    page.get_by_role("option", name="weights").click()
    expect(explore.row(0)).not_to_have_class(re.compile("locked"))
    page.locator(".st-key-granularity input").click()
    page.get_by_role("option", name="channels").click()
    expect(explore.row(0)).to_have_class(re.compile("locked"))
    page.get_by_role("link", name="Compare").click()
    page.wait_for_url("**/compare**")
    page.get_by_role("link", name="Explore").click()
    expect(explore.row(0)).to_have_class(re.compile("locked"))
    page.keyboard.press("Control+z")
    expect(explore.row(0)).not_to_have_class(re.compile("locked"))
    page.keyboard.press("Control+z")
    expect(explore.percent).to_have_value("30")
    explore.agrees()


def test_pasted_cuts_are_one_step_of_undo(explore):
    page = explore.page
    explore.percent.fill("40")
    explore.percent.press("Enter")
    explore.agrees()
    page.locator(".st-key-exchange button:visible").click()
    page.get_by_text("Paste cuts").click()
    text = page.locator(".st-key-exchange_text textarea")
    text.fill("conv3; 50 %\nconv2; ; locked\nconv9;12,5 %")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Applied.")).to_be_visible()
    expect(explore.row(1)).to_have_class(re.compile("locked"))
    assert explore.kept(2) == 8
    assert explore.kept(8) == 35
    page.keyboard.press("Escape")
    explore.page.get_by_label("Undo").click()
    expect(explore.row(1)).not_to_have_class(re.compile("locked"))
    expect(explore.row(2)).not_to_have_class(re.compile("own-cut"))
    expect(explore.percent).to_have_value("40")
    explore.agrees()
    page.keyboard.press("Control+Shift+z")
    expect(explore.row(1)).to_have_class(re.compile("locked"))
    explore.agrees()
