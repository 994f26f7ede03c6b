#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm explore --slurm on a cluster of one node: a real slurmctld, slurmd and munged, whose files are in one folder.

usage: slurm.py FLTVM QEMU-FOLDER FAKE-QEMU

Debian has them as slurmctld, slurmd, slurm-client and munge; without them there is nothing to test.  No root is wanted: all of it
runs as who runs the test.
"""
import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from command import Folder, expect
from tap import Skip, case, check, equal, main

os.environ['PATH'] += ':/usr/sbin:/sbin'
PROGRAMS = ('munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'sinfo')
MISSING = [name for name in PROGRAMS if not shutil.which(name)]
CONFIGURATION = '''
ClusterName=fltvm
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.s
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
KillWait=5
ReturnToService=2
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
'''
# Some seeds fail one check, some another, the rest none; a run takes its time if it is told so.
LUCK = '''
local n = math.random(8)
SLOW
expect(n ~= 3, "it is not three")
expect(n ~= 5, "it is not five")
'''


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f'{what}: not in {seconds} s')
        time.sleep(0.2)


class Cluster:
    """Daemons that are there while it is entered."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='fltvm-slurm-')
        self.daemons = []
        for name in ('state', 'spool'):
            os.mkdir(os.path.join(self.folder, name))
        with open(os.path.join(self.folder, 'munge.key'), 'wb') as key:
            key.write(os.urandom(1024))
        os.chmod(key.name, 0o400)
        with open(os.path.join(self.folder, 'slurm.conf'), 'w', encoding='utf-8') as file:
            file.write(CONFIGURATION.format(folder=self.folder, user=getpass.getuser(), ports=free_ports(2), node='one',
                                            host=socket.gethostname()))
        os.environ['SLURM_CONF'] = file.name
        try:
            at = {name: os.path.join(self.folder, 'munge.' + name) for name in ('s', 'key', 'pid', 'log', 'seed')}
            self.start('munged', '--foreground', '--force', f'--socket={at["s"]}', f'--key-file={at["key"]}', f'--pid-file={at["pid"]}',
                       f'--log-file={at["log"]}', f'--seed-file={at["seed"]}')
            wait_for('munge answers', lambda: os.path.exists(at['s']))
            self.start('slurmctld', '-D', '-c')
            self.start('slurmd', '-D', '-N', 'one')
            wait_for('the node is idle', lambda: 'idle' in self.run('sinfo', '--noheader', '--format=%t'))
        except BaseException:
            for name in os.listdir(self.folder):
                if name.endswith('.out'):
                    with open(os.path.join(self.folder, name), encoding='utf-8', errors='replace') as log:
                        print(*(f'# {name}: {line.rstrip()}' for line in log.readlines()[-15:]), sep='\n')
            self.__exit__()
            raise
        return self

    def start(self, *words):
        with open(os.path.join(self.folder, words[0] + '.out'), 'wb') as log:
            # pylint: disable-next=consider-using-with
            self.daemons.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def run(self, *words):
        return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False).stdout.decode()

    def idle(self):
        return not self.run('squeue', '--noheader').strip()

    def __exit__(self, *_):
        if len(self.daemons) == 3:
            self.run('scancel', '--user=' + getpass.getuser())
            with contextlib.suppress(AssertionError):
                wait_for('no jobs', self.idle, 20)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in reversed(self.daemons):
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def needs_slurm(test):
    def wrapped():
        if MISSING:
            raise Skip('there is no ' + ', '.join(MISSING) + ' (Debian: slurmctld slurmd slurm-client munge)')
        test()
    wrapped.__name__ = test.__name__
    return case(wrapped)


