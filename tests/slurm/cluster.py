# SPDX-License-Identifier: MIT
"""A cluster of Slurm that is thrown away: a controller and some nodes, all on this machine.

    with Cluster(folder) as cluster:
        job = cluster.submit('--array=0-7', script)
        cluster.crash('node2')
        cluster.declare_down('node2')
        cluster.wait(job)

Each host is a set of namespaces with a network, a name, processes and mounts of its own, so the daemons
are as they come, on their usual ports. The nodes hang on a bridge inside the controller; the machine's own
network gets nothing. Files are those of the machine: what a cluster has in a shared file system. A host
dies with the process that made it (its thread, to be exact), whatever becomes of that: nothing stays.

Needs root, and of Debian slurmctld, slurmd, slurm-client, munge, iproute2 and util-linux."""
import os
import secrets
import shutil
import signal
import subprocess
import time

NAMESPACES = ('unshare', '--net', '--pid', '--uts', '--mount', '--ipc', '--mount-proc', '--kill-child')
PROGRAMS = 'slurmctld', 'slurmd', 'sbatch', 'munged', 'ip', 'unshare', 'nsenter', 'setpriv'
CONTROLLER = 'controller'
NETWORK = '10.99.0.'
POLL_S = 0.1
START_LIMIT_S = 30
COMMAND_LIMIT_S = 30

# In a job that was taken off a node, the credential of its first start must have run out: 5 s is the
# least that Slurm allows. Scheduling is at once, not batched.
CONFIGURATION = """
ClusterName=throwaway
SlurmctldHost={controller}({network}1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/state/%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
MessageTimeout=5
TCPTimeout=2
KillWait=5
MailProg=/bin/true
NodeName=node[1-{n_nodes}] NodeAddr={network}[{first}-{last}] CPUs={n_cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=10 State=UP
"""

# The first process of a host. Ignored signals stay so, and who ignores this one has no zombies.
HOST = """
set -e
hostname "$1"
mount --bind "$2" /etc/hosts
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/munge
ip link set lo up
echo up
trap '' CHLD
exec sleep infinity >/dev/null
"""


