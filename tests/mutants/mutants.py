#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the tests notice? Small faults are put into the source, one at a time, and the tests of the room must fail.

    tests/mutants/mutants.py [--count N] [--seed S] [--work DIR] [ROOM | src/ROOM/FILE.c[:LINE]]...

Takes N mutants, as many of each room; of what is named by file or line, all. Never a part of meson test. Exits with 1
where mutants have survived. Each of them wants a test, or a reason.

What is changed is a copy of the tree in DIR. The tests run where everything but a folder for temporary files is
read-only, in a namespace of processes of their own, so that a mutant can neither delete nor kill what is not its own.
A mutant whose object code is that of the original is none, and one that does not compile is none either. One that is
noticed because time ran out, of the test or of what the test waits for, counts as hung: on a machine with other work
to do, look at it again.
"""
import argparse
import collections
import filecmp
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# The tests of each room, those first that are quick.
TESTS = {
    'base': 'base hash json limit stall options list progress path scan report gallery',
    'kernel': 'kernel-plan kernel-levels kernel-oracle',
    'report': 'report progress gallery cli-reports',
    'store': 'record naming store ledger key publish cli-again cli-foreign',
    'run': 'hostile-reply cli-again cli-foreign cli-results_folders cli-order cli-choosing cli-usage cli-two_runs '
           'cli-prune cli-reports cli-module',
}

# Of tests in Python every N-th is tried first, then all.
BRIEF = 6

# Of one file, before the others.
OWN = {
    'signals.c': 'cli-interrupt',
    'orphans.c': 'cli-prune',
    'ledger.c': 'ledger',
    'path.c': 'path',
    'target.c': 'publish',
    'watch.c': 'fault-waiting',
}

# Enough for every test; a mutant that never ends must not take the memory of the machine.
MEMORY_BYTES = 6 << 30
SLOWER = 10     # than the original: it hangs. Other work on the machine must not make it so
SLOWER_S = 60
SKIPPED = 77

# Everything read-only, but for the folder $1, which is /tmp, too.
CAGE = r'''
mount --bind "$1" "$1" && mount --bind "$1" /tmp || exit 125
awk '{ print $5 }' /proc/self/mountinfo | while read -r at; do
    case $at in "$1" | /tmp | /tmp/* | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) ;;
    *) mount -o remount,bind,ro "$(printf %b "$at")" || ! mountpoint -q "$(printf %b "$at")" || exit 125 ;;
    esac
done || exit 125
shift
exec "$@"
'''

Mutant = collections.namedtuple('Mutant', 'path line start end new kind')

COMPARE = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '=='}
LOGIC = {'&&': '||', '||': '&&'}
BLANK = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)
DECLARATION = re.compile(r'(?:g_auto\w*\(|(?:static|const|struct|typedef|extern)\b|(?!return|goto|else)'
                         r'[A-Za-z_]\w* (?:\*|const )*[a-z_]\w*(?:\[[^]]*\])*\s*(?:[=;,]|$))')
TABLE = re.compile(r'^static const [^;]*?= *\{.*?^\};|^(?:typedef|struct|enum)\b[^;{]*\{.*?^\}', re.S | re.M)


def blank(found):
    """As long as it was, with its lines."""
    return re.sub(r'[^\n]', ' ', found[0])


def mutants_of(path):
    """All mutants of a file, in the order of its text."""
    text = open(os.path.join(TOP, path), encoding='utf-8').read()
    code = TABLE.sub(blank, BLANK.sub(blank, text))
    found = []

    def add(start, end, new, kind):
        found.append(Mutant(path, text.count('\n', 0, start) + 1, start, end, new, kind))

    depth, parentheses = 0, 0
    for part in re.finditer(r'[^;{}]*[;{}]?', code):
        body, start = part[0], part.start() + len(part[0]) - len(part[0].lstrip())
        words = body.strip()
        declares = DECLARATION.match(words)
        if depth > 0 and words and not re.match(r'(?:g_assert|assert|_Static_assert|case|default)\w*\b', words):
            for token in re.finditer(r'(?<= )(<=|>=|==|!=|<|>)(?=\s)', body):
                add(part.start() + token.start(), part.start() + token.end(), COMPARE[token[0]], 'compare')
            for token in re.finditer(r'&&|\|\|', body):
                add(part.start() + token.start(), part.start() + token.end(), LOGIC[token[0]], 'logic')
            for token in re.finditer(r'(?<!\(void\))!(?!=)', body):
                add(part.start() + token.start(), part.start() + token.end(), '', 'not')
            for token in re.finditer(r'\breturn (true|false);', body):
                new = 'return false;' if token[1] == 'true' else 'return true;'
                add(part.start() + token.start(), part.start() + token.end(), new, 'return')
            if not declares:
                for token in re.finditer(r'(?<![\w.])\d+(?![\w.])', body):
                    add(part.start() + token.start(), part.start() + token.end(), str(int(token[0]) + 1), 'constant')
                # Not a part of a for, nor what a loop goes round in.
                if parentheses == 0 and body.count('(') == body.count(')') and re.search(r'\(|=|\+\+|--', words) and \
                        words.endswith(';') and not re.match(r'(?:return|for|while|do|goto)\b', words):
                    add(start, part.end(), '(void)0;' + '\n' * body.strip().count('\n'), 'dropped')
        depth += body.endswith('{') - body.endswith('}')
        parentheses += body.count('(') - body.count(')')
    return found


def shuffled(mutants, text_of, seed):
    """In an order that depends on the seed and on the changed line alone: a change elsewhere moves nothing."""
    seen = collections.Counter()

    def rank(mutant):
        line = text_of(mutant.path).splitlines()[mutant.line - 1].strip()
        key = (mutant.path, mutant.kind, line, mutant.new)
        seen[key] += 1
        return hashlib.sha256(repr((seed, key, seen[key])).encode()).digest()
    return [mutant for _, mutant in sorted((rank(mutant), mutant) for mutant in mutants)]


class Tree:
    """The copy, its build, and its tests."""

    def __init__(self, work):
        self.source, self.build, self.scratch = (os.path.join(work, name) for name in ('tree', 'build', 'scratch'))
        listed = subprocess.run(['git', 'ls-files', '-z', '-co', '--exclude-standard'], cwd=TOP, check=True,
                                capture_output=True, text=True)
        # What differs gets the time of now, so that it is built anew: also what a run that was killed has left.
        for path in filter(None, listed.stdout.split('\0')):
            own, copy = os.path.join(TOP, path), os.path.join(self.source, path)
            if os.path.exists(own) and not (os.path.exists(copy) and filecmp.cmp(own, copy, shallow=False)):
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copyfile(own, copy)
                shutil.copymode(own, copy)
        if not os.path.exists(self.build):
            subprocess.run(['meson', 'setup', '--buildtype=plain', '-Doptimization=1', '-Ddebug=false',
                            self.build, self.source], check=True, stdout=subprocess.DEVNULL)
        self.ninja(['build.ninja'])
        self.tests = {}
        for test in self.introspect('tests'):
            self.tests.setdefault(test['name'].partition(' ')[0], test)  # of two, that which wants no more packages
        self.targets = {target['id']: target['filename'] for target in self.introspect('targets')}
        self.limits_s = {}

    def introspect(self, what):
        run = subprocess.run(['meson', 'introspect', '--' + what, self.build], check=True, capture_output=True)
        return json.loads(run.stdout)

    def ninja(self, targets):
        return subprocess.run(['ninja', '-C', self.build, '-j1', *targets], env=dict(os.environ, CCACHE_DISABLE='1'),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def objects(self, path):
        """What is compiled from a file, as bytes; None where it does not compile."""
        _, room, name = path.split('/')
        found = sorted(glob.glob(os.path.join(self.build, 'src', room, '*.p', name + '.o')))
        if not self.ninja([os.path.relpath(name, self.build) for name in found]):
            return None
        return [open(name, 'rb').read() for name in found]

    def write(self, path, text):
        with open(os.path.join(self.source, path), 'w', encoding='utf-8') as file:
            file.write(text)

    def fails(self, name, brief):
        """Whether a test fails, and after how many seconds."""
        test = self.tests[name]
        needed = [os.path.relpath(file, self.build) for id in test['depends'] for file in self.targets[id]]
        if not self.ninja(needed):
            raise SystemExit(f'{name} cannot be built')
        # A folder of the last test may be a mount, or without rights.
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.makedirs(self.scratch, exist_ok=True)
        os.chmod(self.scratch, 0o1777)
        env = {**os.environ, **test['env'], 'HOME': self.scratch, 'TMPDIR': self.scratch,
               **({'BT_BRIEF': str(BRIEF)} if brief else {}),
               'PYTHONDONTWRITEBYTECODE': '1', 'MALLOC_PERTURB_': test['env'].get('MALLOC_PERTURB_', '165')}
        command = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
                   *(['--map-root-user'] if os.getuid() != 0 else []), 'sh', '-c', CAGE, 'cage', self.scratch]
        cmd = test['cmd'] + (['-x'] if 'pytest' in test['cmd'] else [])
        began = time.monotonic()
        process = subprocess.Popen(command + cmd, env=env, cwd=self.scratch, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES,) * 2))
        try:
            self.said, _ = process.communicate(timeout=self.limits_s.get((name, brief), 600))
            return process.returncode not in (0, SKIPPED), time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.said = b'TimeoutExpired'
            return True, time.monotonic() - began
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def choose(arguments):
    """(room, mutants, how many of them): whole rooms, or what was named more closely."""
    rooms = [what for what in arguments.what if what in TESTS] or ([] if arguments.what else list(TESTS))
    texts = {}

    def text_of(path):
        if path not in texts:
            texts[path] = open(os.path.join(TOP, path), encoding='utf-8').read()
        return texts[path]
    for number, room in enumerate(rooms):
        paths = sorted(glob.glob(f'src/{room}/*.c', root_dir=TOP))
        share = arguments.count // len(rooms) + (number < arguments.count % len(rooms))
        yield room, shuffled([m for path in paths for m in mutants_of(path)], text_of, arguments.seed), share
    for what in arguments.what:
        path, _, line = what.partition(':')
        if what not in TESTS:
            named = [m for m in mutants_of(path) if line in ('', str(m.line))]
            yield path.split('/')[1], named, len(named)


def tests_of(tree, path):
    """(name, whether only a part of it), in the order in which they are tried."""
    _, room, name = path.split('/')
    names = list(dict.fromkeys(OWN.get(name, '').split() + TESTS[room].split()))
    long = [name for name in names if 'pytest' in tree.tests[name]['cmd']]
    return [(name, name in long) for name in names] + [(name, False) for name in long]


def show(mutant, text):
    """What is changed, in one line."""
    line_start = text.rfind('\n', 0, mutant.start) + 1
    line = text[line_start:(text + '\n').find('\n', mutant.end)]
    new = text[line_start:mutant.start] + (mutant.new.strip() or '') + text[mutant.end:line_start + len(line)]
    return f'{mutant.path}:{mutant.line}: {" ".join(line.split())}  ->  {" ".join(new.split())}'


def catches(tree, name, brief, mutant, text):
    """Whether a test that passes without the mutant fails with it. Its first pass, with any mutant, sets its limit."""
    fails, took_s = tree.fails(name, brief)
    if fails and (name, brief) not in tree.limits_s:
        tree.write(mutant.path, text)
        fails_always, took_s = tree.fails(name, brief)
        if fails_always:
            print(tree.said.decode(errors='replace')[-3000:])
            raise SystemExit(f'{name} fails without any mutant')
        tree.write(mutant.path, text[:mutant.start] + mutant.new + text[mutant.end:])
    tree.limits_s.setdefault((name, brief), SLOWER_S + SLOWER * took_s)
    return fails


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--count', type=int, default=150)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--work', help='kept, and used again; not below /tmp; otherwise a folder in /var/tmp')
    parser.add_argument('--list', action='store_true', help='what there is; runs nothing')
    parser.add_argument('what', nargs='*', metavar='ROOM|FILE[:LINE]')
    arguments = parser.parse_args()
    chosen = list(choose(arguments))
    if arguments.list:
        for room, mutants, share in chosen:
            for mutant in mutants[:share]:
                print(f'{mutant.kind:8} {show(mutant, open(os.path.join(TOP, mutant.path)).read())}')
            print(f'{room}: {share} of {len(mutants)}')
        return 0
    os.nice(10)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    work = os.path.abspath(arguments.work) if arguments.work else tempfile.mkdtemp(prefix='mutants-', dir='/var/tmp')
    os.makedirs(work, exist_ok=True)
    tree = Tree(work)
    survived = 0
    table, originals = [], {}
    for room, mutants, share in chosen:
        counts = collections.Counter()
        for mutant in mutants:
            if counts['caught'] + counts['hung'] + counts['survived'] == share:
                break
            text = open(os.path.join(tree.source, mutant.path), encoding='utf-8').read()
            if mutant.path not in originals:
                originals[mutant.path] = tree.objects(mutant.path)
            tree.write(mutant.path, text[:mutant.start] + mutant.new + text[mutant.end:])
            after = tree.objects(mutant.path)
            if after is None or after == originals[mutant.path]:
                counts['none'] += 1
            else:
                by = next((name for name, brief in tests_of(tree, mutant.path)
                           if catches(tree, name, brief, mutant, text)), None)
                verdict = 'survived' if by is None else 'hung' if b'TimeoutExpired' in tree.said else 'caught'
                counts[verdict] += 1
                print(f'{verdict:8}  {by or "":19} {show(mutant, text)}', flush=True)
            tree.write(mutant.path, text)
        survived += counts['survived']
        table.append((room, counts))
    print('\nroom      caught    hung  survived  no mutants')
    for room, counts in table:
        print(f'{room:8}  {counts["caught"]:6}  {counts["hung"]:6}  {counts["survived"]:8}  {counts["none"]:10}')
    if not arguments.work:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if survived else 0


if __name__ == '__main__':
    sys.exit(main())
