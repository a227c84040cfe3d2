"""What is shipped with the sample models is what the code says today."""

import json

import numpy as np
import pytest

from prunekit.core import descriptions
from prunekit.core.packing import unpack
from prunekit.experiments import shipping
from prunekit.experiments.engine import Engine
from prunekit.experiments.shipped import FOLDER, answer_key, shipped_answer, sources_hash

# Gradients are sums that nearly cancel: between CPUs with AVX2 and with AVX-512, scores of the VGG differ by up to
# half a thousandth, and a score at the edge of a bar is counted beside it.
CLOSE = 1e-3


def same(a, b, name: str = "") -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape or np.array_equal(a, b):
            return a.shape == b.shape
        if name == "counts":
            return bool(np.abs(np.cumsum(a - b)).max() <= 1) and a.sum() == b.sum()
        return a.dtype.kind == "f" and np.allclose(a, b, rtol=CLOSE, atol=1e-7)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k], k) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b or (isinstance(a, float) and abs(a - b) <= CLOSE * abs(a))


def test_the_shipped_answers_belong_to_this_state_of_the_code():
    recorded = json.loads((FOLDER / "index.json").read_text())["sources"]
    assert recorded == sources_hash(), "run `make shipped` and commit what it writes"


@pytest.mark.parametrize(("name", "args"), shipping.questions(), ids=str)
def test_a_shipped_answer_is_what_the_code_answers(name, args):
    packed = shipped_answer(answer_key(name, args))
    assert packed is not None, "run `make shipped` and commit what it writes"
    assert same(unpack(packed), unpack(shipping.answer(name, args)))


def test_the_descriptions_are_those_of_the_scorers():
    from prunekit.scoring import describe

    assert json.loads(descriptions.FILE.read_text(encoding="utf-8")) == json.loads(json.dumps(describe()))


def test_the_first_pages_of_the_sample_models_need_no_engine(tmp_path):
    engine = Engine(tmp_path)
    engine.enabled = False
    for name, args in shipping.questions():
        assert engine.ask(name, *args), name
