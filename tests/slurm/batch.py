# SPDX-License-Identifier: MIT
"""A batch that a cluster does by the script that is installed, and what must hold at its end."""
import json
import os
import pathlib
import re

PROGRAM = pathlib.Path(os.environ['BT_BLURTHUMB'])
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / 'src' / 'cli' / 'blurthumb.sbatch'
N_PICTURES = 600
N_TASKS = 8
SLOW = '--exact', '--sigma', '100'


def files_below(folder):
    """The bytes of all results, by their paths relative to folder."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*') if not path.is_dir() and path.name != '.blurthumb'}


class Batch:
    """The pictures in "in", the results in "out", what each job printed in "log"."""

    def __init__(self, cluster, folder, alone):
        self.cluster, self.alone = cluster, alone
        self.output, self.events, self.logs = folder / 'out', folder / 'out.events', folder / 'log'
        self.logs.mkdir()
        cluster.environment['PATH'] = f'{PROGRAM.parent}:{os.environ["PATH"]}'

    def submit(self, *options, mode=()):
        return self.cluster.submit('-o', self.logs / '%j', *options, SCRIPT, *mode, 'in', 'out', *SLOW)

    def start(self, array=f'0-{N_TASKS - 1}'):
        return self.submit(f'--array={array}')

    def n_done(self):
        """Results so far; the settings are none."""
        return sum(len(names) for _, _, names in os.walk(self.output)) - 1

    def n_told(self, status):
        """Of how many pictures the tasks told it, in all."""
        events = [json.loads(line) for path in self.events.iterdir() for line in path.read_text().splitlines()]
        return sum(event.get('status') == status for event in events)

    def running(self, node):
        return list(self.cluster.hosts[node].processes('blurthumb'))

    def wait_for_results(self, n, node):
        """Until there are so many, and pictures are in work on the node."""
        self.cluster.wait_until(lambda: self.n_done() >= n and self.running(node))

    def wait_for_program(self, *nodes):
        """Until it runs on one of them: that."""
        return self.cluster.wait_until(lambda: next((node for node in nodes if self.running(node)), None))

    def wait_until_gone(self, node):
        self.cluster.wait_until(lambda: not self.running(node))

    def log(self, task):
        return (self.logs / task['JobId']).read_text()

    def check_results(self, found):
        """They are some of those of one machine, whole, and nothing else is there."""
        assert found.keys() <= self.alone.keys()
        assert [name for name, content in found.items() if content != self.alone[name]] == []

    def check_part(self):
        found = files_below(self.output)
        assert len(found) < len(self.alone)
        self.check_results(found)

    def verify(self, job):
        """Has the results looked at after the job's end, whatever that is: how it went."""
        verify = self.submit(f'--dependency=afterany:{job}', mode=['--verify'])
        self.cluster.wait(verify)
        [task] = self.cluster.tasks(verify)
        return task

    def check_all_done(self, job):
        """The job comes to its end, the one that looks at its results says that all are there, and it is right."""
        task = self.verify(job)
        assert (task['JobState'], task['ExitCode']) == ('COMPLETED', '0:0'), self.log(task)
        assert re.match(rf'{N_PICTURES} verified, 0 skipped, 0 failed', self.log(task)), self.log(task)
        found = files_below(self.output)
        assert len(found) == len(self.alone)
        self.check_results(found)
