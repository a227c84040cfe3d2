"""Saved and loaded again: bit for bit the same, whole or not at all, and never a pickle."""

import errno
import hashlib
import json
import os
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from torch import nn

from prunekit.core.errors import BadSetting, CorruptFile, PrunekitError
from prunekit.models import architectures, build, load, save
from prunekit.models.files import read_plan


def some_inputs(model, count=5):
    return torch.randn(count, *model.input_shape, generator=torch.Generator().manual_seed(0))


def outputs(model):
    with torch.no_grad():
        return model.eval()(some_inputs(model))


def narrowed_lenet():
    """A LeNet that lost one filter, one of two, and one neuron of three, as removal leaves it."""
    model = build("lenet", {"channels": [3, 2], "hidden": 3})
    blueprint, shape = model.blueprint, model.input_shape
    smaller = build("lenet", {"channels": [2, 1], "hidden": 2})
    smaller.blueprint, smaller.input_shape = blueprint, shape
    smaller.bn1.running_mean.normal_()
    return smaller


class Depthwise(nn.Module):
    """A depthwise convolution, its norm, an upsampling one, and a linear layer without bias."""

    def __init__(self, width=4, input_shape=(1, 4, 4)):
        super().__init__()
        self.expand = nn.Conv2d(1, width, 1)
        self.depthwise = nn.Conv2d(width, width, 3, groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.PReLU(width)
        self.up = nn.ConvTranspose2d(width, width, 2)
        self.fc = nn.Linear(width * 9, 2, bias=False)

    def forward(self, x):
        return self.fc(self.up(self.act(self.norm(self.depthwise(self.expand(x))))).flatten(1))


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path):
    model = build("lenet", {"channels": [2, 3], "hidden": 4}).eval()
    save(model, tmp_path)
    loaded = load(tmp_path)
    assert not loaded.training
    assert loaded.blueprint == model.blueprint
    assert (outputs(loaded) - outputs(model)).abs().max() == 0


def test_a_network_with_fewer_units_than_its_blueprint_comes_back_with_the_sizes_it_has(tmp_path):
    model = narrowed_lenet()
    save(model, tmp_path, kept={"conv1": [0, 2], "conv2": [1], "fc1": [1, 2]})
    loaded = load(tmp_path)
    assert (outputs(loaded) - outputs(model)).abs().max() == 0
    assert (loaded.conv1.out_channels, loaded.conv2.in_channels, loaded.conv2.out_channels) == (2, 2, 1)
    assert (loaded.bn1.num_features, loaded.fc1.in_features, loaded.fc1.out_features) == (2, 25, 2)
    assert read_plan(tmp_path)["kept"] == {"conv1": [0, 2], "conv2": [1], "fc1": [1, 2]}


def test_depthwise_and_transposed_convolutions_come_back_too(tmp_path, monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "depthwise", Depthwise)
    model = build("depthwise", {"width": 3})
    model.blueprint["arguments"]["width"] = 4  # as if one of four channels had been removed
    save(model, tmp_path)
    loaded = load(tmp_path)
    assert (outputs(loaded) - outputs(model)).abs().max() == 0
    assert loaded.depthwise.groups == loaded.depthwise.in_channels == loaded.up.in_channels == 3
    assert loaded.act.num_parameters == 3


def test_a_network_in_channels_last_layout_is_saved_like_any_other(tmp_path):
    model = build("lenet", {"channels": [2, 3], "hidden": 4}).to(memory_format=torch.channels_last)
    save(model, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(load(tmp_path).parameters(), model.parameters(), strict=True))


