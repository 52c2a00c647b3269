import random

import pytest

from training import windows


@pytest.mark.parametrize("n, rows, columns, most", [(1, 31, 40, 0), (5, 15, 20, 4), (2, 16, 21, 1), (3, 30, 20, 2)])
def test_windows_that_do_not_fit_are_an_error(n, rows, columns, most):
    with pytest.raises(ValueError, match=f"{n} windows of {16 * columns}x{16 * rows} pixels do not fit a frame of 640x480 without overlap: at most {most} do"):
        windows.place(n, rows, columns, (640, 480), random.Random(0))


@pytest.mark.parametrize("n, rows, columns, size", [(4, 15, 20, (640, 480)), (5, 6, 8, (660, 112)), (16, 8, 10, (645, 530)), (1, 30, 40, (640, 480))])
def test_windows_that_just_fit_are_placed(n, rows, columns, size):
    for seed in range(20):
        spots = windows.place(n, rows, columns, size, random.Random(seed))
        cells = {(x + i, y + j) for x, y in spots for i in range(columns) for j in range(rows)}
        assert len(spots) == n and len(cells) == n * rows * columns, "windows overlap"
        assert min(min(c) for c in cells) >= 0 and max(c[0] for c in cells) < size[0] // 16 and max(c[1] for c in cells) < size[1] // 16
