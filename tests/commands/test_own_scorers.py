"""A criterion of one's own: named once, it is everywhere; and where its file is amiss, one sentence says so."""

import json
import os
import re
import subprocess
import sys

import pytest

from prunekit.commands.own_scorers import use
from prunekit.core.errors import BadSetting
from prunekit.models import load_model
from prunekit.scoring.own import read_scorers
from tests.browser.driving import free_port
from tests.readme import ROOT, criterion_example

MODEL = "mlp-digits"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(criterion_example(), encoding="utf-8")
    return path


def prunekit(*words: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "prunekit", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=300
    )


def answer(done: subprocess.CompletedProcess) -> dict:
    return json.loads(done.stdout.splitlines()[-1])


def test_the_readme_s_criterion_scores_and_takes_its_setting(file):
    words = ("score", "--scorer-file", file, "--model", MODEL, "--scorer", "peak", "--json", "--granularity")
    found = answer(prunekit(*words, "channel", "--knob", "power=2"))
    weights = dict(load_model(MODEL).named_parameters())
    for row in found["rows"]:
        largest = weights[f"{row['name']}.weight"].detach().abs().amax(1).square()
        assert row["highest"] == pytest.approx(largest.max().item())
        assert row["mean"] == pytest.approx(largest.mean().item())
    assert answer(prunekit(*words, "weight"))["rows"][0]["units"] > 1000


def test_a_run_prunes_by_it_and_tells_the_command_that_repeats_it(file, tmp_path):
    words = ("prune", "--model", MODEL, "--scorer", "peak", "--target", "sparsity=0.5", "--epochs", "0", "--json")
    done = prunekit(*words, "--scorer-file", file, "--out", tmp_path / "pruned")
    assert done.returncode == 0, done.stderr
    assert answer(done)["sparsity_actual"] == 0.5
    assert answer(prunekit(*words, PRUNEKIT_SCORERS=str(file)))["sparsity_actual"] == 0.5
    assert prunekit(*words).returncode == 2


WRITTEN_ON = """
import os, subprocess, sys
from pathlib import Path
from prunekit.commands.own_scorers import use
file = Path(sys.argv[1])
use(str(file))
before = file.stat()
file.write_text(file.read_text(encoding="utf-8").replace("amax", "amin"), encoding="utf-8")
os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
code = "from prunekit.models import load_model; from prunekit.scoring import score;"
code += "print(score(load_model('mlp-digits'), 'peak', granularity='channel')['fc1'].max().item())"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
"""


