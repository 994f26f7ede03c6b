// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every routine that takes a handle, against every value that is not a handle of its kind: each returns the documented
 * status, with the verifier too, and nothing else happens.
 */
#include <ntifs.h>

#include <fltvm.h>

static IO_STATUS_BLOCK Iosb;
static UCHAR Buffer[512];
static HANDLE Good; /* an event's */

/* ---- the routines ---- */

#define ROUTINE(Name, Call)                                                                                            \
    static NTSTATUS Try##Name(HANDLE Handle)                                                                           \
    {                                                                                                                  \
        return Call;                                                                                                   \
    }

static NTSTATUS Reference(HANDLE Handle, POBJECT_TYPE Type)
{
    PVOID Object = &Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, Type, KernelMode, &Object, NULL);

    if (NT_SUCCESS(Status))
        ObDereferenceObject(Object);
    else if (Object != NULL)
        return STATUS_UNSUCCESSFUL; /* it must say that there is none */
    return Status;
}

static NTSTATUS Duplicate(HANDLE Source)
{
    HANDLE Target = NULL;
    NTSTATUS Status = ZwDuplicateObject(ZwCurrentProcess(), Source, ZwCurrentProcess(), &Target, 0, OBJ_KERNEL_HANDLE,
                                        DUPLICATE_SAME_ACCESS);

    if (NT_SUCCESS(Status))
        ZwClose(Target);
    return Status;
}

static NTSTATUS OpenBelow(HANDLE Root)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Name");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, Root, NULL);
    return ZwOpenEvent(&Handle, EVENT_ALL_ACCESS, &Attributes);
}

static NTSTATUS OpenKeyBelow(HANDLE Root)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Name");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, Root, NULL);
    return ZwOpenKey(&Handle, KEY_READ, &Attributes);
}

static NTSTATUS QueryLink(HANDLE Handle)
{
    UNICODE_STRING Target = {0, sizeof(Buffer), (PWCH)Buffer};
    ULONG Length;

    return ZwQuerySymbolicLinkObject(Handle, &Target, &Length);
}

static NTSTATUS SetValue(HANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");
    ULONG Data = 1;

    return ZwSetValueKey(Handle, &Name, 0, REG_DWORD, &Data, sizeof(Data));
}

static NTSTATUS QueryValue(HANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");
    ULONG Length;

    return ZwQueryValueKey(Handle, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length);
}

static NTSTATUS DeleteValue(HANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");

    return ZwDeleteValueKey(Handle, &Name);
}

static LARGE_INTEGER Zero;
static ULONG Length;

ROUTINE(ReferenceEvent, Reference(Handle, *ExEventObjectType))
ROUTINE(ReferenceFile, Reference(Handle, *IoFileObjectType))
ROUTINE(ReferenceThread, Reference(Handle, *PsThreadType))
ROUTINE(ReferenceProcess, Reference(Handle, *PsProcessType))
ROUTINE(ReferenceAny, Reference(Handle, NULL))
ROUTINE(Duplicate, Duplicate(Handle))
ROUTINE(OpenBelow, OpenBelow(Handle))
ROUTINE(OpenKeyBelow, OpenKeyBelow(Handle))
ROUTINE(SetEvent, ZwSetEvent(Handle, NULL))
ROUTINE(ClearEvent, ZwClearEvent(Handle))
ROUTINE(ResetEvent, ZwResetEvent(Handle, NULL))
ROUTINE(Wait, ZwWaitForSingleObject(Handle, FALSE, &Zero))
ROUTINE(MakeTemporary, ZwMakeTemporaryObject(Handle))
ROUTINE(QueryLink, QueryLink(Handle))
ROUTINE(ReadFile, ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, 1, &Zero, NULL))
ROUTINE(WriteFile, ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, 1, &Zero, NULL))
ROUTINE(FlushFile, ZwFlushBuffersFile(Handle, &Iosb))
ROUTINE(DeviceControl, ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, 0, NULL, 0, NULL, 0))
ROUTINE(FsControl, ZwFsControlFile(Handle, NULL, NULL, NULL, &Iosb, 0, NULL, 0, NULL, 0))
ROUTINE(QueryFile, ZwQueryInformationFile(Handle, &Iosb, Buffer, sizeof(Buffer), FileStandardInformation))
ROUTINE(SetFile,
        ZwSetInformationFile(Handle, &Iosb, Buffer, sizeof(FILE_POSITION_INFORMATION), FilePositionInformation))
ROUTINE(QueryVolume, ZwQueryVolumeInformationFile(Handle, &Iosb, Buffer, sizeof(Buffer), FileFsDeviceInformation))
ROUTINE(QueryKey, ZwQueryKey(Handle, KeyBasicInformation, Buffer, sizeof(Buffer), &Length))
ROUTINE(EnumerateKey, ZwEnumerateKey(Handle, 0, KeyBasicInformation, Buffer, sizeof(Buffer), &Length))
ROUTINE(EnumerateValue, ZwEnumerateValueKey(Handle, 0, KeyValueBasicInformation, Buffer, sizeof(Buffer), &Length))
ROUTINE(QueryValue, QueryValue(Handle))
ROUTINE(SetValue, SetValue(Handle))
ROUTINE(DeleteValue, DeleteValue(Handle))
ROUTINE(DeleteKey, ZwDeleteKey(Handle))
ROUTINE(FlushKey, ZwFlushKey(Handle))

