# SPDX-License-Identifier: MIT
"""The figures that blurthumb is held to."""
import dataclasses
import operator
import statistics

N_TIMES = 10  # the camera set is in camera10
SIGNS = {'<=': operator.le, '>=': operator.ge}


@dataclasses.dataclass(frozen=True)
class Bar:
    """`of` computes the figure from a look-up of rows ("SET/PROGRAM" to a number). Without a limit
    the figure is only told."""
    name: str
    text: str
    of: object
    sign: str = '<='
    limit: float = None
    measure: str = 'wall'
    by_cpu: bool = True


@dataclasses.dataclass(frozen=True)
class Figure:
    """`value` is the figure of the rows' medians; the quartiles are those of the rounds' figures, and
    `cpu` is the same figure of processor seconds, None where it says nothing."""
    bar: Bar
    value: float
    low: float
    high: float
    cpu: float

    def is_met(self):
        return self.bar.limit is not None and SIGNS[self.bar.sign](self.value, self.bar.limit)


def ratio(above, below):
    return lambda row: row(above) / row(below)


def running(row, program):
    """Seconds for a camera set without what a command takes once."""
    return (row(f'camera10/{program}') - row(f'camera/{program}')) / (N_TIMES - 1)


def running_ratio(above, below):
    return lambda row: running(row, above) / running(row, below)


def one(row):
    return lambda look_up: look_up(row)


BARS = (
    Bar('python', 'Python program / blurthumb, camera',
        ratio('camera/python', 'camera/blurthumb'), '>=', 24),
    Bar('pillow-draft', 'the cleverer Python program / blurthumb, camera',
        ratio('camera/pillow-draft', 'camera/blurthumb'), '>=', 2.8),
    Bar('sharp-exact', 'sharp exact / blurthumb, camera',
        ratio('camera/sharp-exact', 'camera/blurthumb'), '>=', 11),
    Bar('sharp-cheap', 'sharp cheap / blurthumb, camera',
        ratio('camera/sharp-cheap', 'camera/blurthumb'), '>=', 3.8),
    Bar('vipsthumbnail', 'vipsthumbnail under xargs, no blur / blurthumb, camera',
        ratio('camera/vipsthumbnail', 'camera/blurthumb'), '>=', 2),
    Bar('floor', 'blurthumb / floor, whole command, camera',
        ratio('camera/blurthumb', 'camera/floor'), '<=', 1 / 1.6),
    Bar('floor-running', 'blurthumb / floor, per picture once running, camera',
        running_ratio('blurthumb', 'floor'), '<=', 1.15),
    Bar('progressive', 'progressive twin / baseline, camera',
        ratio('progressive/blurthumb', 'camera/blurthumb'), '<=', 0.9),
    Bar('png', 'blurthumb / sharp exact, png',
        ratio('png/blurthumb', 'png/sharp-exact'), '<=', 1 / 3),
    Bar('parallel', 'serial / parallel, per picture once running, camera',
        running_ratio('blurthumb-serial', 'blurthumb'), '>=', 1.9, by_cpu=False),
    Bar('sigma-10', 'sigma 10 / sigma 15, camera',
        ratio('camera/blurthumb-10', 'camera/blurthumb')),
    Bar('sigma', 'sigma 150 / sigma 15, camera',
        ratio('camera/blurthumb-150', 'camera/blurthumb'), '<=', 1.1),
    Bar('giant', '1,000 MP, two cores / one',
        ratio('giant/blurthumb', 'giant/blurthumb-serial'), '<=', 0.6, by_cpu=False),
    Bar('giant-rst', '1,000 MP with restart markers, two cores / one',
        ratio('giant-rst/blurthumb', 'giant-rst/blurthumb-serial'), '<=', 0.6, by_cpu=False),
    Bar('start', 'one small picture / vips copy, whole commands',
        ratio('one-small/blurthumb', 'one-small/vips-copy'), '<=', 1),
    Bar('memory-jpeg', 'largest worker in MB, 35 MP baseline JPEG',
        one('big-jpeg/blurthumb'), '<=', 30, 'largest_mb', by_cpu=False),
    Bar('memory-twin', 'largest worker in MB, 35 MP progressive JPEG',
        one('big-twin/blurthumb'), '<=', 40, 'largest_mb', by_cpu=False),
    Bar('memory-png', 'largest worker in MB, 35 MP PNG',
        one('big-png/blurthumb'), '<=', 100, 'largest_mb', by_cpu=False),
)


def against(others, samples):
    """Other blurthumbs, on each set that both ran on."""
    for name in samples:
        set_name, program = name.split('/')
        if program in others:
            yield Bar(name, f'{program} / blurthumb, {set_name}', ratio(name, f'{set_name}/blurthumb'))


def median_of(samples, measure):
    return statistics.median(getattr(sample, measure) for sample in samples)


def quartiles(values):
    """Of one value itself."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method='inclusive')
    return low, high


def figure(bar, samples):
    """None when a row that the figure needs was not run. `samples` has a list per row, one of each
    round; rows of one figure have the same number of rounds."""
    used = []

    def median(measure):
        def of_row(name):
            used.append(name)
            return median_of(samples[name], measure)
        return of_row

    try:
        value = bar.of(median(bar.measure))
    except KeyError:
        return None
    low, high = quartiles([bar.of(lambda name: getattr(samples[name][n], bar.measure))
                           for n in range(len(samples[used[0]]))])
    return Figure(bar, value, low, high, bar.of(median('cpu')) if bar.by_cpu else None)
