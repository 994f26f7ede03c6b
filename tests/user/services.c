// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What services do for a program, and that each refuses pointers that are not the program's.  Its status is 0x600D, or how many
 * checks failed.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtCancelIoFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE File, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtClearEvent(HANDLE Event);
NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtFlushBuffersFileEx(HANDLE File, ULONG Flags, PVOID Parameters, ULONG Size, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtOpenEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtResetEvent(HANDLE Event, PLONG Previous);
NTSTATUS NTAPI NtSetEvent(HANDLE Event, PLONG Previous);
NTSTATUS NTAPI NtClientOperation(ULONG Code, ULONG Which, PVOID Buffer, ULONG Length);
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE *Handles, WAIT_TYPE Type, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS Main(PVOID Peb);

static ULONG Failed;
static HANDLE File;
static IO_STATUS_BLOCK IoStatus;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

/* What no program may pass: not there, half of it not there, the kernel's, no address at all. */
static PVOID Wild(ULONG Which)
{
    static const ULONG64 Places[] = {8, 0x7FFFFFFEFFFC, 0xFFFFF80000200000, 0xFFFF900000000000, 0x8000000000000000};

    return (PVOID)Places[Which];
}
#define WILD 5

static NTSTATUS Open(PHANDLE Handle, PIO_STATUS_BLOCK Block, POBJECT_ATTRIBUTES Given)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return NtCreateFile(Handle, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, Given != NULL ? Given : &Attributes,
                        Block, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT,
                        NULL, 0);
}

static void CheckEvents(void)
{
    static WCHAR Text[] = L"\\BaseNamedObjects\\services";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    LARGE_INTEGER None = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL, Same = NULL;
    LONG State = 7;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Check(NtCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE) == 0, "an event");
    Check((LONG64)Event > 0, "whose handle is not the kernel's, whatever was asked for");
    Check(NtWaitForSingleObject(Event, FALSE, &None) == STATUS_TIMEOUT, "not set");
    Check(NtSetEvent(Event, &State) == 0 && State == 0, "set, and what it was");
    Check(NtWaitForSingleObject(Event, FALSE, &None) == STATUS_SUCCESS, "is set");
    Check(NtResetEvent(Event, &State) == 0 && State != 0, "reset");
    Check(NtSetEvent(Event, NULL) == 0 && NtClearEvent(Event) == 0, "cleared");
    Check(NtWaitForSingleObject(Event, FALSE, &None) == STATUS_TIMEOUT, "is not set");
    InitializeObjectAttributes(&Attributes, &Name, 0, NULL, NULL);
    if (NtCreateEvent(&Same, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE) == 0) {
        HANDLE Third;

        Check(NtOpenEvent(&Third, EVENT_ALL_ACCESS, &Attributes) == 0 && NtClose(Third) == 0, "opened by its name");
        NtClose(Same);
    }
    for (ULONG Which = 0; Which < WILD; Which++) {
        Check(NtCreateEvent(Wild(Which), EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE) == STATUS_ACCESS_VIOLATION,
              "a handle that cannot be told");
        Check(!NT_SUCCESS(NtCreateEvent(&Same, EVENT_ALL_ACCESS, Wild(Which), NotificationEvent, FALSE)),
              "attributes that are not there");
        Check(!NT_SUCCESS(NtOpenEvent(&Same, EVENT_ALL_ACCESS, Wild(Which))), "nor to open");
        Check(NtSetEvent(Event, Wild(Which)) == STATUS_ACCESS_VIOLATION, "a state that cannot be told");
        Attributes.ObjectName = Wild(Which);
        Check(!NT_SUCCESS(NtOpenEvent(&Same, EVENT_ALL_ACCESS, &Attributes)), "a name that is not there");
        Name.Buffer = Wild(Which);
        Attributes.ObjectName = &Name;
        Check(!NT_SUCCESS(NtOpenEvent(&Same, EVENT_ALL_ACCESS, &Attributes)), "its text");
    }
    Check(NtWaitForSingleObject(Event, FALSE, &None) == STATUS_TIMEOUT, "what is refused is not done");
    Check(NtClose(Event) == 0, "closed");
}

