#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests' canaries: a check that fails, and checks that are missing, must make the run fail."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
from tap import case, check, equal, main  # noqa: E402


def run(driver):
    environment = dict(os.environ, FLTVM_TEST_DRIVER=os.path.join(HERE, driver))
    command = [sys.argv[1], 'run', '--tap', os.path.join(HERE, 'run.lua')]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=120, check=False)


@case
def a_check_that_fails_is_seen():
    result = run('canary.c')
    equal(result.returncode, 1, f'exit status\n{result.stdout}')
    check('\nnot ok 1' in '\n' + result.stdout and 'canary.c' in result.stdout, result.stdout)


@case
def checks_that_are_missing_are_seen():
    result = run('canary_plan.c')
    equal(result.returncode, 1, f'exit status\n{result.stdout}')
    check('2 announced, 1 made' in result.stdout, result.stdout)


sys.exit(main())