/* What a routine takes, so that the others are of the wrong type. */
enum { Event = 1, Thread = 2, Process = 4, None = 0, Any = Event | Thread | Process };

static const struct {
    PCSTR Name;
    NTSTATUS (*Routine)(HANDLE Handle);
    ULONG Takes;
} Routines[] = {
#define TRY(Name, Takes) {#Name, Try##Name, Takes}
    TRY(ReferenceEvent, Event), TRY(ReferenceFile, None), TRY(ReferenceThread, Thread), TRY(ReferenceProcess, Process),
    TRY(ReferenceAny, Any),     TRY(Duplicate, Any),      TRY(OpenBelow, None),         TRY(OpenKeyBelow, None),
    TRY(SetEvent, Event),       TRY(ClearEvent, Event),   TRY(ResetEvent, Event),       TRY(Wait, Any),
    TRY(MakeTemporary, Any),    TRY(QueryLink, None),     TRY(ReadFile, None),          TRY(WriteFile, None),
    TRY(FlushFile, None),       TRY(DeviceControl, None), TRY(FsControl, None),         TRY(QueryFile, None),
    TRY(SetFile, None),         TRY(QueryVolume, None),   TRY(QueryKey, None),          TRY(EnumerateKey, None),
    TRY(EnumerateValue, None),  TRY(QueryValue, None),    TRY(SetValue, None),          TRY(DeleteValue, None),
    TRY(DeleteKey, None),       TRY(FlushKey, None),
};

/* ---- the handles ---- */

static const ULONG64 Wild[] = {
    0,                     /* NULL */
    0xFFFFFFFF80000000ULL, /* NULL as a kernel handle */
    0x7FF0,                /* never given out */
    0x12345678,
    0xFFFFFFFF80012344ULL,
    0x7FFFFFFFFFFFFFFCULL,
    0x8000000000000000ULL,
    0xFFFFFFFFFFFFFFFCULL,
    3, /* tag bits only */
};

static BOOLEAN IsMismatch(NTSTATUS Status, BOOLEAN Open)
{
    /* What is no directory has nothing below it. */
    return Status == STATUS_OBJECT_TYPE_MISMATCH || (Open && Status == STATUS_OBJECT_PATH_NOT_FOUND);
}

static BOOLEAN CheckWild(ULONG Index)
{
    BOOLEAN Ok = TRUE;
    BOOLEAN IsRoot = Routines[Index].Routine == TryOpenBelow || Routines[Index].Routine == TryOpenKeyBelow;

    for (ULONG Value = 0; Value < RTL_NUMBER_OF(Wild); Value++) {
        NTSTATUS Status = Routines[Index].Routine((HANDLE)Wild[Value]);

        /* Without a root a name that does not begin at the root of all is bad. */
        if (Status != (IsRoot && Wild[Value] == 0 ? STATUS_OBJECT_PATH_SYNTAX_BAD : STATUS_INVALID_HANDLE)) {
            DbgPrint("%s(%p): 0x%08x\n", Routines[Index].Name, (PVOID)Wild[Value], Status);
            Ok = FALSE;
        }
    }
    return Ok;
}

static BOOLEAN CheckType(ULONG Index, HANDLE Handle, ULONG Type)
{
    BOOLEAN IsRoot = Routines[Index].Routine == TryOpenBelow || Routines[Index].Routine == TryOpenKeyBelow;
    NTSTATUS Status = Routines[Index].Routine(Handle);
    BOOLEAN Ok = Routines[Index].Takes & Type ? NT_SUCCESS(Status) : IsMismatch(Status, IsRoot);

    if (!Ok)
        DbgPrint("%s of type %u: 0x%08x\n", Routines[Index].Name, Type, Status);
    return Ok;
}

static VOID CheckClose(VOID)
{
    FvCheck(ZwClose(NULL) == STATUS_INVALID_HANDLE);
    FvCheck(ZwClose((HANDLE)0xFFFFFFFF80000000ULL) == STATUS_INVALID_HANDLE);
    FvCheck(ZwClose(ZwCurrentProcess()) == STATUS_SUCCESS); /* nothing to close */
    FvCheck(ZwClose(ZwCurrentThread()) == STATUS_SUCCESS);
    FvCheck(ObIsKernelHandle(Good) && !ObIsKernelHandle(NULL) && !ObIsKernelHandle(ZwCurrentProcess()));
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Closed;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(5 + 5 * RTL_NUMBER_OF(Routines));
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Closed, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    ZwCreateEvent(&Good, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, TRUE);
    ZwClose(Closed);
    CheckClose();
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Routines); Index++) {
        FvTestResult(CheckWild(Index), Routines[Index].Name, __FILE__, __LINE__);
        FvTestResult(Routines[Index].Routine(Closed) == STATUS_INVALID_HANDLE, Routines[Index].Name, __FILE__,
                     __LINE__);
        FvTestResult(CheckType(Index, ZwCurrentProcess(), Process), Routines[Index].Name, __FILE__, __LINE__);
        FvTestResult(CheckType(Index, ZwCurrentThread(), Thread), Routines[Index].Name, __FILE__, __LINE__);
        ZwSetEvent(Good, NULL); /* for the wait */
        FvTestResult(CheckType(Index, Good, Event), Routines[Index].Name, __FILE__, __LINE__);
    }
    ZwClose(Good);
    return STATUS_SUCCESS;
}