static void CheckWaits(void)
{
    LARGE_INTEGER None = {.QuadPart = 0}, Short = {.QuadPart = -10000};
    HANDLE Events[65];

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Events); Index++)
        NtCreateEvent(&Events[Index], EVENT_ALL_ACCESS, NULL, SynchronizationEvent, Index % 2);
    Check(NtWaitForMultipleObjects(64, Events, WaitAny, FALSE, NULL) == STATUS_WAIT_0 + 1,
          "any: the first that is set");
    Check(NtWaitForMultipleObjects(64, Events, WaitAny, FALSE, NULL) == STATUS_WAIT_0 + 3, "which is taken");
    Check(NtWaitForMultipleObjects(2, Events, WaitAny, FALSE, &None) == STATUS_TIMEOUT, "none is");
    Check(NtWaitForMultipleObjects(64, Events, WaitAll, TRUE, &Short) == STATUS_TIMEOUT, "not all are");
    NtSetEvent(Events[0], NULL);
    Check(NtWaitForMultipleObjects(2, Events, WaitAll, FALSE, &None) == STATUS_TIMEOUT, "one of two");
    NtSetEvent(Events[1], NULL);
    Check(NtWaitForMultipleObjects(2, Events, WaitAll, FALSE, &None) == STATUS_SUCCESS, "both");
    Check(NtWaitForMultipleObjects(2, Events, WaitAny, FALSE, &None) == STATUS_TIMEOUT, "both are taken");
    Check(NtWaitForMultipleObjects(0, Events, WaitAny, FALSE, &None) == STATUS_INVALID_PARAMETER_1, "nothing");
    Check(NtWaitForMultipleObjects(65, Events, WaitAny, FALSE, &None) == STATUS_INVALID_PARAMETER_1, "too many");
    Check(NtWaitForMultipleObjects(2, Events, 2, FALSE, &None) == STATUS_INVALID_PARAMETER_3, "neither all nor any");
    Events[3] = Events[2];
    Check(NtWaitForMultipleObjects(4, Events, WaitAll, FALSE, &None) == STATUS_INVALID_PARAMETER_MIX, "one twice");
    Events[4] = (HANDLE)0x7FFFFFFC;
    Check(NtWaitForMultipleObjects(5, Events, WaitAny, FALSE, &None) == STATUS_INVALID_HANDLE, "no handle");
    for (ULONG Which = 0; Which < WILD; Which++) {
        Check(NtWaitForMultipleObjects(2, Wild(Which), WaitAny, FALSE, &None) == STATUS_ACCESS_VIOLATION, "handles");
        Check(NtWaitForMultipleObjects(2, Events, WaitAny, FALSE, Wild(Which)) == STATUS_ACCESS_VIOLATION, "time-out");
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Events); Index++)
        NtClose(Events[Index]);
}

/* The service of scenarios' own program is none for another. */
static void CheckClient(void)
{
    ULONG64 Room[32] = {0};

    for (ULONG Code = 0; Code < 6; Code++) {
        for (ULONG Length = 0; Length <= sizeof(Room); Length += 8)
            Check(!NT_SUCCESS(NtClientOperation(Code, 0, Room, Length)), "a scenario's operation");
        for (ULONG Which = 0; Which < WILD; Which++)
            Check(!NT_SUCCESS(NtClientOperation(Code, 0, Wild(Which), 16)), "with a buffer that is none");
    }
    Check(NtClientOperation(2, 1, Room, 8) == STATUS_ACCESS_DENIED, "is refused");
}

