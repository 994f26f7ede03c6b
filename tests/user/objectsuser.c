// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens what objects.c has made; its status has a bit for each that may be opened, and -1 where something of its own is not as it must be. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);
NTSTATUS NTAPI NtOpenEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtOpenSection(PHANDLE Section, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtSetEvent(HANDLE Event, PLONG Previous);

static ULONG Answer, Bit;

static void Note(NTSTATUS Status, HANDLE Handle)
{
    if (NT_SUCCESS(Status))
        NtClose(Handle);
    else if (Status != STATUS_ACCESS_DENIED)
        Answer = (ULONG)-1;
    Answer |= (NT_SUCCESS(Status) ? 1u : 0u) << Bit++;
}

static POBJECT_ATTRIBUTES Named(POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Name, PCWSTR Path, ULONG Flags,
                                PSECURITY_DESCRIPTOR Descriptor)
{
    Name->Buffer = (PWCH)Path;
    Name->Length = 0;
    while (Path[Name->Length / sizeof(WCHAR)] != 0)
        Name->Length += sizeof(WCHAR);
    Name->MaximumLength = Name->Length;
    InitializeObjectAttributes(Attributes, Name, Flags, NULL, Descriptor);
    return Attributes;
}

static void TryEvent(PCWSTR Path, ACCESS_MASK Access)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Event = NULL;
    NTSTATUS Status = NtOpenEvent(&Event, Access, Named(&Attributes, &Name, Path, 0, NULL));

    /* As much as possible may be nothing that sets it. */
    if (NT_SUCCESS(Status) && Access == MAXIMUM_ALLOWED) {
        NTSTATUS Set = NtSetEvent(Event, NULL);

        NtClose(Event);
        Status = Set;
        Event = NULL;
    }
    Note(Status, Event);
}

/* One of its own, that nobody may open until its owner says otherwise. */
static void TryOwn(void)
{
    struct {
        SECURITY_DESCRIPTOR_RELATIVE Head;
        ACL Acl;
    } None = {{SECURITY_DESCRIPTOR_REVISION, 0, SE_SELF_RELATIVE | SE_DACL_PRESENT, 0, 0, 0, sizeof(None.Head)},
              {ACL_REVISION, 0, sizeof(ACL), 0, 0}};
    SECURITY_DESCRIPTOR All = {.Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_DACL_PRESENT};
    HANDLE Own = NULL, Again = NULL;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    if (NtCreateEvent(&Own, EVENT_ALL_ACCESS | WRITE_DAC, Named(&Attributes, &Name, L"\\ObjectsOwn", 0, &None),
                      NotificationEvent, FALSE) != 0 ||
        NtOpenEvent(&Again, SYNCHRONIZE, Named(&Attributes, &Name, L"\\ObjectsOwn", 0, NULL)) != STATUS_ACCESS_DENIED ||
        NtCreateEvent(&Again, EVENT_ALL_ACCESS, Named(&Attributes, &Name, L"\\ObjectsOwn", OBJ_OPENIF, NULL),
                      NotificationEvent, FALSE) != STATUS_ACCESS_DENIED ||
        NtOpenEvent(&Again, READ_CONTROL, Named(&Attributes, &Name, L"\\ObjectsOwn", 0, NULL)) != 0 ||
        NtSetSecurityObject(Again, DACL_SECURITY_INFORMATION, &All) != STATUS_ACCESS_DENIED || NtClose(Again) != 0 ||
        NtSetSecurityObject(Own, DACL_SECURITY_INFORMATION, &All) != 0 ||
        NtOpenEvent(&Again, EVENT_ALL_ACCESS, Named(&Attributes, &Name, L"\\ObjectsOwn", 0, NULL)) != 0 ||
        NtCreateEvent(&Again, EVENT_ALL_ACCESS, Named(&Attributes, &Name, L"\\ObjectsOwn", OBJ_OPENIF, NULL),
                      NotificationEvent, FALSE) != STATUS_OBJECT_NAME_EXISTS)
        Answer = (ULONG)-1;
    None.Head.Revision = 9;
    if (NtCreateEvent(&Again, EVENT_ALL_ACCESS, Named(&Attributes, &Name, L"\\ObjectsBad", 0, &None), NotificationEvent,
                      FALSE) != STATUS_UNKNOWN_REVISION ||
        NtCreateEvent(&Again, EVENT_ALL_ACCESS, Named(&Attributes, &Name, L"\\ObjectsBad", 0, (PVOID)0x10),
                      NotificationEvent, FALSE) != STATUS_ACCESS_VIOLATION)
        Answer = (ULONG)-1;
}

NTSTATUS Main(PVOID Peb)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Section = NULL;

    UNREFERENCED_PARAMETER(Peb);
    TryEvent(L"\\ObjectsPlain", EVENT_MODIFY_STATE);
    TryEvent(L"\\ObjectsPlain", SYNCHRONIZE);
    TryEvent(L"\\ObjectsAll", EVENT_ALL_ACCESS);
    TryEvent(L"\\ObjectsWaited", SYNCHRONIZE);
    TryEvent(L"\\ObjectsWaited", EVENT_MODIFY_STATE);
    TryEvent(L"\\ObjectsWaited", MAXIMUM_ALLOWED);
    TryEvent(L"\\ObjectsNobody", SYNCHRONIZE);
    Note(NtOpenSection(&Section, SECTION_MAP_READ, Named(&Attributes, &Name, L"\\ObjectsSection", 0, NULL)), Section);
    Note(NtOpenSection(&Section, SECTION_MAP_WRITE, Named(&Attributes, &Name, L"\\ObjectsSection", 0, NULL)), Section);
    TryOwn();
    return (NTSTATUS)Answer;
}
