"""Small images as one: every pixel in its place."""

import numpy as np
import pytest

from prunekit.reports.mosaic import ABOVE, BELOW, GAP, LARGEST, NEUTRAL, PRUNED, mosaic, painted, signed, with_mask


def test_signs_have_their_colours_and_nothing_is_neutral():
    seen = signed(np.array([[2.0, -2.0, 0.0]]), 2.0)[0]
    assert [tuple(pixel) for pixel in seen.tolist()] == [ABOVE, BELOW, NEUTRAL]


def test_all_images_share_one_scale():
    images = np.stack([np.full((2, 2), 1.0), np.full((2, 2), -0.5)])
    full, half = painted(images)[:, 0, 0].astype(int)
    assert tuple(full) == ABOVE
    assert np.abs(half - (np.array(NEUTRAL) + np.array(BELOW)) / 2).max() <= 1


def test_filters_of_three_inputs_are_in_their_colours():
    images = np.array([[[[1.0, 0.0, -1.0]]]])
    assert painted(images).tolist() == [[[[255, 128, 0]]]]


def test_images_lie_side_by_side_with_gaps_that_the_page_shines_through():
    images = painted(np.stack([np.full((2, 2), float(i + 1)) for i in range(5)]))
    sheet = mosaic(images, widest=1)
    rows, columns = (side + GAP for side in sheet.shape[:2])
    assert (rows % 3, columns % 3) == (0, 0)
    across = columns // 3
    for i, image in enumerate(images):
        y, x = (i // across) * 3, (i % across) * 3
        assert (sheet[y : y + 2, x : x + 2, :3] == image).all()
        assert (sheet[y : y + 2, x : x + 2, 3] == 255).all()
    assert int((sheet[..., 3] == 255).sum()) == 5 * 4


@pytest.mark.parametrize(("widest", "times"), [(9, 3), (2, 1), (1, 1), (10_000, LARGEST)])
def test_pixels_become_squares_as_large_as_fits(widest, times):
    sheet = mosaic(np.zeros((1, 2, 2, 3), np.uint8), widest=widest)
    assert sheet.shape == (2 * times, 2 * times, 4)


def test_what_is_pruned_is_grey():
    seen = with_mask(np.array([[1.0, -1.0]]), np.array([[True, False]]), widest=2)
    assert tuple(seen[0, 1]) == PRUNED
    assert tuple(seen[0, 0]) == ABOVE


def test_no_image_is_no_mosaic():
    with pytest.raises(ValueError, match="no image"):
        mosaic(np.zeros((0, 2, 2, 3), np.uint8))


def test_parts_of_a_set_are_enlarged_like_the_whole():
    images = np.zeros((12, 4, 4, 3), np.uint8)
    # Six of them stand side by side, in 30 columns with their gaps: six pixels fit for each.
    assert mosaic(images, 200).shape[:2] == (6 * 9, 6 * 29)
    assert mosaic(images[:2], 200, like=12).shape[:2] == (6 * 4, 6 * 9)
    assert mosaic(images[:2], 200).shape[:2] == (LARGEST * 4, LARGEST * 9)
