# SPDX-License-Identifier: MIT
"""Each shell offers the options of --help, and for each the values that it takes."""
import re
import subprocess

import pytest

from conftest import TESTS
from told import BUILT, read_help, read_words, run_help

FOLDER = TESTS.parent / 'src' / 'cli' / 'completions'

each_program = pytest.mark.parametrize('name', BUILT)


def read_values(name):
    """{option: what it takes}: None for nothing, a set of words, 'FILE', 'DIR', or '' for what cannot be
    guessed."""
    def take(option, argument):
        words = {'auto'} if option == '--shard' else read_words(name, option)
        return words or (argument if argument in ('FILE', 'DIR') else '') if argument else None
    return {option: take(option, argument) for option, argument in read_help(name)[0].items()}


def complete_in_bash(name, *words):
    """What bash offers for the last of these words, or asks readline to offer."""
    script = 'compopt() { echo "compopt $*"; }; . "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n' \
             'set -- $(complete -p "$1"); ${*: -2:1} "${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"\n' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', FOLDER / f'{name}.bash', name, *words],
                          check=True, capture_output=True, text=True)
    assert done.stderr == ''
    offered = set(done.stdout.split('\n')) - {''}
    return {'compopt -o default': 'FILE', 'compopt -o dirnames': 'DIR', '': ''}.get(''.join(offered), offered)


def read_zsh(name):
    """Of lines like '(-o --output)'{-o+,--output=}'[folder of the results]:dir:_files -/' alone."""
    spec = r"^    '(?:\(.*?\))?(?P<names>.*?)\[(?:\\.|[^]])*\](?::.*?:(?P<action>.*))?' \\$"
    asked = {None: None, ' ': '', '_files': 'FILE', '_files -/': 'DIR'}
    options = {}
    for found in re.finditer(spec, (FOLDER / f'_{name}').read_text(), re.M):
        words = set((found['action'] or '').removeprefix('_sequence compadd -').strip('()').split())
        names = re.findall(r'--?\w[\w-]*', found['names'])
        options.update(dict.fromkeys(names, asked.get(found['action'], words)))
    return options


def read_fish(name):
    asked = {'': None, ' -x': '', ' -r -F': 'FILE', " -x -a '(__fish_complete_directories)'": 'DIR'}
    options = {}
    for letter, long, rest in re.findall(r"^complete -c " + name + r"(?: -s (\w))? -l (\S+)( -.*?)? -d '.*'$",
                                         (FOLDER / f'{name}.fish').read_text(), re.M):
        words = set(rest.removeprefix(" -x -a '").removeprefix('(__fish_append ,').strip(")'").split())
        options.update({option: asked.get(rest, words) for option in (letter and f'-{letter}', f'--{long}') if option})
    return options


@each_program
def test_bash_offers_options_and_values(name):
    values = read_values(name)
    assert complete_in_bash(name, '-') == set(values)
    assert complete_in_bash(name, '--') == {option for option in values if option.startswith('--')}
    for option, value in values.items():
        if value is not None or name != 'blurthumb-tour':  # which offers its chapters as well
            assert complete_in_bash(name, option, '') == ('FILE' if value is None else value), option
        if value is not None and option.startswith('--'):
            assert complete_in_bash(name, option, '=') == complete_in_bash(name, option, '=', '') == value


@each_program
def test_zsh_offers_options_and_values(name):
    assert read_zsh(name) == read_values(name)


@each_program
def test_fish_offers_options_and_values(name):
    assert read_fish(name) == read_values(name)


@each_program
@pytest.mark.parametrize('shell', ('bash', *(pytest.param(shell, marks=pytest.mark.needs(shell)) for shell in ('zsh', 'fish'))))
def test_the_shell_can_read_it(name, shell):
    path = FOLDER / (f'_{name}' if shell == 'zsh' else f'{name}.{shell}')
    done = subprocess.run([shell, '-n', path], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')


@pytest.mark.parametrize('words', (['--allow', 'jxl,s'], ['--allow', '=', 'jxl,s']))
def test_bash_goes_on_with_a_list(words):
    assert complete_in_bash('blurthumb', *words) == {'jxl,svg'}


def test_each_shell_offers_the_chapters_of_the_tour():
    chapters = re.findall(r'^  (\w+) +\w', run_help('blurthumb-tour'), re.M)
    for path in FOLDER.glob('*blurthumb-tour*'):
        assert ' '.join(chapters) in path.read_text(), path
    assert complete_in_bash('blurthumb-tour', 'se') == {'compopt -o default', 'serial'}
