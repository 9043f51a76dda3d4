# SPDX-License-Identifier: MIT
"""blurthumb against what people use today, and against the least that is possible.

    compare.py [OPTION...] BLURTHUMB FLOOR

Makes the pictures (sets.py), runs every row (rows.py) in turns, A B C A B C, and prints what each
took and how the figures stand against their bars (bars.py). A first round counts for nothing: in it
the memory of all processes is summed and the results are checked. Programs that are not installed
are left out and named.

Exit 0; 1 when a program fails, a result is missing, or a bar of --must is missed; 77 when there are
no pictures.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import bars
import rows
import run
from table import table

HERE = pathlib.Path(__file__).parent

# Sets whose rows take their turns by themselves: many rounds where a run is a few hundredths of a
# second, one where the peers take hundreds of times as long.
SHORT = ('one-small',)
LONG = ('part',)
SHORT_ROUNDS = 10


def parse():
    cache = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    parser = argparse.ArgumentParser(usage='compare.py [OPTION...] BLURTHUMB FLOOR')
    parser.add_argument('blurthumb')
    parser.add_argument('floor')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--only', default='*', metavar='ROW,...',
                        help='SET/PROGRAM, where * stands for any')
    parser.add_argument('--sets', type=pathlib.Path, default=pathlib.Path(cache, 'blurthumb-bench'),
                        metavar='DIR', help='where the pictures are kept, and sharp')
    parser.add_argument('--install-peers', action='store_true', help='sharp, by npm, into the same')
    parser.add_argument('--other', action='append', default=[], metavar='NAME=BLURTHUMB',
                        help='one more, wherever blurthumb runs')
    parser.add_argument('--must', default='', metavar='BAR,...', help='of the last table')
    parser.add_argument('--markdown', action='store_true')
    options = parser.parse_args()
    options.must = [name for name in options.must.split(',') if name]
    if unknown := set(options.must) - {bar.name for bar in bars.BARS}:
        parser.error(f'no such bar: {", ".join(unknown)}')
    return options


class Row:
    """A program on a set, with what was measured."""

    def __init__(self, sets, set_name, program_name, program):
        self.name = f'{set_name}/{program_name}'
        self.set = set_name
        self.list = sets / f'{set_name}.json'
        listed = json.loads(self.list.read_text())
        self.megapixels = sum(width * height for _, width, height in listed) / 1e6
        self.command = lambda output: program.command(
            sets / set_name, [sets / set_name / picture for picture, _, _ in listed], output)
        self.environment = program.environment
        self.is_sized = program.is_sized
        self.samples = []
        self.sum_mb = 0

    def warm_up(self, output):
        self.sum_mb = run.sum_mb(self.command(output), self.environment, output)
        sized = ['--sized'] if self.is_sized else []
        checked = subprocess.run([sys.executable, HERE / 'results.py', *sized, self.list, output],
                                 stdout=subprocess.PIPE, text=True)
        if checked.returncode != 0:
            raise run.Failed(f'{self.name}: {checked.stdout}')

    def measure(self, output):
        self.samples.append(run.timed(self.command(output), self.environment, output))

    def median(self, measure):
        return bars.median_of(self.samples, measure)


def take_turns(measured, rounds, output):
    for row in measured:
        row.warm_up(output)
    for _ in range(rounds):
        for row in measured:
            row.measure(output)


def measure(measured, rounds):
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder, 'output')
        take_turns([row for row in measured if row.set not in SHORT + LONG], rounds, output)
        take_turns([row for row in measured if row.set in SHORT], SHORT_ROUNDS * rounds, output)
        take_turns([row for row in measured if row.set in LONG], 1, output)


def rows_table(measured, markdown):
    heads = ['row', 'seconds', 'lowest', 'highest', 'CPU s', 'MP/s', 'x blurthumb', 'largest MB',
             'sum MB']
    ours = {row.set: row.median('wall') for row in measured if row.name.endswith('/blurthumb')}
    lines = []
    for row in measured:
        walls = [sample.wall for sample in row.samples]
        wall = row.median('wall')
        times = f'{wall / ours[row.set]:.2f}' if row.set in ours else '-'
        largest = max(sample.largest_mb for sample in row.samples)
        bound = '< ' if largest <= run.least_mb() else ''
        lines.append([row.name, f'{wall:.3f}', f'{min(walls):.3f}', f'{max(walls):.3f}',
                      f'{row.median("cpu"):.3f}', f'{row.megapixels / wall:.0f}', times,
                      f'{bound}{largest:.0f}', f'{row.sum_mb:.0f}'])
    return table(heads, lines, markdown)


def figures_table(figures, markdown):
    heads = ['figure', 'name', 'value', 'quartiles', 'by CPU', 'bar', 'verdict']
    lines = []
    for figure in figures:
        bar = figure.bar
        cpu = '-' if figure.cpu is None else f'{figure.cpu:.2f}'
        limit = '-' if bar.limit is None else f'{bar.sign} {bar.limit:.3g}'
        verdict = '' if bar.limit is None else 'ok' if figure.is_met() else 'missed'
        lines.append([bar.text, bar.name, f'{figure.value:.2f}',
                      f'{figure.low:.2f} to {figure.high:.2f}', cpu, limit, verdict])
    return table(heads, lines, markdown)


def install_peers(node):
    node.mkdir(parents=True, exist_ok=True)
    subprocess.run(['npm', 'install', '--no-audit', '--no-fund', '--prefix', node, rows.SHARP],
                   check=True, stdout=subprocess.DEVNULL)


def make_sets(folder, names):
    """In a process of its own, with Pillow's and numpy's memory: see run.py."""
    return subprocess.run([sys.executable, HERE / 'sets.py', folder, *names]).returncode


def main():
    options = parse()
    node = options.sets / 'node'
    others = dict(other.split('=', 1) for other in options.other)
    if options.install_peers:
        install_peers(node)
    programs = rows.programs(options.blurthumb, options.floor, options.jobs, node, others)
    wanted = list(rows.wanted(options.only.split(','), others))
    made = make_sets(options.sets, dict.fromkeys(name for name, _ in wanted))
    if made != 0:
        return made
    for name in sorted({name for _, name in wanted if not programs[name].is_installed()}):
        print(f'{name}: not installed')
    present = [Row(options.sets, name, program, programs[program])
               for name, program in wanted if programs[program].is_installed()]
    try:
        measure(present, options.rounds)
    except run.Failed as failed:
        print(failed)
        return 1
    samples = {row.name: row.samples for row in present}
    figures = [figure for bar in (*bars.BARS, *bars.against(others, samples))
               if (figure := bars.figure(bar, samples)) is not None]
    print(f'{options.jobs} processes, {options.rounds} rounds in turns '
          f'({SHORT_ROUNDS * options.rounds} of {SHORT[0]}, one of {LONG[0]})\n')
    print(rows_table(present, options.markdown), figures_table(figures, options.markdown), sep='\n\n')
    met = {figure.bar.name for figure in figures if figure.is_met()}
    return 0 if met.issuperset(options.must) else 1


if __name__ == '__main__':
    sys.exit(main())