def missing():
    """What keeps a cluster from being made here; an empty text if nothing does."""
    if os.geteuid() != 0:
        return 'root'
    if programs := ', '.join(name for name in PROGRAMS if shutil.which(name) is None):
        return programs
    made = subprocess.run([*NAMESPACES, 'true'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return '' if made.returncode == 0 else 'namespaces of its own'


class Host:
    """Namespaces, and the process that they live and die with."""

    def __init__(self, name, folder):
        with open(folder / f'{name}.log', 'w', encoding='utf-8') as log:
            self.holder = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', *NAMESPACES, 'sh', '-c', HOST, 'sh', name, folder / 'hosts'],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.holder.stdout.readline() == 'up\n', f'{name}: no host can be made'
        with open(f'/proc/{self.holder.pid}/task/{self.holder.pid}/children', encoding='ascii') as children:
            self.first = int(children.read())
        self.space = os.readlink(f'/proc/{self.first}/ns/pid')

    def inside(self, *command):
        return ['nsenter', '-t', str(self.first), '--net', '--pid', '--uts', '--mount', '--ipc',
                f'--wd={os.getcwd()}', *command]

    def processes(self, name):
        """Those of the program of this name, by their numbers outside."""
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/comm', encoding='utf-8') as comm:
                    if comm.read() == name + '\n' and os.readlink(f'/proc/{pid}/ns/pid') == self.space:
                        yield int(pid)
            except OSError:
                pass

    def end(self):
        """All of it at once, as when its power is cut; back when there is nothing left."""
        os.kill(self.first, signal.SIGKILL)
        self.holder.wait()
        self.holder.stdout.close()


class Cluster:

    def __init__(self, folder, n_nodes=2, n_cpus=2):
        self.folder, self.n_cpus = folder, n_cpus
        self.nodes = [f'node{number}' for number in range(1, n_nodes + 1)]
        self.hosts = {}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith('SLURM')}
        self.environment['SLURM_CONF'] = str(folder / 'slurm.conf')

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        (self.folder / 'state').mkdir()
        addresses = {CONTROLLER: 1, **{name: self.address(name) for name in self.nodes}}
        (self.folder / 'hosts').write_text(
            '127.0.0.1 localhost\n' + ''.join(f'{NETWORK}{last} {name}\n' for name, last in addresses.items()))
        (self.folder / 'munge.key').touch(0o600)
        (self.folder / 'munge.key').write_bytes(secrets.token_bytes(128))
        (self.folder / 'slurm.conf').write_text(CONFIGURATION.format(
            controller=CONTROLLER, network=NETWORK, folder=self.folder, n_nodes=len(self.nodes), n_cpus=self.n_cpus,
            first=self.address(self.nodes[0]), last=self.address(self.nodes[-1])))
        self.make_host(CONTROLLER)
        self.run('ip', 'link', 'add', 'bridge', 'type', 'bridge')
        self.run('ip', 'address', 'add', f'{NETWORK}1/24', 'dev', 'bridge')
        self.run('ip', 'link', 'set', 'bridge', 'up')
        self.start_munge(CONTROLLER)
        self.run('slurmctld')
        for name in self.nodes:
            self.boot(name)
        self.wait_until(self.is_idle, START_LIMIT_S)

    def stop(self):
        for name in list(self.hosts):
            self.crash(name)

    def address(self, node):
        return 11 + self.nodes.index(node)

    def make_host(self, name):
        self.hosts[name] = Host(name, self.folder)

    def start_munge(self, host):
        self.run('munged', f'--key-file={self.folder}/munge.key', f'--seed-file={self.folder}/{host}.seed',
                 f'--log-file={self.folder}/{host}.munge.log', '--pid-file=/run/munge/munged.pid', host=host)

    def boot(self, node):
        self.make_host(node)
        # Namespaces are named by processes as they are numbered outside: by the controller's network alone.
        subprocess.run(['nsenter', '-t', str(self.hosts[CONTROLLER].first), '--net', 'ip', 'link', 'add', node, 'type',
                        'veth', 'peer', 'name', 'eth0', 'netns', str(self.hosts[node].first)], check=True)
        self.run('ip', 'link', 'set', node, 'master', 'bridge', 'up')
        self.run('ip', 'address', 'add', f'{NETWORK}{self.address(node)}/24', 'dev', 'eth0', host=node)
        self.run('ip', 'link', 'set', 'eth0', 'up', host=node)
        self.start_munge(node)
        self.run('slurmd', host=node)

    def crash(self, host):
        self.hosts.pop(host).end()

    def cut(self, node):
        """Takes it off the network; it runs on."""
        self.run('ip', 'link', 'set', node, 'down')

    def mend(self, node):
        self.run('ip', 'link', 'set', node, 'up')

    def declare_down(self, node):
        """What Slurm would find out in 20 seconds: its jobs are started anew."""
        self.run('scontrol', 'update', f'nodename={node}', 'state=down', 'reason=test')

    def signal(self, node, program, number):
        for pid in self.hosts[node].processes(program):
            os.kill(pid, number)

    def run(self, *command, host=CONTROLLER, check=True):
        """Runs a command on a host to its end; what it printed."""
        done = subprocess.run(self.hosts[host].inside(*command), env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=COMMAND_LIMIT_S)
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    def submit(self, *arguments):
        """sbatch, in the current folder; the job's number."""
        return self.run('sbatch', '--parsable', *map(str, arguments)).strip()

    def tasks(self, job):
        """What Slurm knows of each task of a job, as it names it: a list of dictionaries."""
        told = self.run('scontrol', '--oneliner', 'show', 'job', job)
        return [dict(word.split('=', 1) for word in line.split() if '=' in word) for line in told.splitlines()]

    def is_idle(self):
        return self.run('sinfo', '-h', '-t', 'idle', '-o', '%D', check=False).strip() == str(len(self.nodes))

    def is_queued(self, job):
        """Whether any of it still waits or runs. sbatch --wait would look ever more seldom."""
        return job in self.run('squeue', '-h', '-o', '%F', '-j', job, check=False).split()

    def wait(self, job, limit_s=120):
        self.wait_until(lambda: not self.is_queued(job), limit_s)

    def wait_until(self, what, limit_s=60):
        """Until it is true; the answer."""
        end = time.monotonic() + limit_s
        while not (answer := what()):
            assert time.monotonic() < end, self.run('squeue', check=False) + self.run('sinfo', check=False)
            time.sleep(POLL_S)
        return answer
