"""Downloads with torchvision from a server on this machine: whole and checked, or not there at all."""

import errno
import gzip
import hashlib
import io
import pickle
import shutil
import socket
import tarfile

import numpy as np
import pytest
from filelock import FileLock
from torchvision.datasets import CIFAR10, FashionMNIST

from prunekit.core.data_folder import has_full_set
from prunekit.core.errors import BadSetting, CorruptFile, StoreUnavailable, UnknownName, Unreachable
from prunekit.data import download as module
from prunekit.data import load_dataset
from prunekit.data.download import download
from prunekit.data.idx import write_idx
from tests.data.download_server import Server, serving

EACH = 40  # pictures in each of the made-up batches


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def made_up_batches() -> dict[str, bytes]:
    """What is in CIFAR-10's archive, with EACH pictures a file; those of file i are i everywhere."""
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    labels = [k % 10 for k in range(EACH)]
    files = {
        name: pickle.dumps({"data": np.full((EACH, 3072), i, dtype=np.uint8), "labels": labels})
        for i, name in enumerate(names)
    }
    return files | {"batches.meta": pickle.dumps({"label_names": ["a"] * 10})}


def packed(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return memory.getvalue() + bytes(300_000)  # some weight, so that it comes in several pieces


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder that is not there yet."""
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    return tmp_path / "data"


@pytest.fixture
def cifar(folder, monkeypatch):
    """A server with a made-up CIFAR-10, and torchvision told where it is and its checksums."""
    files = made_up_batches()
    archive = packed(files)
    with serving(Server({"cifar-10-python.tar.gz": archive})) as server:
        monkeypatch.setattr(CIFAR10, "url", server.address + "cifar-10-python.tar.gz")
        monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
        monkeypatch.setattr(CIFAR10, "train_list", [[name, md5(files[name])] for name in files if "data" in name])
        monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(files["test_batch"])]])
        monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5(files["batches.meta"])})
        yield server


@pytest.fixture
def fashion(folder, tmp_path, monkeypatch):
    """The same for a made-up Fashion-MNIST of 100 + 20 pictures."""
    served, listed = {}, []
    for part, count in (("train", 100), ("t10k", 20)):
        for kind, array in (("images-idx3", np.zeros((count, 28, 28))), ("labels-idx1", np.arange(count) % 10)):
            path = tmp_path / f"{part}-{kind}-ubyte.gz"
            write_idx(path, array.astype(np.uint8))
            served[path.name] = path.read_bytes()
            listed.append((path.name, md5(served[path.name])))
    with serving(Server(served)) as server:
        monkeypatch.setattr(FashionMNIST, "mirrors", [server.address])
        monkeypatch.setattr(FashionMNIST, "resources", listed)
        yield server


def left_over(folder) -> list[str]:
    """What is in the data folder besides the lock."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_cifar10_is_fetched_unpacked_and_used_from_then_on(folder, cifar):
    assert not load_dataset("cifar10").full
    assert download("cifar10") is True
    data = load_dataset("cifar10")
    assert data.full
    assert len(data.train) + len(data.validation) == 5 * EACH
    assert set(data.test.inputs.unique().tolist()) == {5}
    assert left_over(folder) == ["cifar-10-batches-py"]  # no archive, nothing half done


def test_fashion_mnist_is_fetched_file_by_file(folder, fashion):
    assert download("fashion-mnist") is True
    assert [len(load_dataset("fashion-mnist", "full").test), len(set(fashion.asked))] == [20, 4]
    assert left_over(folder) == ["FashionMNIST"]
    assert not list(folder.rglob("*.gz"))


def test_a_set_that_is_there_is_not_fetched_again(cifar):
    download("cifar10")
    asked = len(cifar.asked)
    assert download("cifar10") is False
    assert len(cifar.asked) == asked


def test_progress_grows_to_the_whole(cifar, monkeypatch):
    size = len(cifar.files["cifar-10-python.tar.gz"])
    card = module.DATA_CARDS["cifar10"]
    monkeypatch.setitem(module.DATA_CARDS, "cifar10", module.DataCard(**vars(card) | {"download": size}))
    cifar.pause = 0.03
    seen = []
    download("cifar10", lambda done, total: seen.append((done, total)))
    assert {total for _done, total in seen} == {size}
    counts = [done for done, _total in seen]
    assert counts == sorted(counts)
    assert len({count for count in counts if 0 < count < size}) >= 3
    assert counts[-1] == size


def test_torchvisions_own_bar_is_kept_quiet(cifar, capfd):
    download("cifar10")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_offline_is_one_sentence_that_names_the_server(folder, name, monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]  # bound, but nobody listens
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{port}/cifar.tar.gz")
        monkeypatch.setattr(FashionMNIST, "mirrors", [f"http://127.0.0.1:{port}/"])
        with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 cannot be reached, so .* was not downloaded; .*\.$"):
            download(name)
    assert left_over(folder) == []
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_a_server_without_the_files_is_no_server(folder, cifar, fashion, name):
    cifar.files.clear()
    fashion.files.clear()
    with pytest.raises(Unreachable):
        download(name)


def test_a_server_that_falls_silent_is_given_up(folder, cifar, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.3)
    cifar.pause = 5
    with pytest.raises(Unreachable):
        download("cifar10")
    assert left_over(folder) == []


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_files_that_are_not_the_official_ones_are_refused_unopened(folder, cifar, fashion, name):
    for server in (cifar, fashion):
        for file in server.files:
            server.files[file] = gzip.compress(b"something else")
    with pytest.raises(CorruptFile, match=r"not the whole, official .*; try again\.$"):
        download(name)
    assert left_over(folder) == []


def test_a_connection_that_breaks_half_way_leaves_nothing_that_counts_as_there(folder, cifar):
    whole = cifar.files["cifar-10-python.tar.gz"]
    cifar.announced = len(whole)
    cifar.files["cifar-10-python.tar.gz"] = whole[: len(whole) // 2]
    with pytest.raises(CorruptFile, match="not the whole"):
        download("cifar10")
    assert not has_full_set("cifar10")
    cifar.files["cifar-10-python.tar.gz"] = whole
    assert download("cifar10") is True


def test_what_a_killed_try_left_is_not_taken_for_the_set(folder, fashion):
    # torchvision itself takes any unpacked file for a whole one.
    raw = folder / ".download-fashion-mnist" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in fashion.files:
        (raw / name.removesuffix(".gz")).write_bytes(b"cut short")
    assert not has_full_set("fashion-mnist")
    assert download("fashion-mnist") is True
    assert len(load_dataset("fashion-mnist", "full").test) == 20


def test_an_archive_that_a_killed_try_finished_is_not_fetched_again(folder, cifar):
    (folder / ".download-cifar10").mkdir(parents=True)
    (folder / ".download-cifar10" / "cifar-10-python.tar.gz").write_bytes(cifar.files["cifar-10-python.tar.gz"])
    assert download("cifar10") is True
    assert cifar.asked == []


def test_a_damaged_set_is_fetched_again(folder, cifar):
    download("cifar10")
    (folder / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"damaged")
    with pytest.raises(CorruptFile):
        load_dataset("cifar10")
    assert download("cifar10") is True
    assert load_dataset("cifar10").full


def test_a_second_download_at_the_same_time_is_refused_in_a_sentence(folder, cifar):
    folder.mkdir()
    with FileLock(folder / ".download-cifar10.lock"), pytest.raises(StoreUnavailable, match="already; wait"):
        download("cifar10")
    assert cifar.asked == []
    assert download("cifar10") is True


def test_a_disk_without_room_is_said_before_anything_is_fetched(folder, cifar, monkeypatch):
    full = shutil.disk_usage("/")._replace(free=100_000_000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: full)
    with pytest.raises(StoreUnavailable, match=r"no room for CIFAR-10 in .*: it takes 357 MB"):
        download("cifar10")
    assert cifar.asked == []


def test_a_disk_that_fills_up_on_the_way_is_said_and_cleared(folder, cifar, monkeypatch):
    def full(*_files):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(StoreUnavailable, match="no room"):
        download("cifar10")
    assert left_over(folder) in ([], ["cifar-10-batches-py"])
    assert not has_full_set("cifar10")


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(StoreUnavailable, match=r"cannot be written to; set PRUNEKIT_DATA"):
        download("cifar10")


def test_a_set_that_is_shipped_whole_or_unknown_is_refused():
    with pytest.raises(BadSetting, match="nothing to download"):
        download("digits")
    with pytest.raises(UnknownName, match="cifar10, digits, fashion-mnist"):
        download("cifar100")


def test_the_sizes_that_are_announced_are_those_of_torchvisions_files():
    # The server is asked for exactly these: another version of torchvision with other files must be noticed.
    assert CIFAR10.tgz_md5 == "c58f30108f718f92721af3b95e74349a"
    assert [md5 for _name, md5 in FashionMNIST.resources] == [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ]