static void CheckFile(void)
{
    static UCHAR Buffer[4096] __attribute__((aligned(4096)));
    PFILE_POSITION_INFORMATION Position = (PVOID)Buffer;
    PFILE_FS_DEVICE_INFORMATION Device = (PVOID)Buffer;

    Position->CurrentByteOffset.QuadPart = 4096;
    Check(NtSetInformationFile(File, &IoStatus, Position, sizeof(*Position), FilePositionInformation) == 0, "set");
    Position->CurrentByteOffset.QuadPart = 0;
    Check(NtQueryInformationFile(File, &IoStatus, Position, sizeof(*Position), FilePositionInformation) == 0 &&
              Position->CurrentByteOffset.QuadPart == 4096 && IoStatus.Information == sizeof(*Position),
          "and asked");
    Check(NtQueryVolumeInformationFile(File, &IoStatus, Device, sizeof(*Device), FileFsDeviceInformation) == 0 &&
              Device->DeviceType == FILE_DEVICE_DISK,
          "the volume's device");
    Check(NtFlushBuffersFile(File, &IoStatus) == 0, "flushed");
    Check(NtFlushBuffersFileEx(File, 0, NULL, 0, &IoStatus) == 0, "and so");
    Check(NtFsControlFile(File, NULL, NULL, NULL, &IoStatus, FSCTL_IS_VOLUME_MOUNTED, NULL, 0, NULL, 0) == 0,
          "mounted");
    Check(NtCancelIoFile(File, &IoStatus) == 0, "nothing to cancel");
    Check(NtCancelIoFileEx(File, NULL, &IoStatus) == STATUS_NOT_FOUND, "nor of any thread");
    for (ULONG Which = 0; Which < WILD; Which++) {
        PVOID Bad = Wild(Which);

        Check(NtQueryInformationFile(File, Bad, Buffer, 8, FilePositionInformation) == STATUS_ACCESS_VIOLATION,
              "block");
        Check(NtQueryInformationFile(File, &IoStatus, Bad, 8, FilePositionInformation) == STATUS_ACCESS_VIOLATION,
              "what is asked into nowhere");
        Check(NtSetInformationFile(File, &IoStatus, Bad, 8, FilePositionInformation) == STATUS_ACCESS_VIOLATION,
              "what is set from nowhere");
        Check(NtQueryVolumeInformationFile(File, &IoStatus, Bad, 8, FileFsDeviceInformation) == STATUS_ACCESS_VIOLATION,
              "the volume's facts");
        Check(NtFlushBuffersFile(File, Bad) == STATUS_ACCESS_VIOLATION, "flush");
        Check(NtFlushBuffersFileEx(File, 0, NULL, 0, Bad) == STATUS_ACCESS_VIOLATION, "flush of a kind");
        Check(NtCancelIoFile(File, Bad) == STATUS_ACCESS_VIOLATION, "cancel");
        Check(NtFsControlFile(File, NULL, NULL, NULL, Bad, FSCTL_IS_VOLUME_MOUNTED, NULL, 0, NULL, 0) ==
                  STATUS_ACCESS_VIOLATION,
              "control");
        Check(NtFsControlFile(File, NULL, NULL, NULL, &IoStatus, FSCTL_IS_VOLUME_MOUNTED, Bad, 8, NULL, 0) ==
                  STATUS_ACCESS_VIOLATION,
              "its input");
        Check(NtDeviceIoControlFile(File, NULL, NULL, NULL, &IoStatus, 0x70000, NULL, 0, Bad, 24) ==
                  STATUS_ACCESS_VIOLATION,
              "its output");
        Check(!NT_SUCCESS(NtQueryDirectoryFile(File, NULL, NULL, NULL, &IoStatus, Bad, 512, FileNamesInformation, FALSE,
                                               NULL, FALSE)),
              "a directory's entries");
        Check(!NT_SUCCESS(NtQueryDirectoryFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 512, FileNamesInformation,
                                               FALSE, Bad, FALSE)),
              "their pattern");
        Check(!NT_SUCCESS(Open(Bad, &IoStatus, NULL)), "a handle");
        Check(!NT_SUCCESS(Open(&File, Bad, NULL)), "an open's block");
        Check(!NT_SUCCESS(Open(&File, &IoStatus, Bad)), "attributes");
    }
    Position->CurrentByteOffset.QuadPart = 0;
    Check(NtQueryInformationFile(File, &IoStatus, Position, sizeof(*Position), FilePositionInformation) == 0 &&
              Position->CurrentByteOffset.QuadPart == 4096,
          "what is refused changes nothing");
}

NTSTATUS Main(PVOID Peb)
{
    UNREFERENCED_PARAMETER(Peb);
    CheckEvents();
    CheckWaits();
    CheckClient();
    Check(Open(&File, &IoStatus, NULL) == 0 && (LONG64)File > 0, "open");
    CheckFile();
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}
