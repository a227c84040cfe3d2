"""Sheets of images: round trip to the last bit, both layouts, one sentence for a damaged one."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from prunekit.core.errors import CorruptFile
from prunekit.data.sheets import COLUMNS, read_classes, read_sheet, write_classes, write_sheet

SIZE = 4
IMAGES = np.random.RandomState(0).randint(0, 256, (2 * COLUMNS, SIZE, SIZE, 3), dtype=np.uint8)


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    write_sheet(tmp_path / "a.webp", IMAGES)
    assert np.array_equal(read_sheet(tmp_path / "a.webp", SIZE), IMAGES)


def test_equal_images_give_equal_files(tmp_path):
    for name in ("a.webp", "b.webp"):
        write_sheet(tmp_path / name, IMAGES)
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()


def test_tiles_are_read_from_left_to_right_and_from_top_to_bottom(tmp_path):
    # Six tiles of 2x2 in two rows of three; tile i is i everywhere.
    sheet = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3), np.ones((2, 2), dtype=np.uint8))
    Image.fromarray(np.stack([sheet] * 3, axis=-1)).save(tmp_path / "tiles.png")
    found = read_sheet(tmp_path / "tiles.png", 2)
    assert found.shape == (6, 2, 2, 3)
    assert [image.ravel().tolist() for image in found] == [[i] * 12 for i in range(6)]


def test_a_file_with_an_image_in_each_row_of_pixels_is_read_row_by_row(tmp_path):
    images = IMAGES[:3]
    Image.fromarray(images.reshape(3, SIZE * SIZE, 3)).save(tmp_path / "rows.png")
    assert np.array_equal(read_sheet(tmp_path / "rows.png", SIZE), images)


def png_of(shape) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(np.random.RandomState(1).randint(0, 256, (*shape, 3), dtype=np.uint8)).save(memory, "PNG")
    return memory.getvalue()


def damaged():
    whole = png_of((40, 40))
    return {
        "empty": b"",
        "no image": b"<html>not found</html>",
        "cut header": whole[:20],
        "cut pixels": whole[: len(whole) // 2],
        "altered pixels": whole[:100] + bytes(60) + whole[160:],
        "altered chunk": whole.replace(b"IDAT", b"\0DAT"),
        "not a multiple": png_of((SIZE, SIZE * 3 + 1)),
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_sheet_gets_one_sentence_with_its_name(tmp_path, kind):
    (tmp_path / "train.png").write_bytes(damaged()[kind])
    with pytest.raises(CorruptFile, match=r"train\.png is damaged or cut short; .*\.$"):
        read_sheet(tmp_path / "train.png", SIZE)


def test_a_cut_webp_gets_the_same_sentence(tmp_path):
    write_sheet(tmp_path / "train.webp", IMAGES)
    whole = (tmp_path / "train.webp").read_bytes()
    (tmp_path / "train.webp").write_bytes(whole[:-100])
    with pytest.raises(CorruptFile, match=r"train\.webp is damaged"):
        read_sheet(tmp_path / "train.webp", SIZE)


def test_a_file_that_is_not_there_gets_the_same_sentence(tmp_path):
    for read in (lambda path: read_sheet(path, SIZE), read_classes):
        with pytest.raises(CorruptFile, match="gone is damaged"):
            read(tmp_path / "gone")


def test_classes_are_read_as_written(tmp_path):
    write_classes(tmp_path / "classes.json", np.array([3, 1, 2]))
    assert read_classes(tmp_path / "classes.json").tolist() == [3, 1, 2]


@pytest.mark.parametrize("found", ["", "[1, 2", "{}", "[]", "[1.5]", "[true]", "[[1], [2]]", '["1"]', "[-1]"])
def test_classes_that_are_no_list_of_numbers_are_refused(tmp_path, found):
    (tmp_path / "classes.json").write_text(found)
    with pytest.raises(CorruptFile, match=r"classes\.json is damaged"):
        read_classes(tmp_path / "classes.json")


def test_a_number_too_large_for_any_class_is_refused_and_not_an_overflow(tmp_path):
    (tmp_path / "classes.json").write_text(json.dumps([10**30]))
    with pytest.raises(CorruptFile):
        read_classes(tmp_path / "classes.json")