def kill_explorer(path):
    """What writes that file does not get to say anything."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError), open(f'/proc/{pid}/cmdline', 'rb') as file:
            words = file.read().split(b'\0')
            if b'explore' in words and os.fsencode(path) in words:
                os.kill(int(pid), signal.SIGKILL)
                return
    raise AssertionError(f'nobody writes {path}')


def found(folder):
    return json.loads(folder.read('out/found.json'))


@needs_slurm
def an_array_finds_what_one_exploration_finds():
    with Cluster() as cluster, Folder() as folder:
        folder.write('scenario.lua', LUCK.replace('SLOW', ''))
        folder.fltvm('explore', '--runs', '40', '--json', 'whole.json', 'scenario.lua')
        whole = json.loads(folder.read('whole.json'))
        done = folder.fltvm('explore', '--slurm', '3', '--wait', '--runs', '40', '--output', 'out', 'scenario.lua', timeout=300)
        expect(done, 1, ': 3 tasks; job ', '2 findings in 42 runs', 'it is not three', 'it is not five')
        equal(found(folder)['runs'], whole['runs'] + 2, 'runs: each task makes the first')
        equal([(f['key'], f['command']) for f in found(folder)['findings']], [(f['key'], f['command']) for f in whole['findings']], 'findings')
        check('<testcase' in folder.read('out/found.xml').decode(), 'JUnit')
        check(cluster.idle(), 'no job is left')
        # Without --wait the jobs are only submitted.
        folder.write('scenario.lua', 'expect(true, "always")')
        done = folder.fltvm('explore', '--slurm', '2', '--runs', '10', '--output', 'later', 'scenario.lua', timeout=300)
        expect(done, 0, ': 2 tasks; job ')
        wait_for('the merged result', lambda: os.path.exists(os.path.join(folder.path, 'later', 'status')), 120)
        equal(folder.read('later/status').strip(), b'0', 'status')
        check('nothing found in 11 runs' in folder.read('later/merge.log').decode(), folder.read('later/merge.log'))


@needs_slurm
def a_task_that_is_lost_leaves_what_it_had_and_nothing_counts_as_nothing_found():
    with Cluster() as cluster, Folder() as folder:
        folder.write('scenario.lua', 'os.execute("sleep 0.3") expect(true, "always")')
        done = folder.fltvm('explore', '--slurm', '2', '--runs', '400', '--output', 'out', 'scenario.lua', timeout=300)
        expect(done, 0)
        job = done.all.split('job ')[1].split(':')[0]
        for task in ('1', '2'):
            wait_for(f'task {task} has found out something', lambda: os.path.exists(os.path.join(folder.path, f'out/shard-{task}.json')), 120)
        # One is killed as a node's failure would have it, the other is told to stop; the third job follows all the same.
        kill_explorer(os.path.join(folder.path, 'out/shard-1.json'))
        cluster.run('scancel', job + '_2')
        wait_for('the merged result', lambda: os.path.exists(os.path.join(folder.path, 'out', 'status')), 120)
        equal(folder.read('out/status').strip(), b'4', 'status')
        text = folder.read('out/merge.log').decode()
        check('nothing found where it could be judged' in text and 'it was lost before its end' in text, text)
        check(0 < found(folder)['runs'] < 400, found(folder)['runs'])
        # None is there at all.
        for name in ('shard-1.json', 'shard-2.json', 'status'):
            os.unlink(os.path.join(folder.path, 'out', name))
        merged = subprocess.run(['sh', os.path.join(folder.path, 'out', 'merge.sh')], stdout=subprocess.PIPE, check=False)
        equal((merged.returncode, b'nothing is known' in merged.stdout), (4, True), 'merging nothing')


@case
def what_cannot_be_submitted_is_told():
    with Folder() as folder:
        folder.write('scenario.lua', 'expect(true)')
        for options, words in ((['--slurm', '2'], '--slurm: it wants --output'), (['--wait'], '--wait: it is for --slurm'),
                               (['--slurm', '0', '--output', 'a'], "--slurm: '0' is not a number from 1"),
                               (['--slurm', '2', '--output', 'b', '--json', 'x'], '--slurm: it wants --output, a folder')):
            expect(folder.fltvm('explore', *options, 'scenario.lua'), 2, words)
        os.mkdir(os.path.join(folder.path, 'bin'))
        folder.environment['PATH'] = os.path.join(folder.path, 'bin')
        expect(folder.fltvm('explore', '--slurm', '2', '--output', 'c', 'scenario.lua'), 4, '--slurm: sbatch: ')


if __name__ == '__main__':
    sys.exit(main())