def test_it_reloads_the_same_in_a_new_process(tmp_path):
    model = narrowed_lenet()
    save(model, tmp_path)
    safetensors.torch.save_file({"inputs": some_inputs(model)}, tmp_path / "inputs")
    program = (
        "import sys, torch, safetensors.torch as st\n"
        "from prunekit.models import load\n"
        "folder = sys.argv[1]\n"
        "with torch.no_grad():\n"
        "    outputs = load(folder)(st.load_file(folder + '/inputs')['inputs'])\n"
        "st.save_file({'outputs': outputs}, folder + '/outputs')\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=120)
    there = safetensors.torch.load_file(tmp_path / "outputs")["outputs"]
    assert (there - outputs(model)).abs().max() == 0


def test_the_plan_says_what_is_in_the_file_and_where_it_comes_from(tmp_path):
    save(narrowed_lenet(), tmp_path, provenance={"seed": 3})
    plan = read_plan(tmp_path)
    assert plan["provenance"] == {"seed": 3}
    assert plan["shapes"]["conv2.weight"] == [1, 2, 5, 5]
    assert plan["checksum"] == hashlib.sha256((tmp_path / "weights.safetensors").read_bytes()).hexdigest()


def test_saving_leaves_the_network_and_torchs_random_state_as_they_were(tmp_path):
    model = build("lenet").train()
    before, random = {n: t.clone() for n, t in model.state_dict().items()}, torch.get_rng_state()
    save(model, tmp_path)
    load(tmp_path)
    assert model.training
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_a_network_that_cannot_be_built_again_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadSetting, match=r"set model\.blueprint"):
        save(nn.Linear(2, 2), tmp_path / "a")
    other = build("mlp")
    other.blueprint = build("lenet").blueprint
    with pytest.raises(BadSetting, match="cannot be built again"):
        save(other, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl"])
def test_a_pickle_is_refused_and_never_opened(tmp_path, suffix):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    file = tmp_path / f"model{suffix}"
    torch.save(Trap(), file)
    for given in (file, tmp_path):
        with pytest.raises(CorruptFile, match="is a pickle"):
            load(given)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_under_the_name_of_safetensors_is_refused_too(tmp_path):
    save(build("mlp"), tmp_path)
    torch.save({}, tmp_path / "weights.safetensors")
    adopt(tmp_path)
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)


def test_an_empty_folder_says_what_a_folder_should_hold(tmp_path):
    with pytest.raises(CorruptFile, match=r"holds weights\.safetensors and plan\.json"):
        load(tmp_path)


def adopt(folder, **changes):
    """Writes changes into the plan, with the checksum of the weights as they are now."""
    path = folder / "plan.json"
    checksum = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"checksum": checksum} | changes))


def test_cut_weights_are_refused(tmp_path):
    save(build("mlp"), tmp_path)
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)
    adopt(tmp_path)  # also where the plan vouches for them
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', "\xff"])
def test_a_plan_that_is_no_plan_is_refused(tmp_path, text):
    save(build("mlp"), tmp_path)
    (tmp_path / "plan.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CorruptFile, match=r"plan\.json .*; save or export the network again"):
        load(tmp_path)


def test_a_plan_from_the_future_is_refused(tmp_path):
    save(build("mlp"), tmp_path)
    adopt(tmp_path, format=99)
    with pytest.raises(CorruptFile, match="newer prunekit"):
        load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"shapes": {}},
        {"blueprint": {}},
        {"blueprint": {"architecture": "lenet", "arguments": {}}},
        {"blueprint": {"architecture": "vgg", "arguments": {}}},
        {"blueprint": {"architecture": "mlp", "arguments": {"hidden": "x"}}},
        {"blueprint": {"architecture": "mlp", "arguments": {"input_shape": [1, 9, 9]}}},
    ],
)
def test_files_that_contradict_each_other_are_refused(tmp_path, changes):
    save(build("mlp", {"hidden": [3, 3, 3]}), tmp_path)
    adopt(tmp_path, **changes)
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)


@pytest.mark.parametrize("groups", [0, 3, "many"])
def test_groups_that_do_not_divide_the_channels_are_refused(tmp_path, groups):
    save(build("lenet", {"channels": [2, 2], "hidden": 2}), tmp_path)
    adopt(tmp_path, groups={"conv2": groups})
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)


def test_tensors_whose_sizes_do_not_go_together_are_refused(tmp_path):
    model = build("mlp", {"hidden": [3]})
    model.fc2 = nn.Linear(4, 10)  # takes four where three come
    save(model, tmp_path)
    with pytest.raises(CorruptFile, match="is damaged"):
        load(tmp_path)


def test_a_full_disk_gets_one_sentence_and_what_was_there_stays(tmp_path, monkeypatch):
    model = build("mlp")
    save(model, tmp_path)
    before = outputs(model)

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PrunekitError, match="disk is full; free some space"):
        save(build("mlp"), tmp_path)
    assert torch.equal(outputs(load(tmp_path)), before)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.json", "weights.safetensors"]


def test_a_folder_that_cannot_be_written_to_gets_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunekitError, match="choose another folder"):
        save(build("mlp"), tmp_path / "file")
