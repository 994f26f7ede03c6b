#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""List the trace events of the guest (abi/trace.h) and of the devices (hw/trace-events) on one page.

usage: trace-events.py -o OUT.md TRACE.h TRACE-EVENTS
"""
import argparse
import re
import sys


def guest_events(path):
    with open(path, encoding='utf-8') as text:
        for name, fields in re.findall(r'^ *X\((\w+),((?:\s*"[^"]*",?)+)\)', text.read(), re.M):
            yield name, [field for field in re.findall(r'"([^"]*)"', fields) if field]


def device_events(path):
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            match = re.match(r'(?:disable )?(\w+)\((.*?)\)\s*"(.*)"', line)
            if match:
                yield match[1], match[3]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('guest')
    parser.add_argument('devices')
    args = parser.parse_args()
    guest, devices = list(guest_events(args.guest)), list(device_events(args.devices))
    if not guest or not devices:
        raise SystemExit('trace-events.py: error: no events found')
    with open(args.output, 'w', encoding='utf-8') as out:
        out.write('# Trace events\n\nMade by the build.\n\n## Of the guest: `--trace FILE`\n\n'
                  '`*` marks the address of a routine, `#` one that names an object.\n\n| event | fields |\n|---|---|\n')
        out.writelines(f'| {name} | {", ".join(fields)} |\n' for name, fields in guest)
        out.write('\n## Of the devices: QEMU\'s `-trace \'fltvm_*\'`\n\n| event | text |\n|---|---|\n')
        out.writelines(f'| {name} | `{text}` |\n' for name, text in devices)
    return 0


sys.exit(main())
