# SPDX-License-Identifier: GPL-2.0-or-later
"""`fltvm filters`, `fltvm instances`, `fltvm workitems` and so on: what the filter manager and the system workers know."""
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


class Volumes(Command):
    """fltvm volumes
Volumes that the filter manager is attached to: its device, the file system's, how many instances, what holds them."""

    def run(self, _arguments):
        for volume in volumes():
            gdb.write(f'{guest.integer(volume.address):#x} {guest.text(volume["Name"]):<28} {guest.text(volume["DriverName"]):<8} '
                      f'device {guest.integer(volume["Device"]):#x} on {guest.integer(volume["Below"]):#x}, '
                      f'{int(volume["InstanceCount"])} instances, {held(volume["Object"]["Rundown"])}'
                      f'{", detached" if int(volume["Detached"]) else ""}\n')


def major_name(major):
    """IRP_MJ_READ for 3, by the filter manager's own table."""
    table = guest.symbol('FltpMajorNames')
    for number in range(table.type.sizeof // table.type.target().sizeof):
        if int(table[number]['Major']) == major:
            return table[number]['Name'].string()
    return f'{major:#x}'


# FLT_CALLBACK_DATA.Flags
FLAGS = {0x1: 'irp', 0x2: 'fast-io', 0x4: 'fs-filter', 0x8: 'system-buffer', 0x10000: 'generated', 0x20000: 'reissued',
         0x40000: 'draining', 0x80000: 'post', 0x100000: 'new-system-buffer', 0x80000000: 'dirty'}


def flag_names(flags):
    return ' '.join([name for bit, name in FLAGS.items() if flags & bit] or ['none'])


def operation_of(address):
    """The operation whose callback data that is, or None: a filter's own has another layout around it."""
    type_ = guest.type_of('_FLTP_OPERATION')
    operation = gdb.Value(address - guest.offset_of(type_, 'Data')).cast(type_.pointer()).dereference()
    return operation if int(operation['Magic']) in MAGICS else None


MAGICS = {0x4F746C46: 'under way', 0x44746C46: 'drained', 0x43746C46: 'allocated by a filter'}


def file_name(file_object):
    if not guest.integer(file_object):
        return 'no file'
    return f'file {guest.integer(file_object):#x} "{guest.text(file_object.dereference()["FileName"])}"'


def summary(operation):
    iopb = operation['Iopb']
    flags = int(operation['Data']['Flags'])
    return (f'{guest.integer(operation["Data"].address):#x} {major_name(int(iopb["MajorFunction"]))}.{int(iopb["MinorFunction"])} '
            f'({flag_names(flags)}) irp {guest.integer(operation["Irp"]):#x} {file_name(iopb["TargetFileObject"])}')


def is_held(operation, node, state):
    """The callback has returned, and the filter has the operation.  With the verifier on; a stack that is gone cannot be read."""
    if state not in ('pre', 'post') or not int(guest.symbol('FltpVerify')):
        return False
    try:
        return guest.integer(node['Call'].dereference()['Operation']) != guest.integer(operation.address)
    except gdb.MemoryError:
        return True


def nodes(operation):
    """A line for each instance of the operation, in the order in which it meets them."""
    for number in range(int(operation['Count'])):
        node = gdb.Value(guest.integer(operation['Nodes'].address)).cast(guest.type_of('_FLTP_NODE').pointer())[number]
        state = str(gdb.Value(int(node['State'])).cast(guest.type_of('FLTP_NODE_STATE'))).replace('FltpNode', '').lower()
        mark = '*' if number == int(operation['Current']) else ' '
        if state == 'done': # its instance may be gone
            yield f'  {mark} done'
            continue
        instance = node['Instance'].dereference()
        callback = node['Callback'].dereference()
        routine = guest.integer(callback['Post'] if state in ('wait', 'post', 'drain', 'drainlast') else callback['Pre'])
        held = ', has returned: held by the filter' if is_held(operation, node, state) else ''
        yield (f'  {mark} {state:<6} altitude {guest.text(instance["Altitude"]):<8} {guest.text(instance["Filter"]["Name"])} '
               f'{guest.where(routine)}{held}' + (f', context {guest.integer(node["CompletionContext"]):#x}'
                                            if guest.integer(node['CompletionContext']) and state != 'idle' else ''))


class Operations(Command):
    """fltvm operations
Every operation under way, by volume: its callback data, what it is, and where it stands with each instance: not reached (idle), in
its pre-callback (pre), its post-callback due (wait), in its post-callback (post), done; and whether a callback has returned and its
filter holds the operation.  The star is the one at hand."""

    def run(self, _arguments):
        for volume in volumes():
            under_way = [entry for entry in guest.entries(volume['Blocks'], '_FLTP_OPERATION', 'Link')
                         if int(entry['Magic']) == 0x4F746C46]
            gdb.write(f'{guest.text(volume["Name"])}: {len(under_way)} operations\n')
            for operation in under_way:
                gdb.write(f' {summary(operation)}\n')
                for line in nodes(operation):
                    gdb.write(line + '\n')


class CallbackData(Command):
    """fltvm callbackdata ADDRESS
One callback data (an expression, as $rcx in a callback): flags, status, file, parameters, and the instances of its operation."""

    def run(self, arguments):
        if len(arguments) != 1:
            raise gdb.GdbError('usage: fltvm callbackdata ADDRESS')
        operation = operation_of(guest.integer(gdb.parse_and_eval(arguments[0])))
        if operation is None:
            raise gdb.GdbError('that is no callback data: see fltvm operations')
        data, iopb = operation['Data'], operation['Data']['Iopb'].dereference()
        status = guest.integer(data['IoStatus']['Status']) & 0xFFFFFFFF
        gdb.write(f'{summary(operation)}, {MAGICS[int(operation["Magic"])]}\n'
                  f'  thread {guest.integer(data["Thread"]):#x}, requestor {"user" if int(data["RequestorMode"]) else "kernel"}, '
                  f'status {status:#010x}, information {guest.integer(data["IoStatus"]["Information"]):#x}, '
                  f'irp flags {guest.integer(iopb["IrpFlags"]):#x}, operation flags {guest.integer(iopb["OperationFlags"]):#x}\n')
        member = PARAMETERS.get(int(iopb['MajorFunction']))
        if member:
            gdb.write(f'  {member} {iopb["Parameters"][member]}\n')
        for line in nodes(operation):
            gdb.write(line + '\n')


# Which member of FLT_PARAMETERS a major function's are in.
PARAMETERS = {0x00: 'Create', 0x03: 'Read', 0x04: 'Write', 0x05: 'QueryFileInformation', 0x06: 'SetFileInformation',
              0x0A: 'QueryVolumeInformation', 0x0B: 'SetVolumeInformation', 0x0C: 'DirectoryControl', 0x0D: 'FileSystemControl',
              0x0E: 'DeviceIoControl', 0x11: 'LockControl', 0x14: 'QuerySecurity', 0x15: 'SetSecurity'}
CONTEXT_TYPES = {0x1: 'volume', 0x2: 'instance', 0x4: 'file', 0x8: 'stream', 0x10: 'streamhandle', 0x20: 'transaction', 0x40: 'section'}


class Contexts(Command):
    """fltvm contexts [FILTER]
Contexts that filters have allocated, with the verifier on: type, references, those that filters hold, where it is set and who
allocated it."""

    def run(self, arguments):
        for entry in guest.entries(guest.symbol('FltpFilters'), '_FLT_FILTER', 'Link'):
            name = guest.text(entry['Name'])
            if (arguments and name.lower() != arguments[0].lower()) or not guest.integer(entry['Contexts']):
                continue
            live = list(guest.entries(entry['Contexts'].dereference()['Live'], '_FLTP_CONTEXT', 'Live'))
            gdb.write(f'{name}: {len(live)} contexts\n')
            for context in live:
                data = guest.integer(context.address) + context.type.sizeof
                place = f'set on {guest.integer(context["FileObject"] or context["Owner"]):#x}' if guest.integer(context['List']) else 'not set'
                gdb.write(f'  {data:#x} {CONTEXT_TYPES.get(int(context["Type"]), "?"):<12} {int(context["References"])} references, '
                          f'{int(context["HandedOut"])} held, {place}, allocated by {guest.where(guest.integer(context["AllocatedBy"][0]), True)}\n')


class Ports(Command):
    """fltvm ports
Communication ports: those that filters listen on, and their connections with the messages that wait."""

    def run(self, _arguments):
        type_ = guest.type_of('_FLTP_SERVER')
        for port in guest.entries(guest.symbol('FltpServers'), '_FLTP_PORT', 'Link'):
            server = port.address.cast(type_.pointer()).dereference()
            gdb.write(f'{guest.integer(server.address):#x} {guest.text(server["Name"])} of {guest.text(port["Filter"]["Name"])}, '
                      f'{int(server["Connections"])} of {int(server["MaxConnections"])} connections\n')
            for client in self.clients():
                if guest.integer(client['Server']) == guest.integer(server.address):
                    gdb.write(self.describe(client))

    @staticmethod
    def clients():
        type_ = guest.type_of('_FLTP_CLIENT')
        for port in guest.entries(guest.symbol('FltpClients'), '_FLTP_PORT', 'Link'):
            yield port.address.cast(type_.pointer()).dereference()

    @staticmethod
    def describe(client):
        counts = [sum(1 for _ in guest.entries(client[name], '_LIST_ENTRY', 'Flink')) for name in ('Waiting', 'Delivered', 'GetList')]
        return (f'  {guest.integer(client.address):#x} {"connected" if int(client["Connected"]) else "ended"}, {counts[0]} messages wait, '
                f'{counts[1]} for a reply, {counts[2]} requests for a message\n')


class Names(Command):
    """fltvm names
The names of open files that the filter manager keeps: file object, format, name, and whether it is stale."""

    def run(self, _arguments):
        formats = {1: 'normalized', 2: 'opened', 3: 'short'}
        buckets = guest.symbol('FltpCached')
        for number in range(buckets.type.sizeof // buckets.type.target().sizeof):
            for name in guest.entries(buckets[number], '_FLTP_FILE_NAME', 'OfBucket'):
                stale = int(name['Generation']) != int(name['Volume']['NameGeneration']) and not int(name['IsLast'])
                gdb.write(f'{guest.integer(name["FileObject"]):#x} {formats.get(int(name["Information"]["Format"]), "?"):<10} '
                          f'{guest.text(name["Information"]["Name"])}{", stale" if stale else ""}\n')
