"""The shape of the project, held: imports point down, pages are thin, every file says what it is, no torch upstairs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "prunekit"

# Lower number, lower floor; a package may import from floors below its own, never from its own neighbours.
FLOORS = {
    "core": 0,
    "masks": 1,
    "structure": 2,
    **dict.fromkeys(("models", "data", "scoring", "selection", "schedules", "surgery", "gating", "training"), 3),
    **dict.fromkeys(("quantization", "measurement", "export"), 3),
    "pruning": 4,
    "experiments": 5,
    "reports": 6,
    "ui": 7,
    "commands": 8,
}
TOP = 9  # app.py, pages/, __main__.py

SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *PACKAGE.rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "sample_models").rglob("*.py"))
names = [str(path.relative_to(ROOT)) for path in SOURCES]


def home_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "prunekit" and len(parts) > 1 else ""


def imports_of(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from prunekit import x` imports the package x.
            found += [f"prunekit.{a.name}" for a in node.names] if node.module == "prunekit" else [node.module]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_imports_point_down(path):
    home = home_of(path)
    floor = FLOORS.get(home, TOP)
    for module in imports_of(path):
        if not module.startswith("prunekit."):
            continue
        target = module.split(".")[1]
        assert target in FLOORS, f"{path.name} imports {module}, which has no floor in this test"
        allowed = target == home or FLOORS[target] < floor
        assert allowed, f"{path.relative_to(ROOT)} may not import {module}: imports point down"


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_streamlit_and_dask_stay_in_their_places(path):
    home = home_of(path)
    for module in imports_of(path):
        top = module.split(".")[0]
        if top == "streamlit":
            assert home in ("ui", ""), f"{path.name} imports streamlit"
            assert path.name != "__main__.py", "the command line imports streamlit"
        if top in ("dask", "distributed"):
            assert home == "experiments", f"{path.name} imports {top}"
        if top in ("torch", "torchvision", "torch_pruning", "safetensors"):
            assert home not in ("core", "reports", "ui", "") or path == PACKAGE / "__init__.py", f"{path.name}: {top}"


@pytest.mark.parametrize("name", ["engine", "store"])
def test_engine_and_store_know_nothing_between_core_and_themselves(name):
    for module in imports_of(PACKAGE / "experiments" / f"{name}.py"):
        if module.startswith("prunekit."):
            assert module.split(".")[1] in ("core", "experiments"), f"{name}.py imports {module}"


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_opens_with_one_line_that_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text), clean=False)
    assert docstring, f"{path} does not say what it is"
    first, *rest = docstring.split("\n")
    assert first.strip(), f"{path}: the first line is empty"
    assert not rest or not rest[0].strip(), f"{path}: the opening sentence does not fit on its line"


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_pages_are_thin(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


def test_no_file_is_a_drawer():
    drawers = {"utils", "helpers", "common", "misc", "manager"}
    assert not [p for p in SOURCES if p.stem in drawers or drawers & set(p.parent.parts[-2:])]


def test_the_top_level_is_what_the_customer_asked_for():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    wanted = {"app.py", "pages", "prunekit", "sample_models", "tests", "requirements.txt"}
    around = {"README.md", "LICENSE", "Makefile", "pyproject.toml", ".ci", ".streamlit", ".gitignore", "docs"}
    assert wanted <= top <= wanted | around


def test_importing_prunekit_is_fast_because_it_imports_no_torch():
    code = "import sys, prunekit; assert 'torch' not in sys.modules; prunekit.Recipe; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


SERVER = """
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
for page in [None, *sorted(Path("pages").glob("*.py"))]:
    at = AppTest.from_file("app.py", default_timeout=60)
    if page:
        at.switch_page(str(page))
    at.run()
    assert not at.exception, (page, at.exception)
loaded = sorted(m for m in ("torch", "torchvision", "torch_pruning", "sklearn") if m in sys.modules)
assert not loaded, loaded
import distributed  # the engine's client is part of the server, and brings no torch either
assert "torch" not in sys.modules
"""


def test_the_web_server_imports_no_torch_whatever_page_is_opened(tmp_path):
    environment = os.environ | {"PRUNEKIT_HOME": str(tmp_path), "PRUNEKIT_ENGINE": "off"}
    done = subprocess.run(
        [sys.executable, "-c", SERVER], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
