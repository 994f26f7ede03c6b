// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects: names, directories, links, handles and references. */
#include <ntifs.h>

#include <fltvm.h>

#define NAME L"\\BaseNamedObjects\\FltvmTest"

static NTSTATUS CreateEvent(PCWSTR Path, ULONG Attributes, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, Path ? &Name : NULL, Attributes | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &ObjectAttributes, NotificationEvent, FALSE);
}

static NTSTATUS OpenEvent(PCWSTR Path, ULONG Attributes, HANDLE Root, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, &Name, Attributes | OBJ_KERNEL_HANDLE, Root, NULL);
    return ZwOpenEvent(Handle, EVENT_ALL_ACCESS, &ObjectAttributes);
}

static NTSTATUS CreateDirectory(PCWSTR Path, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateDirectoryObject(Handle, DIRECTORY_ALL_ACCESS, &ObjectAttributes);
}

static VOID CheckHandles(VOID)
{
    HANDLE Handle, Again;
    PKEVENT Event = NULL, Same = NULL;
    PVOID Thread = NULL;

    FvCheck(CreateEvent(NULL, 0, &Handle) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType, KernelMode, (PVOID *)&Event,
                                      NULL) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ZwDuplicateObject(ZwCurrentProcess(), Handle, ZwCurrentProcess(), &Again, 0, OBJ_KERNEL_HANDLE,
                              DUPLICATE_SAME_ACCESS) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Again, 0, *ExEventObjectType, KernelMode, (PVOID *)&Same, NULL) ==
                STATUS_SUCCESS &&
            Same == Event);
    FvCheck(ZwClose(Handle) == STATUS_SUCCESS);
    FvCheck(ZwSetEvent(Again, NULL) == STATUS_SUCCESS && KeReadStateEvent(Event) != 0);
    FvCheck(ZwClose(Again) == STATUS_SUCCESS);
    FvCheck(KeReadStateEvent(Event) != 0); /* the references keep it */
    ObDereferenceObject(Same);
    ObDereferenceObject(Event);
    FvCheck(ObReferenceObjectByHandle(NULL, 0, NULL, KernelMode, &Thread, NULL) == STATUS_INVALID_HANDLE);
}