def test_processes_that_start_later_take_the_file_as_it_was(file):
    words = [sys.executable, "-c", WRITTEN_ON, str(file)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    largest = dict(load_model(MODEL).named_parameters())["fc1.weight"].abs().amax(1).max().item()
    assert float(done.stdout) == pytest.approx(largest)
    assert not (file.parent / "__pycache__").exists()


def test_classes_that_others_are_derived_from_and_second_names_are_no_criteria(file):
    more = "\n\nclass _Half(Coupled):\n    pass\n\n\nBest = Peak\n"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert prunekit("score", "--scorer-file", file, "--model", MODEL, "--scorer", "peak").returncode == 0


SERVER = """
import sys
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.recipe import Recipe
from prunekit.experiments.shipped import sources_hash
from prunekit.reports.colours import colour_of, shape_of
peak = scorer_descriptions()["peak"]
recipe = Recipe("mlp-digits", scorer="peak")
assert [k.name for k in peak.own_knobs("channel")] == ["power"] and recipe.knobs == {"power": 1.0}
assert "--scorer-file" in recipe.command() and "--scorer-file" not in Recipe("mlp-digits").command()
assert len({(colour_of(n), shape_of(n)) for n in scorer_descriptions()}) == len(scorer_descriptions())
assert "torch" not in sys.modules
print(recipe.fingerprint, Recipe("mlp-digits").fingerprint, sources_hash())
"""


def in_a_server(file) -> list[str]:
    """What a process without torch is told of the file: fingerprints of its recipe and another, that of the code."""
    code = f"import sys; from pathlib import Path; from prunekit.commands.own_scorers import use; use({str(file)!r})\n"
    words = [sys.executable, "-c", code + SERVER]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_another_file_is_another_criterion_and_other_answers_even_under_the_same_name(file):
    before = in_a_server(file)
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    after = in_a_server(file)
    assert before[0] != after[0], "runs of the old file would stand for runs of the new one"
    assert before[1] == after[1], "recipes that have nothing to do with it are others now"
    assert before[2] != after[2], "an engine with the old file would answer for the new one"


HEAD = """from dataclasses import dataclass
from prunekit.core.settings import setting
from prunekit.scoring import Coupled
"""
RULES = """
 def of_weights(self, seen, name): return seen.weights[name]
 def of_members(self, seen, group): return None
"""
CLASS = 'class A(Coupled):\n label, formula, help, source = "a", "a", "a", "a"\n name = '
WRONG = {
    "import sys; sys.exit()": r"mine\.py cannot be read: SystemExit",
    "x = 1 / 0": r"mine\.py cannot be read: ZeroDivisionError: division by zero",
    "def": r"mine\.py cannot be read: SyntaxError",
    "": r"mine\.py has no criteria: classes derived from Scorer or Coupled of prunekit\.scoring",
    "class Rest(Coupled): pass": r"Rest: it lacks of_members, of_weights",
    CLASS + '""\n label = " "': "mine.py, A: it needs name, label, formula, help and source",
    CLASS + '"A b"': "small letters, digits and _, not “A b”",
    CLASS + '"taylor"': "“taylor” already",
    CLASS + '"a"\n needs = "luck"': "needs must be one of weights, .*, not “luck”",
    CLASS + '"a"\n each = "exampel"': "each: batch, example, set",
    CLASS + '"a"\n of = "Loss"': "of: loss, output",
    CLASS + '"a"\n curved = True': "curved only with each = “set”",
    "@dataclass(frozen=True)\n" + CLASS + '"a"\n k: tuple = setting((1,), "K", "k")': "“k” must be a number",
    "@dataclass(frozen=True)\n" + CLASS + '"a"\n k: str = setting("b", "K", "k")': "“k” must be a number",
    CLASS + '"a"\n needs = "losses"': "has a setting “examples”",
    CLASS + '"a"\n granularities = ("head",)': "granularities must be some of weight, channel",
    CLASS + '"a"\n k: int = setting(1, "K", "k")': r"begins with @dataclass\(frozen=True\)",
    "@dataclass(frozen=True)\n" + CLASS + '"a"\n k: int = setting(5, "K", "k", 1, 3)': "K must be between 1 and 3",
}


@pytest.mark.parametrize("content", WRONG)
def test_a_file_that_will_not_do_is_refused_in_one_sentence(content):
    text = HEAD + content + (RULES if CLASS in content else "")
    with pytest.raises(BadSetting, match=WRONG[content]):
        read_scorers("/home/me/mine.py", text, {"taylor"})


@pytest.mark.parametrize("content", ["import os; os._exit(3)", "print('hello'); import os; os._exit(0)", "1 / 0"])
def test_a_refused_file_is_told_in_one_sentence_whatever_it_does_to_its_reader(tmp_path, monkeypatch, content):
    monkeypatch.delenv("PRUNEKIT_SCORERS", raising=False)
    path = tmp_path / "mine.py"
    path.write_text(content, encoding="utf-8")
    told = "cannot be read: ZeroDivisionError" if content == "1 / 0" else "ended the process that read it"
    with pytest.raises(BadSetting, match=rf"mine\.py {told}"):
        use(str(path))
    assert "PRUNEKIT_SCORERS" not in os.environ


def test_a_file_that_is_not_there_is_told_by_the_app_before_it_serves(tmp_path):
    done = prunekit("app", "--no-browser", "--port", str(free_port()), "--scorers", tmp_path / "none.py")
    assert done.returncode == 2
    assert re.fullmatch(r"prunekit: The file .*none\.py cannot be read as a text of Python\.\n", done.stderr)


def test_the_tests_of_every_criterion_are_its_tests_too(file):
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/scoring/test_every_scorer.py"]
    done = subprocess.run(
        [*words, "-k", "peak and nothing_given"],
        cwd=ROOT,
        env=os.environ | {"PRUNEKIT_SCORERS": str(file)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "." * 10)  # two nets, five granularities
