# SPDX-License-Identifier: GPL-2.0-or-later
"""A seed is a schedule, with the kernel and a scenario: scenario.py FLTVM.

The trace's hash that --verbose prints is the witness.  50 runs of one seed, under load, and with the monitor and gdb
stopping the machine, must agree; of 50 seeds at least 45 must differ.
"""
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

from machine import Monitor, Tap

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 50
fltvm = sys.argv[1]
tap = Tap()


def start(seed, options=''):
    return subprocess.Popen([fltvm, 'run', '--verbose', '--seed', str(seed), os.path.join(HERE, 'races.lua')],
                            env=dict(os.environ, FLTVM_TEST_QEMU=options), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def witness(process):
    """The trace's hash, and what the driver saw; or what went wrong."""
    try:
        output = process.communicate(timeout=120)[0].decode(errors='replace')
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 'TIMEOUT'
    found = re.search(r'trace[^\n]*?\b([0-9a-f]{16,})\b', output)
    races = re.search(r'races ([0-9a-f]{16} \d+)', output)
    if process.returncode != 0 or not found or not races:
        return f'exit status {process.returncode}: {output}'
    return f'{found.group(1)} {races.group(1)}'


def run(seed):
    return witness(start(seed))


def same(results, wanted, name):
    wrong = [result for result in results if result != wanted]
    tap.check(not wrong, name, f'wanted {wanted}, {len(wrong)} of {len(results)} differ: {wrong[:3]}')


def connect(path, process):
    while process.poll() is None:
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            return connection
        except OSError:
            time.sleep(0.001)
    return None


def stopped_by_monitor(seed, directory):
    path = os.path.join(directory, 'monitor.sock')
    if os.path.exists(path):
        os.unlink(path)
    process = start(seed, f'-chardev socket,id=test,path={path},server=on,wait=off -mon chardev=test,mode=control')
    connection = connect(path, process)
    stops = 0
    if connection:
        monitor = Monitor(connection)
        while monitor.execute('stop') is not None and monitor.execute('cont') is not None:
            stops += 1
            time.sleep(random.random() * 0.002)
        connection.close()
    return witness(process), stops


def stopped_by_gdb(seed, directory):
    path = os.path.join(directory, 'gdb.sock')
    if os.path.exists(path):
        os.unlink(path)
    process = start(seed, f'-S -chardev socket,id=test,path={path},server=on,wait=off -gdb chardev:test')
    connection = connect(path, process)
    if connection:
        connection.close()
    gdb = subprocess.run(['gdb', '-nx', '-batch', '-x', os.path.join(HERE, 'scenariostops.py')],
                         env=dict(os.environ, FLTVM_TEST_SOCKET=path, FLTVM_GDB=os.path.join(HERE, '../../host/gdb'),
                                  FLTVM_SYMBOLS=os.environ.get('FLTVM_SYMBOLS', os.path.join(
                                      os.path.dirname(os.path.dirname(os.path.abspath(fltvm))), 'guest/symbols'))),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    output = gdb.stdout.decode(errors='replace')
    stops = re.search(r'^stops (\d+)$', output, re.MULTILINE)
    return witness(process), int(stops.group(1)) if stops else 0, output


def main():
    reference = run(7)
    tap.check(re.fullmatch(r'[0-9a-f ]+', reference) is not None, 'the scenario runs and its trace has a hash', reference)
    same([run(7) for _ in range(RUNS // 2)], reference, f'{RUNS // 2} runs of one seed are the same')

    burners = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(2 * os.cpu_count())]
    try:
        same([run(7) for _ in range(RUNS // 2)], reference, f'{RUNS // 2} runs under load on the host are the same')
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()

    with tempfile.TemporaryDirectory() as directory:
        results = [stopped_by_monitor(7, directory) for _ in range(5)]
        same([result for result, _ in results], reference, 'stop and cont change nothing')
        tap.check(sum(stops for _, stops in results) >= 10, 'the monitor did stop the machine',
                  [stops for _, stops in results])
        if subprocess.run(['gdb', '--version'], capture_output=True).returncode == 0:
            result, stops, output = stopped_by_gdb(7, directory)
            same([result], reference, 'breakpoints and steps change nothing')
            tap.check(stops >= 30, 'gdb did stop the machine', output)
        else:
            tap.skip('breakpoints and steps change nothing', 'no gdb')

    seeds = [run(seed) for seed in range(RUNS)]
    bad = [result for result in seeds if not re.fullmatch(r'[0-9a-f ]+', result)]
    tap.check(not bad, f'{RUNS} seeds run', bad[:1])
    traces = {result.split()[0] for result in seeds}
    tap.check(len(traces) >= RUNS * 9 // 10, f'{RUNS} seeds give other traces', f'{len(traces)} different')
    orders = {result.split(None, 1)[1] for result in seeds if ' ' in result}
    tap.check(len(orders) >= RUNS * 9 // 10, f'{RUNS} seeds give other orders of what the driver does',
              f'{len(orders)} different')
    return tap.done()


sys.exit(main())