static VOID CheckNames(VOID)
{
    HANDLE Handle, Opened, Other;

    FvCheck(CreateEvent(NAME, OBJ_CASE_INSENSITIVE, &Handle) == STATUS_SUCCESS);
    FvCheck(CreateEvent(NAME, OBJ_CASE_INSENSITIVE, &Other) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(CreateEvent(NAME, OBJ_CASE_INSENSITIVE | OBJ_OPENIF, &Other) == STATUS_OBJECT_NAME_EXISTS);
    ZwClose(Other);
    FvCheck(OpenEvent(L"\\BASENAMEDOBJECTS\\fltvmtest", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_SUCCESS);
    ZwClose(Opened);
    FvCheck(OpenEvent(NAME L"2", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(OpenEvent(L"\\Missing\\Event", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_PATH_NOT_FOUND);
    FvCheck(OpenEvent(L"Relative", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_PATH_SYNTAX_BAD);
    FvCheck(OpenEvent(L"\\BaseNamedObjects", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(Handle);
    FvCheck(OpenEvent(NAME, OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_NAME_NOT_FOUND); /* temporary */
}

static VOID CheckPermanent(VOID)
{
    HANDLE Handle, Opened;

    FvCheck(CreateEvent(NAME, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, &Handle) == STATUS_SUCCESS);
    ZwClose(Handle);
    FvCheck(OpenEvent(NAME, OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_SUCCESS);
    FvCheck(ZwMakeTemporaryObject(Opened) == STATUS_SUCCESS);
    ZwClose(Opened);
    FvCheck(OpenEvent(NAME, OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID CheckDirectoriesAndLinks(VOID)
{
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\FltvmLink"), Target = RTL_CONSTANT_STRING(L"\\FltvmDirectory"),
                   Got;
    HANDLE Directory, Event, Link, Opened;
    OBJECT_ATTRIBUTES Attributes;
    WCHAR Buffer[64];
    ULONG Length = 0;

    FvCheck(CreateDirectory(L"\\FltvmDirectory", &Directory) == STATUS_SUCCESS);
    FvCheck(CreateEvent(L"\\FltvmDirectory\\Event", OBJ_CASE_INSENSITIVE, &Event) == STATUS_SUCCESS);
    FvCheck(OpenEvent(L"event", OBJ_CASE_INSENSITIVE, Directory, &Opened) == STATUS_SUCCESS); /* relative to a handle */
    ZwClose(Opened);

    InitializeObjectAttributes(&Attributes, &LinkName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwCreateSymbolicLinkObject(&Link, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &Target) == STATUS_SUCCESS);
    FvCheck(OpenEvent(L"\\fltvmlink\\Event", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_SUCCESS);
    ZwClose(Opened);
    Got.Buffer = Buffer;
    Got.Length = 0;
    Got.MaximumLength = 4;
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, &Length) == STATUS_BUFFER_TOO_SMALL);
    Got.MaximumLength = sizeof(Buffer);
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, NULL) == STATUS_SUCCESS &&
            RtlEqualUnicodeString(&Got, &Target, FALSE));
    ZwClose(Link);
    FvCheck(OpenEvent(L"\\fltvmlink\\Event", OBJ_CASE_INSENSITIVE, NULL, &Opened) == STATUS_OBJECT_PATH_NOT_FOUND);
    ZwClose(Event);
    ZwClose(Directory);
}

/* Who asks for the length gets the terminator too, and must have room for it. */
static VOID CheckLinkTargets(VOID)
{
    static const WCHAR Path[] = L"\\FltvmTarget";
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\FltvmLink"), Target = RTL_CONSTANT_STRING(L"\\FltvmTarget"), Got;
    OBJECT_ATTRIBUTES Attributes;
    WCHAR Text[32];
    ULONG Length = 0;
    HANDLE Link;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwCreateSymbolicLinkObject(&Link, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &Target) == STATUS_SUCCESS);
    Got.Buffer = Text;
    memset(Text, 'x', sizeof(Text));
    Got.Length = 7;
    Got.MaximumLength = sizeof(Path) - 1;
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, &Length) == STATUS_BUFFER_TOO_SMALL && Got.Length == 0);
    FvCheck(Length == sizeof(Path) && Text[0] == 0x7878);
    Got.MaximumLength = sizeof(Path);
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, &Length) == STATUS_SUCCESS && Length == sizeof(Path));
    FvCheck(Got.Length == sizeof(Path) - sizeof(WCHAR) && RtlEqualMemory(Text, Path, sizeof(Path)));
    memset(Text, 'x', sizeof(Text));
    Got.MaximumLength = sizeof(Path) - sizeof(WCHAR);
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, NULL) == STATUS_SUCCESS && Got.Length == Got.MaximumLength);
    FvCheck(RtlEqualMemory(Text, Path, Got.Length) && Text[Got.Length / sizeof(WCHAR)] == 0x7878);
    Got.MaximumLength--;
    FvCheck(ZwQuerySymbolicLinkObject(Link, &Got, NULL) == STATUS_BUFFER_TOO_SMALL && Got.Length == 0);
    ZwClose(Link);

    Target.Buffer = NULL;
    FvCheck(ZwCreateSymbolicLinkObject(&Link, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &Target) ==
            STATUS_ACCESS_VIOLATION);
    Target.Length = 0;
    FvCheck(ZwCreateSymbolicLinkObject(&Link, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &Target) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(ZwOpenSymbolicLinkObject(&Link, SYMBOLIC_LINK_QUERY, &Attributes) == STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID CheckTypes(VOID)
{
    static const PCWSTR Types[] = {L"Type",   L"Directory", L"SymbolicLink", L"File",    L"Device",
                                   L"Driver", L"Event",     L"Thread",       L"Process", L"Key"};
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\ObjectTypes");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Directory;

    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenDirectoryObject(&Directory, DIRECTORY_QUERY, &Attributes) == STATUS_SUCCESS);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Types); Index++) {
        HANDLE Handle;

        /* There it is, and is no event. */
        FvCheck(OpenEvent(Types[Index], 0, Directory, &Handle) == STATUS_OBJECT_TYPE_MISMATCH);
    }
    ZwClose(Directory);
}

static VOID CheckQueryName(VOID)
{
    UNICODE_STRING Wanted = RTL_CONSTANT_STRING(NAME);
    UCHAR Buffer[256];
    POBJECT_NAME_INFORMATION Information = (PVOID)Buffer;
    PVOID Event = NULL;
    ULONG Length = 0;
    HANDLE Handle;

    CreateEvent(NAME, OBJ_CASE_INSENSITIVE, &Handle);
    ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Event, NULL);
    FvCheck(ObQueryNameString(Event, Information, 8, &Length) == STATUS_INFO_LENGTH_MISMATCH && Length > Wanted.Length);
    FvCheck(ObQueryNameString(Event, Information, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            RtlEqualUnicodeString(&Information->Name, &Wanted, TRUE));
    ObDereferenceObject(Event);
    ZwClose(Handle);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(55);
    CheckHandles();
    CheckNames();
    CheckPermanent();
    CheckDirectoriesAndLinks();
    CheckLinkTargets();
    CheckTypes();
    CheckQueryName();
    return STATUS_SUCCESS;
}
