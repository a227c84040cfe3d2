"""The counts that move under the hand are those of the cut table: `counts.js` in a real browser against Python."""

from pathlib import Path

import numpy as np
import pytest

import prunekit.ui.components.cuts as cuts
from prunekit.core.cut_table import Costs, CutTable
from prunekit.core.cuts import SCOPES, Cut
from prunekit.ui.components.cuts.cuts import POINTS, _packed

pytestmark = pytest.mark.browser

COUNTS = (Path(cuts.__file__).parent / "counts.js").read_text(encoding="utf-8")
ASK = """({ names, rows, facts, rule, cuts }) => {
  const decode = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const counter = new Counter(names, rows.map(([edges, units]) => new Scores(decode(edges), units)), facts, rule);
  return cuts.map((cut) => counter.pruned({ ...cut, locked: new Set(cut.locked) }));
}"""
HALFWAY = """() => {
  const scores = new Scores(Float32Array.of(1, 2, 4), 3);
  return [scores.at(1), scores.at(2), scores.below(3)[0]];
}"""
NOTHING = Costs(
    np.zeros((0, 1)),
    np.zeros(0),
    np.zeros(0, int),
    np.zeros(0, int),
    np.zeros((0, 4)),
    np.zeros(0, int),
    np.zeros(4),
    (),
)


@pytest.fixture(scope="module")
def page(chromium):
    """An empty page that knows `counts.js`."""
    context = chromium.new_context()
    page = context.new_page()
    page.add_script_tag(content=COUNTS)
    yield page
    context.close()


def counts_in_browser(page, table: CutTable, some: list[Cut]) -> list:
    rows = [[_packed(table.scores_at(i, POINTS)), int(units)] for i, units in enumerate(table.units)]
    plain = [cut.to_plain() for cut in some]
    return page.evaluate(
        ASK,
        {
            "names": list(table.names),
            "rows": rows,
            "facts": [row[2:] for row in table.rows],
            "rule": some[0].rule,
            "cuts": plain,
        },
    )


def table_of(random, sizes, digits) -> CutTable:
    rows = {f"r{i}": np.sort(random.gamma(2, 1 + i, n).round(digits)).astype(np.float32) for i, n in enumerate(sizes)}
    kinds = {name: "odd" if i % 2 else "even" for i, name in enumerate(rows)}
    lines = {name: next(n for n in (13, 7, 4, 3, 2, 1) if len(row) % n == 0) for name, row in rows.items()}
    shapes = {name: (len(row) // lines[name], lines[name]) for name, row in rows.items()}
    return CutTable.of(rows, NOTHING, kinds, shapes)


def random_cut(random, names, **rule) -> Cut:
    own = {name: float(random.random()) for name in names if random.random() < 0.2}
    locked = frozenset(name for name in names if random.random() < 0.1)
    sparsity = float(random.choice([0, 1, random.random(), round(random.random(), 2)]))
    return Cut(sparsity, overrides=own, locked=locked, **rule)


@pytest.mark.parametrize("scope", list(SCOPES))
@pytest.mark.parametrize("digits", [0, 1, 6], ids=["many ties", "some ties", "no ties"])
def test_rows_of_up_to_512_units_are_counted_exactly(page, scope, digits):
    random = np.random.default_rng(digits)
    table = table_of(random, [1, 2, 7, 40, 300, 512], digits)
    some = [random_cut(random, table.names, scope=scope) for _ in range(60)]
    assert counts_in_browser(page, table, some) == [table.pruned(cut).tolist() for cut in some]


@pytest.mark.parametrize("scope", list(SCOPES))
@pytest.mark.parametrize("bounds", [(8, 1), (1, 5), (16, 20)], ids=["rounded", "floor", "both"])
def test_rounding_and_the_floor_are_those_of_the_server(page, bounds, scope):
    random = np.random.default_rng(7)
    table = table_of(random, [1, 2, 7, 40, 300, 512], 6)
    some = [random_cut(random, table.names, scope=scope, round_to=bounds[0], floor=bounds[1]) for _ in range(60)]
    assert counts_in_browser(page, table, some) == [table.pruned(cut).tolist() for cut in some]


def test_large_rows_are_counted_to_a_third_of_a_percent_and_their_sum_exactly(page):
    random = np.random.default_rng(0)
    table = table_of(random, [600, 20_000, 200_000], 9)
    some = [Cut(float(s)) for s in np.linspace(0, 1, 41)]
    for cut, counts in zip(some, counts_in_browser(page, table, some), strict=True):
        exact = table.pruned(cut)
        assert sum(counts) == exact.sum()
        assert (np.abs(np.array(counts) - exact) <= 2 + 0.0033 * table.units).all()


def test_a_score_between_two_units_lies_halfway(page):
    assert page.evaluate(HALFWAY) == [1.5, 3, 2]
