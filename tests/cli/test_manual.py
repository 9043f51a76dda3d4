# SPDX-License-Identifier: MIT
"""The manuals and the README tell what --help tells, and no less than the program does."""
import json
import re
import subprocess

import pytest

from conftest import TESTS
from told import BUILT, read_help, run_help

TOP = TESTS.parent
CLUSTER = TOP / 'src' / 'cli' / 'blurthumb-cluster.7'
MANUALS = {'blurthumb': TOP / 'src' / 'cli' / 'blurthumb.1',
           **{name: TOP / 'src' / 'bench' / f'{name}.1' for name in ('blurthumb-bench', 'blurthumb-tour')}}

SECTIONS = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'WHAT IS TAKEN', 'WHERE RESULTS GO', 'WHAT THE RESULT MEANS',
            'PROGRESS AND REPORTS', 'SIGNALS', 'ENVIRONMENT', 'FILES', 'EXIT STATUS', 'EXAMPLES',
            'WATCHING A FOLDER', 'OBJECT STORES AND MOUNTS', 'QUESTIONS THAT USERS OF SUCH TOOLS ASK', 'SEE ALSO']

# What people asked of other programs, again and again: none of it is to fall out of the manual.
QUESTIONS = ['Does it take a whole tree?',
             'May -o be a folder, and one that is not there yet?',
             'What is a relative -o relative to?',
             'Can it overwrite my originals?',
             'Does one wrong argument stop the others?',
             'a.jpg and a.png: do they get one result?',
             'Why a.bmp.jpg, and not a.jpg?',
             'How many threads and processes does it start?',
             'Does it see the limits of a container?',
             'Does memory grow with the number of pictures?',
             'Are progressive JPEGs a danger to memory?',
             'More workers, and then it runs out of memory?',
             'Does a large sigma take long?',
             'Is sigma 15 really sigma 15?',
             'Bands, or dark fringes at transparent edges?',
             'What if a picture crashes or hangs the decoder?',
             'Does one broken picture stop the batch?',
             'Is half a JPEG taken for a good one?',
             'A PNG that is called .jpg?',
             'Does a run that was killed have to begin again?',
             'Can a half-written result be taken for a whole one?',
             'Is a photo turned twice, or not at all?',
             'CMYK, wide gamut, 16 bits?',
             'Animated pictures?',
             'Where a photo was taken: does it leak?',
             'Can results keep the dates of the photos?',
             'Two memory cards with the same file names?',
             'Names with brackets, spaces, other scripts, or bytes that are no text?',
             'Can it watch a folder?',
             'A million pictures, or a list of them?',
             'Is it safe with pictures from strangers?']


def section(manual, title):
    return manual.read_text().partition(f'\n.Sh {title}\n')[2].partition('\n.Sh ')[0]


def read_manual(name):
    """{option: argument or ''}, and {long name: what is said of it}."""
    options, texts = {}, {}
    for item in re.split(r'^\.It (?=Fl )', section(MANUALS[name], 'OPTIONS'), flags=re.M)[1:]:
        head, _, text = item.partition('\n')
        flags, _, argument = head.partition(' Ar ')
        names = ['-' + flag for flag in re.findall(r'Fl (\S+)', flags)]
        options.update({option: argument for option in names})
        texts[names[-1]] = text
    return options, texts


def items(text):
    return re.findall(r'^\.It (?:Sy |Li |Ev |Pa )?"?(.*?)"?$', text, re.M)


@pytest.mark.parametrize('name', MANUALS)
def test_manual_has_each_option_of_help(name):
    assert read_manual(name)[0] == read_help(name)[0]


@pytest.mark.parametrize('name', MANUALS)
def test_manual_has_each_default_of_help(name):
    texts, missing = read_manual(name)[1], []
    for option, default in read_help(name)[1].items():
        said = ' '.join(re.findall(r'^Default: (.*(?:\n(?![.]).*)*)', texts[option], re.M))
        if not set(re.findall(r'[\w/]+', default)) <= set(re.findall(r'[\w/]+', said)):
            missing.append((option, default, said))
    assert missing == []


@pytest.mark.parametrize('name', MANUALS)
def test_manual_has_each_exit_status_of_help(name):
    told = run_help(name).partition('Exit status:')[2]
    there = re.findall(r'\d+', ' '.join(items(section(MANUALS[name], 'EXIT STATUS'))))
    assert set(re.findall(r'\d+', told)) <= set(there)


def test_manual_has_its_sections():
    assert re.findall(r'^\.Sh (.*)$', MANUALS['blurthumb'].read_text(), re.M) == SECTIONS


def test_manual_answers_what_is_asked():
    text = section(MANUALS['blurthumb'], 'QUESTIONS THAT USERS OF SUCH TOOLS ASK')
    assert items(text) == QUESTIONS
    assert all(re.search(r'[.]$', answer, re.M) for answer in text.split('.It Sy')[1:])


def test_manual_has_each_member_of_the_events(blurthumb, testdata):
    text = section(MANUALS['blurthumb'], 'PROGRESS AND REPORTS')
    told = set(re.findall(r'\w+', text))
    names = set()
    for arguments in (['-v'], ['--dry-run'], ['--verify']):
        done = blurthumb('--json', *arguments, testdata / 'formats', testdata / 'broken')
        for event in map(json.loads, done.stdout.splitlines()):
            names |= {event['event'], *event, event.get('status', 'failed')}
    assert len(names) > 30 and names <= told


def test_manual_has_each_variable_of_the_sources():
    sources = (path.read_text() for path in (TOP / 'src').rglob('*.c'))
    read = {variable for text in sources for variable in re.findall(r'getenv\("(\w+)"\)', text)}
    assert read >= {'BT_CPU', 'NO_COLOR'}
    assert read <= {item for manual in MANUALS.values() for item in items(section(manual, 'ENVIRONMENT'))}


@pytest.mark.needs('mandoc')
@pytest.mark.parametrize('path', (*MANUALS.values(), CLUSTER), ids=lambda path: path.name)
def test_manual_is_clean_mdoc(path):
    done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, '')


@pytest.mark.parametrize('path', (*MANUALS.values(), CLUSTER), ids=lambda path: path.name)
def test_commands_in_the_manual_are_right(path, tmp_path):
    """As far as can be told without doing them: what stands before --help is read first."""
    text = path.read_text().replace('\\e\n', ' ')
    commands = re.findall(r'^(?:\.Dl )?((blurthumb(?:-bench|-tour)?) (?:-|~|/).*)$', text, re.M)
    assert len(commands) >= 2
    for command, name in commands:
        words = re.split(r' \| | \|$| && | &$| >| 2>| -- ', command)[0].replace('--shard auto', '--shard 0/1')
        program = words.replace(name, str(BUILT[name]), 1)
        done = subprocess.run(['bash', '-c', f'{program} --help'], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ''), command


def test_readme_names_options_that_exist():
    known = {option for name in BUILT for option in read_help(name)[0]}
    text = (TOP / 'README.md').read_text()
    named = set(re.findall(r'`(--[a-z-]+)', text)) | set(re.findall(r'^    blurthumb\S* (--[a-z-]+)', text, re.M))
    gone = {'--keep-dates', '--sleep', '--csv', '--markdown'}
    assert len(named) > 10 and named - known - gone == set()


def test_readme_has_the_licence():
    assert (TOP / 'src/cli/copyright').read_text().strip() in (TOP / 'README.md').read_text()
