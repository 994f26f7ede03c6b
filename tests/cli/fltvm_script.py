#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The fltvm script as a user meets it: help, bad usage, missing files, doing nothing quickly, two at once."""
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
from tap import Skip, case, check, equal, main  # noqa: E402

FLTVM = os.path.join(ROOT, 'fltvm')
BUILT = ['run', 'boot', 'gdb', 'image']
VERBS = BUILT + ['cc', 'test', 'bench', 'build', 'setup']


def fltvm(*words, **settings):
    return subprocess.run([FLTVM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=280,
                          check=False, stdin=subprocess.DEVNULL, **settings)


def refused(result, *texts):
    """Bad usage or input: status 2, and a message that names the culprit."""
    said = result.stdout + result.stderr
    equal(result.returncode, 2, f'exit status ({said})')
    for text in texts:
        check(text in said, f'"{text}" is not in: {said}')
    for trace in ('Traceback', 'CRITICAL', 'stack traceback'):
        check(trace not in said, f'a trace of the program: {said}')


@case
def help_lists_every_verb():
    for word in ('--help', '-h', 'help'):
        result = fltvm(word)
        equal(result.returncode, 0, word)
        equal(result.stderr, '', 'standard error')
        for verb in VERBS:
            check(f'\n  {verb} ' in result.stdout, f'{verb} is not in {word}')


@case
def every_verb_has_help():
    for verb in VERBS:
        for word in ('--help', '-h'):
            result = fltvm(verb, word)
            equal(result.returncode, 0, f'{verb} {word}: {result.stderr}')
            check('usage' in result.stdout.lower() and verb in result.stdout, f'{verb} {word}: {result.stdout}')


@case
def run_help_names_every_option():
    text = fltvm('run', '--help').stdout
    for option in ('--seed', '--cpus', '--memory', '--accel', '--tap', '--junit', '--trace', '--timeout', '--dry-run'):
        check(option in text, f'{option} is not in run --help')


@case
def no_verb_is_bad_usage():
    refused(fltvm(), 'usage')


@case
def unknown_verb_is_bad_usage():
    refused(fltvm('frobnicate'), 'frobnicate')


@case
def unknown_options_are_bad_usage():
    for verb in BUILT + ['test', 'build', 'setup']:
        refused(fltvm(verb, '--frobnicate'), 'frobnicate')


@case
def run_without_a_scenario_is_bad_usage():
    refused(fltvm('run'))
    refused(fltvm('gdb'))


@case
def missing_scenario_is_bad_input():
    refused(fltvm('run', '/nonexistent/x.lua'), '/nonexistent/x.lua')
    refused(fltvm('gdb', '/nonexistent/x.lua'), '/nonexistent/x.lua')


@case
def bad_values_are_bad_usage():
    for words in (['--seed', 'x'], ['--cpus', '0'], ['--cpus', '9'], ['--cpus', 'x'], ['--timeout', 'x'],
                  ['--accel', 'x'], ['--memory', 'x']):
        refused(fltvm('run', *words, os.path.join(ROOT, 'examples', 'workitem.lua')))


@case
def unknown_suite_is_bad_usage():
    refused(fltvm('test', 'frobnicate'), 'frobnicate', 'Suites:')


@case
def unknown_target_is_bad_usage():
    refused(fltvm('build', 'frobnicate'), 'frobnicate')


@case
def every_suite_has_its_line_in_help():
    text = fltvm('test', '--help').stdout
    tests = os.path.join(ROOT, 'tests')
    for name in os.listdir(tests):
        path = os.path.join(tests, name, 'meson.build')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as rules:
                rules = rules.read()
            if f"suite: '{name}'" in rules:
                check(any(line.split()[:1] == [name] and len(line.split()) > 2 for line in text.splitlines()), f'{name}: {text}')


@case
def a_build_folder_may_be_named_relative():
    build = os.environ['FLTVM_BUILD']
    result = subprocess.run([FLTVM, 'build', 'sdk/headers.vfs'], cwd=os.path.dirname(build), stderr=subprocess.PIPE, text=True,
                            check=False, env=dict(os.environ, FLTVM_BUILD=os.path.basename(build)))
    equal(result.returncode, 0, result.stderr)


def unprivileged():
    """A user who may not write here, and the words that make a command run as that user."""
    if os.getuid() != 0:
        raise Skip('only root can become somebody else')
    become = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    if subprocess.run([*become, 'test', '-x', FLTVM], check=False).returncode:
        raise Skip('this tree is closed to others')
    return become


@case
def a_build_folder_that_cannot_be_written_says_so():
    become = unprivileged()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        result = subprocess.run([*become, FLTVM, 'build', 'sdk/headers.vfs'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False, env={'PATH': os.environ['PATH'], 'HOME': folder, 'FLTVM_BUILD': folder})
        equal(result.returncode, 4, result.stdout)
        check(f'FLTVM_BUILD: {folder}: I cannot write there' in result.stdout, result.stdout)
        result = subprocess.run([*become, FLTVM, 'build', 'sdk/headers.vfs'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False, env={'PATH': os.environ['PATH'], 'HOME': folder})
        equal(result.returncode, 4, result.stdout)
        check('name a build folder with FLTVM_BUILD' in result.stdout, result.stdout)


@case
def without_home_the_cache_is_in_the_user_s():
    """As for the Python scripts, which it starts: else QEMU and Meson are made anew beside those that there are."""
    become = unprivileged()
    result = subprocess.run([*become, FLTVM, 'build', 'sdk/headers.vfs'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, env={'PATH': os.environ['PATH']})
    check(f'{pwd.getpwuid(65534).pw_dir}/.cache/fltvm/' in result.stdout, result.stdout)


@case
def drivers_compile_beside_a_build_folder_that_cannot_be_written():
    become = unprivileged()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        example = os.path.join(ROOT, 'examples', 'workitem.lua')
        result = subprocess.run([*become, os.path.join(os.environ['FLTVM_BUILD'], 'host', 'fltvm'), 'run', example], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd='/',
                                env={'PATH': os.environ['PATH'], 'HOME': folder, 'TMPDIR': folder})
        equal(result.returncode, 0, result.stdout)
        check(os.listdir(os.path.join(folder, '.cache', 'fltvm', 'drivers')), 'nothing was compiled in the cache')


@case
def without_python_it_says_so():
    with tempfile.TemporaryDirectory() as folder:
        for name in ('sh', 'env', 'dirname', 'readlink'):
            os.symlink(shutil.which(name), os.path.join(folder, name))
        source = os.path.join(folder, 'x.c')
        with open(source, 'w', encoding='utf-8') as out:
            out.write('int x;\n')
        scenario = os.path.join(folder, 'x.lua')
        with open(scenario, 'w', encoding='utf-8') as out:
            out.write('machine:load{ source = "x.c" }\n')
        result = subprocess.run([os.path.join(os.environ['FLTVM_BUILD'], 'host', 'fltvm'), 'run', scenario], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False, env={'PATH': folder, 'HOME': folder})
        equal(result.returncode, 4, result.stdout)
        check('python3' in result.stdout and 'does not compile' not in result.stdout, result.stdout)


@case
def an_up_to_date_build_is_silent_and_quick():
    fltvm('build', 'sdk/headers.vfs')
    took = []
    for _ in range(5):                  # the best of several: the machine may be busy
        start = time.monotonic()
        result = fltvm('build', 'sdk/headers.vfs')
        took.append(time.monotonic() - start)
        equal((result.returncode, result.stdout, result.stderr), (0, '', ''), 'second build')
    check(min(took) < 0.5, f'took {min(took):.2f} s')


@case
def two_at_once_wait_for_each_other():
    command = [FLTVM, 'build', 'sdk/headers.vfs']
    several = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for _ in range(4)]
    for child in several:
        _, text = child.communicate(timeout=280)
        equal(child.returncode, 0, f'exit status ({text})')


def session(number):
    """Names of the processes of a session."""
    names = []
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{entry}/stat', encoding='utf-8') as text:
                name, rest = text.read().split('(', 1)[1].rsplit(')', 1)
        except (OSError, IndexError):
            continue
        if int(rest.split()[3]) == number and rest.split()[0] != 'Z':
            names.append(name)
    return names


def interrupted(text, send):
    """Runs a scenario that does not end, interrupts it when QEMU runs, and wants nothing left soon after."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'endless.lua')
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        with subprocess.Popen([FLTVM, 'run', path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, start_new_session=True) as child:
            limit = time.monotonic() + 90
            while not any(name.startswith('qemu-system') for name in session(child.pid)):
                check(child.poll() is None and time.monotonic() < limit, 'QEMU never ran')
                time.sleep(0.05)
            time.sleep(0.3)
            send(child.pid)
            limit = time.monotonic() + 30
            while session(child.pid) and time.monotonic() < limit:
                time.sleep(0.05)
            left = session(child.pid)
            if left:
                os.killpg(child.pid, signal.SIGKILL)
            equal(left, [], 'processes left')
        check(child.returncode != 0, 'an interrupted run reports success')


@case
def interrupt_leaves_nothing_running():
    interrupted('machine:start()\nwhile true do end\n', lambda pid: os.killpg(pid, signal.SIGINT))


@case
def termination_leaves_nothing_running():
    interrupted('machine:start()\nwhile true do end\n', lambda pid: os.kill(pid, signal.SIGTERM))


@case
def killing_the_command_leaves_nothing_running():
    interrupted('machine:start()\nwhile true do end\n', lambda pid: os.kill(pid, signal.SIGKILL))


def in_an_empty_environment(*words, **variables):
    return subprocess.run([FLTVM, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False,
                          stdin=subprocess.DEVNULL, env=variables)


@case
def an_empty_environment_is_enough_to_build():
    with tempfile.TemporaryDirectory() as folder:
        # A build of one file, with the stamp that says that the machine is set up.
        with open(FLTVM, 'rb') as script:
            stamp = subprocess.run(['cksum'], stdin=script, stdout=subprocess.PIPE, text=True, check=True).stdout
        with open(os.path.join(folder, '.setup'), 'w', encoding='utf-8') as out:
            out.write(f'{stamp.strip()}\n/bin/true\n')
        with open(os.path.join(folder, 'x.c'), 'w', encoding='utf-8') as out:
            out.write('int x;\n')
        with open(os.path.join(folder, 'build.ninja'), 'w', encoding='utf-8') as out:
            out.write('rule cc\n  command = cc -c -o $out $in\nbuild x.o: cc x.c\n')
        result = in_an_empty_environment('build', 'x.o', FLTVM_BUILD=folder)
        equal(result.returncode, 0, result.stdout)
        check(os.path.exists(os.path.join(folder, 'x.o')), result.stdout)


@case
def an_empty_environment_is_enough_to_run():
    ours = os.path.join(ROOT, 'build')
    build = os.environ['FLTVM_BUILD']
    elsewhere = {} if os.path.exists(ours) and os.path.samefile(build, ours) else {'FLTVM_BUILD': build}
    fltvm('build', 'sdk/headers.vfs')
    for words, said in ((['--help'], 'usage'), (['build', 'sdk/headers.vfs'], ''), (['image', '--help'], 'Usage'),
                        (['cc', '--help'], 'usage')):
        result = in_an_empty_environment(*words, **elsewhere)
        equal(result.returncode, 0, f'{words}: {result.stdout}')
        check(said in result.stdout, f'{words}: {result.stdout}')
    # As the command that was built: it finds its compiler and its machine.
    result = subprocess.run([os.path.join(build, 'host', 'fltvm'), 'run', os.path.join(ROOT, 'examples', 'workitem.lua')], env={}, cwd='/',
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False)
    equal(result.returncode, 0, result.stdout)


@case
def works_from_another_folder_and_through_a_link():
    link = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'fltvm-link-{os.getpid()}')
    os.symlink(FLTVM, link)
    try:
        result = subprocess.run([link, 'build', 'sdk/headers.vfs'], cwd='/', stderr=subprocess.PIPE, check=False)
        equal(result.returncode, 0, f'exit status ({result.stderr})')
    finally:
        os.unlink(link)


sys.exit(main())
