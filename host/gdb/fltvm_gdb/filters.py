# SPDX-License-Identifier: GPL-2.0-or-later
"""`fltvm filters`, `fltvm instances`, `fltvm workitems`: what the filter manager and the system workers know."""
import gdb

from . import guest
from .command import Command

QUEUES = ('CriticalWorkQueue', 'DelayedWorkQueue', 'HyperCriticalWorkQueue')


def held(rundown):
    """How many references an object's rundown counts, and whether it is going away."""
    count = int(rundown['Count'])
    return f'{count >> 1} in use' + (', going away' if count & 1 else '')


def volumes():
    return guest.entries(guest.symbol('FltpVolumes'), '_FLT_VOLUME', 'Link')


class Filters(Command):
    """fltvm filters
Registered minifilters: altitude, state, instances, and what still holds them."""

    def run(self, _arguments):
        for entry in guest.entries(guest.symbol('FltpFilters'), '_FLT_FILTER', 'Link'):
            state = 'unloading' if int(entry['Unloading']) else 'started' if int(entry['Started']) else 'registered'
            gdb.write(f'{guest.integer(entry.address):#x} {guest.text(entry["Name"]):<20} '
                      f'altitude {guest.text(entry["Altitude"]):<8} {state:<10} {int(entry["InstanceCount"])} instances, '
                      f'{held(entry["Object"]["Rundown"])}\n')


class Instances(Command):
    """fltvm instances
Instances by volume, highest altitude first, as a request meets them."""

    def run(self, _arguments):
        for volume in volumes():
            gdb.write(f'{guest.text(volume["Name"])}\n')
            for entry in guest.entries(volume['Instances'], '_FLT_INSTANCE', 'Link'):
                state = str(entry['State']).replace('FltpInstance', '').lower()
                gdb.write(f'  {guest.integer(entry.address):#x} altitude {guest.text(entry["Altitude"]):<8} '
                          f'{guest.text(entry["Filter"]["Name"])} ({guest.text(entry["Name"])}), {state}, '
                          f'{held(entry["Object"]["Rundown"])}, {int(entry["Io"]["Count"]) >> 1} operations\n')


class WorkItems(Command):
    """fltvm workitems
The system work queues with what waits in them, and every generic and deferred work item of filters: its routine, its queue,
and whether it is allocated, queued or running."""

    def run(self, _arguments):
        queues = guest.symbol('ExpWorkQueues')
        for number, name in enumerate(QUEUES):
            queue = queues[number]
            waiting = list(guest.entries(queue['Queue']['EntryListHead'], '_WORK_QUEUE_ITEM', 'List'))
            gdb.write(f'{name}: {int(queue["Threads"])} threads, {int(queue["Queue"]["CurrentCount"])} run, '
                      f'{len(waiting)} items wait\n')
            for item in waiting:
                gdb.write(f'  {guest.integer(item.address):#x} {guest.where(guest.integer(item["WorkerRoutine"]))}\n')
        if not guest.has_symbol('FltpLiveItems'):
            return
        gdb.write('work items of filters:\n')
        for item in guest.entries(guest.symbol('FltpLiveItems'), '_FLTP_WORK_ITEM', 'Link'):
            gdb.write(self.describe(item))

    @staticmethod
    def describe(item):
        routine = guest.integer(item['Work']['Routine'])
        if int(item['State']) == int(gdb.parse_and_eval('FltpItemQueued')):
            state = f'queued to {QUEUES[int(item["Queue"])]}'
        else:
            state = 'not queued: its routine runs or has run' if routine else 'allocated'
        return f'  {guest.integer(item.address):#x} {item["Kind"]["Name"].string()}, {state} {guest.where(routine) if routine else ""}\n'
