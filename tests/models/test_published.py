"""Published weights: fetched from a real server on this machine, checked, never run, and never half there."""

import hashlib
import http.server
import io
import os
import threading
import time
from pathlib import Path

import pytest
import torch

from prunekit.core.cards import model_card
from prunekit.core.errors import ComingLater, CorruptFile, PrunekitError, Unreachable
from prunekit.core.torchvision import PublishedWeights, published_weights
from prunekit.models import load_model, published

ID = "torchvision/squeezenet1_1/published"


class Server:
    """Serves one file; `hold` keeps it back, `cut` leaves off its end."""

    def __init__(self):
        self.content, self.asked, self.cut = b"", 0, 0
        self.go = threading.Event()
        self.go.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                half = len(outer.content) // 2
                self.wfile.write(outer.content[:half])
                outer.go.wait(10)
                self.wfile.write(outer.content[half : len(outer.content) - outer.cut])

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_who: None  # a visitor who hangs up is what some tests are about
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server with the weights of an untrained network, all ones, under a name with their hash."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(published, "_under_way", {})
    monkeypatch.setattr(published, "TELL_SECONDS", 0.0)
    served = Server()
    yield served
    served.go.set()
    served.server.shutdown()
    served.server.server_close()


def publish(server: Server, monkeypatch, tensors, digest: str = "") -> PublishedWeights:
    packed = io.BytesIO()
    torch.save(tensors, packed)
    server.content = packed.getvalue()
    digest = digest or hashlib.sha256(server.content).hexdigest()[:8]
    url = f"{server.address}/models/squeezenet1_1-{digest}.pth"
    given = PublishedWeights("IMAGENET1K_V1", url, len(server.content), 0.58, 1000, "", False)
    monkeypatch.setattr(published, "published_weights", lambda _id: given)
    return given


@pytest.fixture
def ones():
    """The state dict of the network with 1 everywhere."""
    model = load_model("torchvision/squeezenet1_1")
    return {name: torch.ones_like(tensor) for name, tensor in model.state_dict().items()}


def left_in(folder) -> list[str]:
    return sorted(os.listdir(folder))


def test_they_are_fetched_once_loaded_into_the_network_and_told_of(server, ones, monkeypatch):
    given, told = publish(server, monkeypatch, ones), []
    for _turn in range(2):
        model = load_model(ID, report=told.append)
        assert all(bool((tensor == 1).all()) for tensor in model.state_dict().values())
    assert not model.training
    assert server.asked == 1
    assert left_in(given.path.parent) == [given.file]
    assert told
    assert all(sentence.startswith(f"Fetching the published weights {given.file}") for sentence in told)


def test_a_file_with_another_hash_is_not_kept(server, ones, monkeypatch):
    given = publish(server, monkeypatch, ones, digest="00000000")
    with pytest.raises(CorruptFile, match="is not the file"):
        load_model(ID)
    assert left_in(given.path.parent) == []


def test_a_line_that_breaks_leaves_nothing_behind_and_the_next_try_starts_afresh(server, ones, monkeypatch):
    given, server.cut = publish(server, monkeypatch, ones), 1000
    with pytest.raises(PrunekitError, match=r"untrained network"):
        load_model(ID)
    assert left_in(given.path.parent) == []
    server.cut = 0
    load_model(ID)


def test_a_file_that_was_damaged_on_the_disk_is_said_and_not_loaded(server, ones, monkeypatch):
    given = publish(server, monkeypatch, ones)
    path = published.fetch(given)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFile, match=r"delete it, and it is fetched again\.$"):
        load_model(ID)


class Program:
    """What a pickle can do when it is opened."""

    def __reduce__(self):
        return os.putenv, ("PRUNEKIT_RAN", "1")


def test_a_pickle_with_a_program_in_it_is_not_opened_even_with_the_right_hash(server, monkeypatch):
    publish(server, monkeypatch, {"features.0.weight": Program()})
    with pytest.raises(CorruptFile, match="more than weights"):
        load_model(ID)


def test_weights_of_another_network_are_refused(server, monkeypatch):
    publish(server, monkeypatch, {"conv.weight": torch.ones(3)})
    with pytest.raises(CorruptFile, match="do not fit"):
        load_model(ID)


def test_without_a_server_one_sentence_offers_the_untrained_network(server, ones, monkeypatch):
    given = publish(server, monkeypatch, ones)
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(Unreachable, match=r"cannot reach 127\.0\.0\.1.* take the untrained network"):
        load_model(ID)
    assert left_in(given.path.parent) == []


def test_a_server_that_falls_silent_is_given_up(server, ones, monkeypatch):
    publish(server, monkeypatch, ones)
    monkeypatch.setattr(published, "PATIENCE", 0.3)
    server.go.clear()
    with pytest.raises(Unreachable):
        load_model(ID)


def test_a_full_disk_is_said(server, ones, monkeypatch):
    publish(server, monkeypatch, ones)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(published.tempfile, "mkstemp", full)
    with pytest.raises(PrunekitError, match="disk is full"):
        load_model(ID)


def test_beside_other_work_it_comes_later_and_says_how_far_it_is(server, ones, monkeypatch):
    publish(server, monkeypatch, ones)
    monkeypatch.setattr(published, "PIECE", 2**16)
    server.go.clear()
    said = set()
    for _turn in range(5):
        with pytest.raises(ComingLater) as later:
            published.fetched_or_later(model_card(ID))
        said.add(str(later.value).split()[0])
    assert "Fetching" in said
    server.go.set()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            published.fetched_or_later(model_card(ID))
            break
        except ComingLater:
            time.sleep(0.05)
    load_model(ID)
    assert server.asked == 1


def test_beside_other_work_a_failure_is_told_to_all_who_ask_soon_and_then_tried_again(server, ones, monkeypatch):
    publish(server, monkeypatch, ones, digest="00000000")
    for _turn in range(3):
        with pytest.raises(CorruptFile):
            published.fetched_or_later(model_card(ID))
    assert server.asked == 1
    monkeypatch.setattr(published, "REMEMBER_SECONDS", 0)
    with pytest.raises(CorruptFile):
        published.fetched_or_later(model_card(ID))
    assert server.asked == 2


def test_older_names_of_densenets_layers_and_auxiliary_heads_fit_too(server, monkeypatch):
    for name, old in (("densenet121", densenet_as_published), ("googlenet", googlenet_as_published)):
        model = load_model(f"torchvision/{name}")
        publish(server, monkeypatch, old(model))
        loaded = load_model(f"torchvision/{name}/published")
        assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))


def densenet_as_published(model) -> dict:
    found = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):  # younger than the file
            continue
        for kind in ("norm", "conv"):
            if "denselayer" in name:
                name = name.replace(f".{kind}1.", f".{kind}.1.").replace(f".{kind}2.", f".{kind}.2.")
        found[name] = tensor
    assert any(".norm.1." in name for name in found)
    return found


def googlenet_as_published(model) -> dict:
    return model.state_dict() | {"aux1.conv.conv.weight": torch.ones(2), "aux2.fc1.bias": torch.ones(2)}


@pytest.mark.parametrize("home", [None, "elsewhere"])
def test_the_weights_are_where_torch_would_put_them(home, monkeypatch, tmp_path):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if home:
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / home))
    weights = published_weights("torchvision/resnet18/published")
    assert weights.path == Path(torch.hub.get_dir()) / "checkpoints" / weights.file
