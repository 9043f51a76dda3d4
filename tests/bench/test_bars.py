# SPDX-License-Identifier: MIT
"""The figures, from samples whose figures are known."""
import bars
from run import Sample

FLOOR_RUNNING = next(bar for bar in bars.BARS if bar.name == 'floor-running')


def samples(*walls):
    return [Sample(wall, 2 * wall, 20) for wall in walls]


def test_start_up_cancels_out_of_the_running_figure():
    seconds = {'camera/blurthumb': 1 + 0.5, 'camera10/blurthumb': 10 + 0.5,
               'camera/floor': 0.8, 'camera10/floor': 8}
    figure = bars.figure(FLOOR_RUNNING, {row: samples(*[wall] * 5) for row, wall in seconds.items()})
    assert abs(figure.value - 1.25) < 1e-9 and abs(figure.cpu - 1.25) < 1e-9
    assert not figure.is_met()


def test_value_is_of_the_medians_and_quartiles_are_of_the_rounds():
    bar = bars.Bar('x', 'x', bars.ratio('s/a', 's/b'), '>=', 3)
    figure = bars.figure(bar, {'s/a': samples(2, 3, 4, 5, 60), 's/b': samples(1, 1, 1, 1, 10)})
    assert (figure.value, figure.low, figure.high) == (4, 3, 5)
    assert figure.is_met()


def test_a_row_that_was_not_run_gives_no_figure():
    assert bars.figure(FLOOR_RUNNING, {'camera/floor': samples(1)}) is None
