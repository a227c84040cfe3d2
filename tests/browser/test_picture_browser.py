"""The picture and the server talk past each other for a moment on a slow machine; neither loses what was done.

The real component in a real browser; the server's answers are put by hand, late and in any order.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

import prunekit.ui.components.cuts as cuts
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.ui.components.cuts import picture_data
from tests.toy_engine import ToyEngine

pytestmark = pytest.mark.browser

FILES = ("counts.js", "histogram.js", "cuts.js")
SOURCE = "\n".join((Path(cuts.__file__).parent / name).read_text(encoding="utf-8") for name in FILES)
BEGIN = """async (source) => {
  const { default: draw } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const parentElement = document.body;
  const setStateValue = (_, message) => globalThis.told.push(message);
  globalThis.told = [];
  globalThis.show = (data) => { globalThis.end = draw({ parentElement, data, setStateValue }); };
}"""
# As reply.js does it.
ANSWER = """(reply) => {
  prunekitReplies.latest.set(reply.board, reply);
  prunekitReplies.heard.dispatchEvent(new CustomEvent("reply", { detail: reply }));
}"""


class Picture:
    """The picture of three layers of 8, 12 and 16 channels, each cut by a fraction of its own."""

    def __init__(self, page):
        self.page = page
        answer = ToyEngine(3).exploration("lenet-fashion", "magnitude", {}, "channel", 0, 1)
        self.table = CutTable.from_plain(answer["table"])
        self.rows = [row | answer["scores"][row["name"]] for row in answer["rows"]]
        self.names = list(self.table.names)
        self.percent = page.locator(".net .number").first
        self.readout = page.locator(".net .readout")
        page.set_content('<div class="cuts" style="width: 900px"></div>')
        page.evaluate(BEGIN, SOURCE)

    def show(self, view: str = "importance", model: str = "lenet-fashion", scope: str = "layer", **bounds: int) -> str:
        usual = {
            "key": model,
            "model": model,
            "rule": Cut(scope=scope, **bounds).rule,
            "signed": False,
            "axis": "score",
            "what": "channels",
        }
        self.data = picture_data(self.table, self.rows, {}, view=view, **usual)
        self.page.evaluate("(data) => show(data)", self.data)
        return self.data["board"]

    def answer(self, cut: Cut, revision: int, seq: int = 0, focus: int = 0, board: str = "") -> None:
        """What the server says; `seq` is the number of the message that it has heard, 0 when it moved by itself."""
        kept = [int(u - p) for u, p in zip(self.table.units, self.table.pruned(cut), strict=True)]
        reply = {"cut": cut.to_plain(), "focus": self.names[focus], "kept": kept, "revision": revision, "seq": seq}
        self.page.evaluate(ANSWER, reply | {"board": board or self.data["board"]})

    def type(self, percent: float) -> None:
        self.percent.fill(str(percent))
        self.percent.press("Enter")

    def lock(self, i: int) -> None:
        self.page.locator(".row").nth(i).locator(".lock").click()

    def swipe(self, points: list[tuple[float, float]]) -> None:
        """A finger on a touch screen, from point to point."""
        kinds = ["touchStart", *["touchMove"] * (len(points) - 1), "touchEnd"]
        session = self.page.context.new_cdp_session(self.page)
        for kind, at in zip(kinds, [*points, None], strict=True):
            touches = [{"x": at[0], "y": at[1]}] if at else []
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
            self.page.wait_for_timeout(30)

    @property
    def told(self) -> list[dict]:
        """All messages to the server."""
        return self.page.evaluate("told")


@pytest.fixture
def picture(chromium):
    """A picture that has been drawn and has not heard of the server yet."""
    context = chromium.new_context(has_touch=True)
    picture = Picture(context.new_page())
    picture.page.set_default_timeout(5000)
    picture.show()
    yield picture
    context.close()


def test_before_the_server_has_said_where_the_cut_is_nothing_is_claimed_and_nothing_can_be_moved(picture):
    picture.page.wait_for_timeout(100)
    assert picture.readout.inner_text() == ""
    picture.page.mouse.click(*centre(picture.page.locator(".row .lock").first))
    picture.page.keyboard.press("Control+z")
    assert picture.told == []
    picture.answer(Cut(0.5, "layer"), revision=1)
    expect(picture.readout).to_have_text("50.0 % pruned, 18 of 36 kept")
    picture.type(25)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    assert picture.told[-1]["sparsity"] == 0.25


def test_a_move_that_met_a_move_of_the_server_stays_and_is_told_once_more(picture):
    first = picture.names[0]
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.type(25)
    # Meanwhile a box was ticked in the table: the message comes from an older revision, and is not heard.
    picture.answer(Cut(0.5, "layer", {}, frozenset({first})), revision=2)
    expect(picture.readout).to_have_text("19.4 % pruned, 29 of 36 kept")
    message = picture.told[-1]
    assert len(picture.told) == 2
    assert (message["sparsity"], message["locked"], message["revision"]) == (0.25, [first], 2)
    picture.answer(Cut(0.25, "layer", {}, frozenset({first})), revision=2, seq=message["seq"])
    assert len(picture.told) == 2


def test_a_layer_let_go_meanwhile_stays_let_go(picture):
    first, second, _third = picture.names
    picture.answer(Cut(0.5, "layer", {first: 0.75, second: 0.25}), revision=1)
    picture.page.locator(".row").first.locator(".own").click()
    picture.answer(Cut(0, "layer", {first: 0.75, second: 0.25}), revision=2)
    assert (picture.told[-1]["sparsity"], picture.told[-1]["overrides"]) == (0, {second: 0.25})


def test_a_layer_clicked_while_the_server_moves_the_cut_stays_in_focus(picture):
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.page.locator(".row").nth(2).locator(".pick").click()
    picture.answer(Cut(0.25, "layer"), revision=2)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    expect(picture.page.locator("h3")).to_have_text("conv3")
    assert (picture.told[-1]["focus"], picture.told[-1]["sparsity"]) == (picture.names[2], 0.25)


def test_what_the_server_moves_while_the_hand_rests_is_taken_over_and_can_be_undone(picture):
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.type(25)
    picture.answer(Cut(0.25, "layer"), revision=1, seq=picture.told[-1]["seq"])
    picture.answer(Cut(0.75, "layer"), revision=2)
    expect(picture.readout).to_have_text("75.0 % pruned, 9 of 36 kept")
    assert len(picture.told) == 1
    picture.page.get_by_label("Undo").click()
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")


def test_a_move_made_while_another_view_was_on_its_way_is_told_to_that_view(picture):
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.type(25)
    picture.show("weights")
    picture.answer(Cut(0.5, "layer"), revision=1)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    assert (picture.told[-1]["sparsity"], picture.told[-1]["board"]) == (0.25, picture.data["board"])


def test_a_view_that_comes_back_does_not_show_the_cut_it_had_when_it_was_left(picture):
    board = picture.data["board"]
    picture.answer(Cut(0.5, "layer"), revision=1, focus=2)
    picture.show("weights")
    picture.answer(Cut(0.75, "layer"), revision=2, focus=2)
    assert picture.show("importance") == board
    expect(picture.readout).to_have_text("75.0 % pruned, 9 of 36 kept")
    expect(picture.page.locator("h3")).to_have_text("conv3")
    picture.answer(Cut(0.75, "layer"), revision=2, focus=2)
    assert picture.told == []


def test_a_page_that_was_left_in_the_middle_of_a_move_comes_back_with_that_move(picture):
    picture.answer(Cut(0.5, "layer"), revision=1)
    # Left before the answer to the next move came: what is known here is the cut before it.
    picture.page.evaluate("end()")
    picture.show()
    expect(picture.readout).to_have_text("50.0 % pruned, 18 of 36 kept")
    picture.answer(Cut(0.25, "layer"), revision=1, seq=7)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    assert picture.told == []


def test_a_session_that_began_anew_is_followed_though_its_revisions_are_lower(picture):
    picture.answer(Cut(0.5, "layer"), revision=9)
    picture.answer(Cut(0.25, "layer"), revision=1)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    picture.lock(0)
    assert picture.told[-1]["revision"] == 1


@pytest.mark.parametrize("slider", [".net .slider", ".focus .slider"])
def test_a_key_on_a_slider_moves_the_cut_by_a_thousandth_and_is_one_step_of_undo(picture, slider):
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.page.locator(slider).focus()
    picture.page.keyboard.press("ArrowRight")
    moved = picture.told[-1]
    assert (moved["overrides"].get(picture.names[0], moved["sparsity"]), moved["settled"]) == (0.501, True)
    picture.page.get_by_label("Undo").click()
    assert (picture.told[-1]["sparsity"], picture.told[-1]["overrides"]) == (0.5, {})


def test_a_finger_that_scrolls_over_the_histogram_cuts_nothing_and_one_that_drags_does(picture):
    folder = Path(cuts.__file__).parent
    picture.page.add_style_tag(content=(folder / "cuts.css").read_text(encoding="utf-8") + "body { height: 3000px; }")
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.type(25)
    picture.page.get_by_label("Undo").click()
    x, y = centre(picture.page.locator(".plot"))
    picture.swipe([(x, y - 20 * i) for i in range(8)])
    assert picture.page.evaluate("scrollY") > 50
    last = picture.told[-1]
    assert (last["sparsity"], last["overrides"], last["settled"]) == (0.5, {}, True)
    picture.page.get_by_label("Redo").click()
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    x, y = centre(picture.page.locator(".plot"))
    picture.swipe([(x + 20 * i, y) for i in range(5)])
    assert picture.told[-1]["overrides"].keys() == {picture.names[0]}


def test_undo_takes_nothing_of_one_model_to_another_with_the_same_rows(picture):
    picture.answer(Cut(0.5, "layer"), revision=1)
    picture.type(25)
    picture.show(model="mlp-digits")
    picture.answer(Cut(0.25, "layer"), revision=2)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    expect(picture.page.get_by_label("Undo")).to_be_disabled()
    picture.show()
    picture.answer(Cut(0.25, "layer"), revision=2)
    picture.page.get_by_label("Undo").click()
    expect(picture.readout).to_have_text("50.0 % pruned, 18 of 36 kept")


def centre(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_key_moves_a_rounded_cut_by_a_whole_multiple(picture):
    picture.show(round_to=4)
    picture.answer(Cut(0, "layer", round_to=4), revision=1, focus=2)
    handle = picture.page.locator(".handle")
    for pruned in (4, 8, 12, 12):  # of 16, four stay in any case
        handle.press("ArrowRight")
        expect(handle).to_have_attribute("aria-valuenow", str(pruned))
    handle.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "8")
    assert picture.told[-1]["overrides"] == {picture.names[2]: 0.5}


def test_a_layer_that_rounding_leaves_nothing_to_cut_of_says_so(picture):
    picture.show(round_to=32)
    picture.answer(Cut(0, "layer", {picture.names[2]: 1.0}, round_to=32), revision=1, focus=2)
    expect(picture.page.locator(".focus .readout")).to_have_text(
        "keeps all 16: rounding or the floor leaves nothing to cut"
    )


def test_where_each_group_of_neighbours_is_cut_there_is_no_line_to_drag(picture):
    handle, score = (
        picture.page.locator(".handle"),
        picture.page.locator("footer .entry", has=picture.page.locator(".score")),
    )
    picture.answer(Cut(0.5, "layer"), revision=1)
    expect(handle).to_have_js_property("hidden", False)
    picture.show(scope="n:4")
    picture.answer(Cut(0.5, "n:4"), revision=2)
    expect(picture.page.locator(".note")).to_contain_text("Of each 4 neighbouring inputs the lowest go")
    expect(handle).to_have_js_property("hidden", True)
    expect(score).to_have_js_property("hidden", True)
    picture.type(30)
    expect(picture.readout).to_have_text("25.0 % pruned, 27 of 36 kept")
    picture.show()
    picture.answer(Cut(0.5, "layer"), revision=3)
    expect(handle).to_have_js_property("hidden", False)
    expect(score).to_have_js_property("hidden", False)
