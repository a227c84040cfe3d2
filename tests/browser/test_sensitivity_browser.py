"""Sensitivity in a real browser: the map fills, a loss becomes a cut, and the cut is there on Explore."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROWS
from tests.browser.driving import IDLE

pytestmark = pytest.mark.browser


def test_the_map_fills_and_its_cut_goes_on_to_explore(window, toy_url):
    page = window(f"{toy_url}/sensitivity")
    page.set_default_timeout(60_000)
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_role("button", name="Stop", exact=False).first).to_be_visible()
    expect(page.locator(".st-key-stop_measuring")).to_have_count(0, timeout=60_000)
    map_rows = page.locator(".st-key-map .ytick text")
    expect(map_rows).to_have_count(ROWS)
    page.get_by_role("button", name="Make a cut of it").click()
    expect(page.get_by_text("The whole cut really costs")).to_be_visible()
    expect(page.locator(".st-key-allocate")).to_have_count(0)
    framed = page.locator(".st-key-map .shapelayer path")
    expect(framed.first).to_be_attached()
    numbers = page.locator(".pk-tile").first.inner_text()
    page.get_by_role("button", name="Open in Explore").click()
    page.wait_for_url(re.compile("explore"))
    page.wait_for_selector(".cuts .row canvas")
    page.wait_for_selector(IDLE)
    expect(page.locator(".pk-tile").first).to_have_text(re.compile(r"\s*".join(map(re.escape, numbers.split()))))
    expect(page.get_by_text("own cut").filter(visible=True).first).to_be_visible()


def test_a_measurement_stops_and_a_second_visitor_finds_what_it_left(window, toy_url):
    page = window(f"{toy_url}/sensitivity?criterion=random")
    page.get_by_role("button", name="Measure").click()
    page.locator(".st-key-stop_measuring button").click()
    expect(page.get_by_role("button", name="Measure the rest")).to_be_visible()
    left = page.get_by_text("measurements to go").text_content()
    other = window(f"{toy_url}/sensitivity?criterion=random")
    expect(other.get_by_text("measurements to go")).to_have_text(left)
