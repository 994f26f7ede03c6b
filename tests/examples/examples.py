#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every scenario of examples/ runs, with the exit status and the words that it promises: examples.py FLTVM."""
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

FLTVM = os.path.abspath(sys.argv[1])

# Scenario: what its output holds, besides that it ends with 0.
EXAMPLES = {
    'broken.lua': ['DRIVER_VERIFIER_DETECTED_VIOLATION', 'broken!BrokenPostRead', 'waiting at DISPATCH_LEVEL is found'],
    'crypt.lua': ['the volume holds the cipher', 'deciphered on its way up', 'on the disk: '],
    'scan.lua': ['asked about "a worm in it", safe: false', 'and is denied the worm', 'the filter has undone the open'],
    'renames.lua': ['draft.txt renamed to', 'letter.txt linked as', 'copy.txt is deleted on close'],
    'contexts.lua': ['the first handle\'s own reads', 'the stream goes: 3 reads', 'the instance when its filter goes'],
    'digest.lua': ['4096 bytes at IRQL 2: SHA-256', 'passed, 1 check'],
    'flaky.lua': ['flaky: 24 reads', 'passed, 24 checks'],
    'flaky_checkpoint.lua': ['flaky: 24 reads', 'passed, 24 checks'],
    'workitem.lua': ['post-read callback', 'a system thread runs workitem!WorkitemRoutine', 'unloaded'],
}


@case
def every_example_is_known_here():
    there = [os.path.basename(path) for path in glob.glob(os.path.join(ROOT, 'examples', '*.lua'))]
    equal(sorted(there), sorted(EXAMPLES), 'scenarios in examples/')


@case
def every_example_does_what_it_says():
    for name, words in EXAMPLES.items():
        result = subprocess.run([FLTVM, 'run', os.path.join('examples', name)], cwd=ROOT, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        equal(result.returncode, 0, f'{name}: {result.stdout}')
        for word in words:
            check(word in result.stdout, f'{name} does not say "{word}": {result.stdout}')


sys.exit(main())
