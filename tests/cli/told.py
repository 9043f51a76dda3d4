# SPDX-License-Identifier: MIT
"""What the programs say of themselves."""
import pathlib
import re
import subprocess


from conftest import PROGRAM
from needs import lack

BUILT = {'blurthumb': pathlib.Path(PROGRAM),
         **{name: pathlib.Path(PROGRAM).parent.parent / 'bench' / name
            for name in ('blurthumb-bench', 'blurthumb-tour')}}


def run_help(name):
    if not BUILT[name].exists():
        lack(f'{name} is not built')
    return subprocess.run([BUILT[name], '--help'], check=True, capture_output=True, text=True).stdout


def read_help(name):
    """{option: argument or ''}, letters and long names, and {long name: default}."""
    options, defaults = {}, {}
    lines = re.findall(r'^  (?:(-\w),|   ) (--[\w-]+)(?: (\S+))?  +(.*)$', run_help(name), re.M)
    for letter, long, argument, text in lines:
        options.update({option: argument for option in (letter, long) if option})
        if default := re.search(r'\(default: (.*)\)', text):
            defaults[long] = default[1]
    assert '--help' in options
    return options, defaults


def read_words(name, option):
    """The values of an option that takes one of some words: what it says of a value that is none."""
    said = subprocess.run([BUILT[name], option, '?', '--help'], capture_output=True, text=True).stderr
    wanted = re.search(r" takes (.*), not '\?'", said)
    if wanted is None:
        return set()
    listed = re.search(r'\((.*)\)', wanted[1]) or re.fullmatch(r'(.*?)(?: with commas between)?', wanted[1])
    words = set(re.split(r', | or | and ', listed[1]))
    return words if all(re.fullmatch(r'[a-z0-9]+', word) for word in words) else set()
