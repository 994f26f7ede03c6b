// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What lies beside a file's data, for a program on NTFS: byte ranges, extended attributes, descriptors, changes in a directory, sections, what is
 * known by name; and that each refuses pointers that are not the program's.  Its status is 0x600D, or how many checks failed.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T Commit,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect);
NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE Apc, PVOID Context,
                                           PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length, ULONG Filter,
                                           BOOLEAN Tree);
NTSTATUS NTAPI NtOpenSection(PHANDLE Section, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES Attributes, PFILE_BASIC_INFORMATION Information);
NTSTATUS NTAPI NtQueryEaFile(HANDLE File, PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length, BOOLEAN Single,
                             PVOID List, ULONG ListLength, PULONG Index, BOOLEAN Restart);
NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES Attributes, PFILE_NETWORK_OPEN_INFORMATION Information);
NTSTATUS NTAPI NtSetEaFile(HANDLE File, PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS Main(PVOID Peb);

#define SELF ((HANDLE) - 1)
#define EACH_WILD(Bad)                                                                                                 \
    for (ULONG Which = 0; Which < RTL_NUMBER_OF(Places); Which++)                                                      \
        for (PVOID Bad = (PVOID)Places[Which]; Bad != NULL; Bad = NULL)

/* What no program may pass: not there, half of it not there, the kernel's, no address at all. */
static const ULONG64 Places[] = {8, 0x7FFFFFFEFFFC, 0xFFFFF80000200000, 0xFFFF900000000000, 0x8000000000000000};
static ULONG Failed;
static IO_STATUS_BLOCK IoStatus;
static UCHAR Buffer[8192] __attribute__((aligned(4096)));

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static void Name(POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Text, PCWSTR Path)
{
    Text->Buffer = (PWCH)Path;
    for (Text->Length = 0; Path[Text->Length / sizeof(WCHAR)] != 0; Text->Length += sizeof(WCHAR))
        ;
    Text->MaximumLength = Text->Length;
    InitializeObjectAttributes(Attributes, Text, OBJ_CASE_INSENSITIVE, NULL, NULL);
}

static HANDLE Open(PCWSTR Path, ACCESS_MASK Access, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Text;
    HANDLE File = NULL;

    Name(&Attributes, &Text, Path);
    Check(NtCreateFile(&File, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN_IF, Options, NULL, 0) == 0,
          "an open");
    return File;
}

#define FILE_PATH L"\\Device\\HarddiskVolume1\\Beside\\file.txt"

static void CheckLocks(HANDLE File, HANDLE Other)
{
    LARGE_INTEGER From = {.QuadPart = 10}, Length = {.QuadPart = 20}, Zero = {.QuadPart = 0};

    Check(NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 100, &Zero, NULL) == 0, "written");
    Check(NtLockFile(File, NULL, NULL, NULL, &IoStatus, &From, &Length, 7, TRUE, TRUE) == 0, "locked");
    Check(NtLockFile(Other, NULL, NULL, NULL, &IoStatus, &From, &Length, 0, TRUE, FALSE) == STATUS_LOCK_NOT_GRANTED,
          "for one only");
    Check(NtReadFile(Other, NULL, NULL, NULL, &IoStatus, Buffer, 50, &Zero, NULL) == STATUS_FILE_LOCK_CONFLICT,
          "nobody else reads it");
    EACH_WILD(Bad)
    {
        Check(NtLockFile(File, NULL, NULL, NULL, Bad, &From, &Length, 7, TRUE, TRUE) == STATUS_ACCESS_VIOLATION,
              "a lock's block");
        Check(NtLockFile(File, NULL, NULL, NULL, &IoStatus, Bad, &Length, 7, TRUE, TRUE) == STATUS_ACCESS_VIOLATION,
              "its place");
        Check(NtUnlockFile(File, &IoStatus, &From, Bad, 7) == STATUS_ACCESS_VIOLATION, "its length");
        Check(NtUnlockFile(File, Bad, &From, &Length, 7) == STATUS_ACCESS_VIOLATION, "an unlock's block");
    }
    Check(NtUnlockFile(File, &IoStatus, &From, &Length, 6) == STATUS_RANGE_NOT_LOCKED, "not by this key");
    Check(NtUnlockFile(File, &IoStatus, &From, &Length, 7) == 0, "unlocked");
    Check(NtReadFile(Other, NULL, NULL, NULL, &IoStatus, Buffer, 50, &Zero, NULL) == 0, "and read");
}

static void CheckEas(HANDLE File)
{
    PFILE_FULL_EA_INFORMATION Ea = (PVOID)Buffer;
    ULONG Index = 1;

    RtlZeroMemory(Buffer, 512);
    Ea->EaNameLength = 4;
    Ea->EaValueLength = 3;
    RtlCopyMemory(Ea->EaName, "NAME\0abc", 8);
    Check(NtSetEaFile(File, &IoStatus, Buffer, 16) == 0, "an attribute");
    RtlZeroMemory(Buffer, 512);
    Check(NtQueryEaFile(File, &IoStatus, Buffer, 512, FALSE, NULL, 0, &Index, TRUE) == 0 && Ea->EaValueLength == 3 &&
              Ea->EaName[5] == 'a',
          "is there");
    EACH_WILD(Bad)
    {
        Check(NtSetEaFile(File, Bad, Buffer, 16) == STATUS_ACCESS_VIOLATION, "an attribute's block");
        Check(!NT_SUCCESS(NtSetEaFile(File, &IoStatus, Bad, 16)), "the attribute");
        Check(NtQueryEaFile(File, Bad, Buffer, 512, FALSE, NULL, 0, NULL, TRUE) == STATUS_ACCESS_VIOLATION, "asked");
        Check(NtQueryEaFile(File, &IoStatus, Bad, 512, FALSE, NULL, 0, NULL, TRUE) == STATUS_ACCESS_VIOLATION, "where");
        Check(!NT_SUCCESS(NtQueryEaFile(File, &IoStatus, Buffer, 512, FALSE, Bad, 16, NULL, TRUE)), "for which");
        Check(NtQueryEaFile(File, &IoStatus, Buffer, 512, FALSE, NULL, 0, Bad, TRUE) == STATUS_ACCESS_VIOLATION,
              "from which");
    }
}

static void CheckSecurity(HANDLE File)
{
    SECURITY_DESCRIPTOR Absolute = {.Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_DACL_PRESENT};
    ULONG Needed = 0, Again;

    Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Buffer, 0, &Needed) == STATUS_BUFFER_TOO_SMALL &&
              Needed != 0,
          "how long a descriptor is");
    Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Needed) == 0, "which it is");
    Check(NtSetSecurityObject(File, DACL_SECURITY_INFORMATION, Buffer) == 0, "put back");
    Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Again) == 0 &&
              Again == Needed,
          "and the same");
    EACH_WILD(Bad)
    {
        Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Bad, 64, &Needed) == STATUS_ACCESS_VIOLATION,
              "where a descriptor goes");
        Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Buffer, 64, Bad) == STATUS_ACCESS_VIOLATION,
              "its length");
        Check(NtSetSecurityObject(File, DACL_SECURITY_INFORMATION, Bad) == STATUS_ACCESS_VIOLATION, "a descriptor");
        Absolute.Dacl = Bad;
        Check(NtSetSecurityObject(File, DACL_SECURITY_INFORMATION, &Absolute) == STATUS_ACCESS_VIOLATION, "its list");
    }
    Absolute.Dacl = NULL;
    Check(NtSetSecurityObject(File, DACL_SECURITY_INFORMATION, &Absolute) == 0, "an absolute one");
    Check(NtSetSecurityObject(File, SACL_SECURITY_INFORMATION, &Absolute) == STATUS_ACCESS_DENIED, "no right to");
}

/* A file is made with a descriptor, and has that. */
static void CheckMade(void)
{
    struct {
        ACL Acl;
        ACCESS_ALLOWED_ACE Entry;
        ULONG Rest[2];
    } List = {{ACL_REVISION, 0, sizeof(ACL) + 20, 1, 0},
              {{ACCESS_ALLOWED_ACE_TYPE, 0, 20}, 0x120116, 0x00000101},
              {0x01000000, 0}};
    SECURITY_DESCRIPTOR Wanted = {
        .Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_DACL_PRESENT, .Dacl = &List.Acl};
    SECURITY_DESCRIPTOR_RELATIVE *Got = (PVOID)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Text;
    HANDLE File = NULL;
    ULONG Needed;

    Name(&Attributes, &Text, L"\\Device\\HarddiskVolume1\\Beside\\made");
    EACH_WILD(Bad)
    {
        Attributes.SecurityDescriptor = Bad;
        Check(NtCreateFile(&File, READ_CONTROL | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL, 0,
                           FILE_CREATE, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == STATUS_ACCESS_VIOLATION,
              "a new file's descriptor");
        Wanted.Dacl = Bad;
        Attributes.SecurityDescriptor = &Wanted;
        Check(NtCreateFile(&File, READ_CONTROL | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL, 0,
                           FILE_CREATE, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == STATUS_ACCESS_VIOLATION,
              "its list");
    }
    Wanted.Dacl = &List.Acl;
    Check(NtCreateFile(&File, READ_CONTROL | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL, 0,
                       FILE_CREATE, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == 0,
          "made");
    Check(NtQuerySecurityObject(File, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Needed) == 0 &&
              Got->Dacl != 0 && ((PACL)(Buffer + Got->Dacl))->AceCount == 1 &&
              ((PACCESS_ALLOWED_ACE)(Buffer + Got->Dacl + sizeof(ACL)))->Mask == 0x120116,
          "with what was asked for");
    NtClose(File);
}

static void CheckNotify(HANDLE Folder)
{
    PFILE_NOTIFY_INFORMATION Change = (PVOID)Buffer;
    LARGE_INTEGER Soon = {.QuadPart = -10000000};
    IO_STATUS_BLOCK Told = {{STATUS_PENDING}, 0};
    HANDLE Event;

    Check(NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE) == 0, "an event");
    EACH_WILD(Bad)
    {
        Check(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, Bad, Buffer, 512, FILE_NOTIFY_CHANGE_FILE_NAME,
                                          FALSE) == STATUS_ACCESS_VIOLATION,
              "a watch's block");
        Check(!NT_SUCCESS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Told, Bad, 512,
                                                      FILE_NOTIFY_CHANGE_FILE_NAME, FALSE)),
              "where changes go");
    }
    Check(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Told, Buffer, 512, FILE_NOTIFY_CHANGE_FILE_NAME,
                                      FALSE) == STATUS_PENDING,
          "watched");
    NtClose(Open(L"\\Device\\HarddiskVolume1\\Beside\\new", FILE_READ_DATA, FILE_SYNCHRONOUS_IO_NONALERT));
    Check(NtWaitForSingleObject(Event, FALSE, &Soon) == 0 && Told.Status == 0 && Change->Action == FILE_ACTION_ADDED &&
              Change->FileNameLength == 6,
          "told");
    NtClose(Event);
}

static void CheckSections(HANDLE File)
{
    LARGE_INTEGER Zero = {.QuadPart = 0};
    HANDLE Section = NULL;
    PUCHAR View = NULL;
    SIZE_T Size = 0;
    PVOID Base;

    RtlFillMemory(Buffer, 5000, 'v');
    Check(NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 5000, &Zero, NULL) == 0, "written");
    Check(NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, File) == 0, "mapped");
    Check(NtMapViewOfSection(Section, SELF, (PVOID *)&View, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READWRITE) == 0 &&
              Size == 8192,
          "a view");
    if (View != NULL) {
        Check(View[0] == 'v' && View[4999] == 'v' && View[5000] == 0, "the file's bytes, and zeros behind them");
        View[4321] = 'w';
        Zero.QuadPart = 4321;
        Check(NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 1, &Zero, NULL) == 0 && Buffer[0] == 'w', "shared");
    }
    EACH_WILD(Bad)
    {
        Check(NtCreateSection(Bad, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READONLY, SEC_COMMIT, File) ==
                  STATUS_ACCESS_VIOLATION,
              "a section's handle");
        Check(!NT_SUCCESS(
                  NtCreateSection((PHANDLE)Buffer, SECTION_ALL_ACCESS, Bad, NULL, PAGE_READONLY, SEC_COMMIT, File)),
              "its attributes");
        Check(NtCreateSection((PHANDLE)Buffer, SECTION_ALL_ACCESS, NULL, Bad, PAGE_READONLY, SEC_COMMIT, File) ==
                  STATUS_ACCESS_VIOLATION,
              "its size");
        Check(!NT_SUCCESS(NtOpenSection((PHANDLE)Buffer, SECTION_MAP_READ, Bad)), "its name");
        Check(!NT_SUCCESS(NtMapViewOfSection(Section, SELF, Bad, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READONLY)),
              "a view's place");
        Base = NULL;
        Check(!NT_SUCCESS(NtMapViewOfSection(Section, SELF, &Base, 0, 0, NULL, Bad, ViewUnmap, 0, PAGE_READONLY)),
              "its length");
        Base = Bad;
        Size = 0;
        Check(Which < 2 ||
                  !NT_SUCCESS(NtMapViewOfSection(Section, SELF, &Base, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READONLY)),
              "where it cannot be"); /* the first two are rounded down to places */
        Check(!NT_SUCCESS(NtUnmapViewOfSection(SELF, Bad)), "none of its views");
    }
    Check(NtUnmapViewOfSection(SELF, View) == 0 && NtClose(Section) == 0, "unmapped");
}

static void CheckNames(void)
{
    FILE_NETWORK_OPEN_INFORMATION Full;
    OBJECT_ATTRIBUTES Attributes;
    FILE_BASIC_INFORMATION Basic;
    UNICODE_STRING Text;

    Name(&Attributes, &Text, FILE_PATH);
    Check(NtQueryFullAttributesFile(&Attributes, &Full) == 0 && Full.EndOfFile.QuadPart == 5000, "known by name");
    Check(NtQueryAttributesFile(&Attributes, &Basic) == 0 && Basic.FileAttributes == Full.FileAttributes &&
              Basic.LastWriteTime.QuadPart == Full.LastWriteTime.QuadPart,
          "and less of it");
    EACH_WILD(Bad)
    {
        Check(NtQueryFullAttributesFile(&Attributes, Bad) == STATUS_ACCESS_VIOLATION, "where it goes");
        Check(NtQueryAttributesFile(&Attributes, Bad) == STATUS_ACCESS_VIOLATION, "where less goes");
        Check(!NT_SUCCESS(NtQueryAttributesFile(Bad, &Basic)), "of what");
    }
    Name(&Attributes, &Text, L"\\Device\\HarddiskVolume1\\Beside\\none");
    Check(NtQueryAttributesFile(&Attributes, &Basic) == STATUS_OBJECT_NAME_NOT_FOUND, "no such file");
}

NTSTATUS Main(PVOID Peb)
{
    HANDLE Folder = Open(L"\\Device\\HarddiskVolume1\\Beside", FILE_LIST_DIRECTORY, FILE_DIRECTORY_FILE), File, Other;

    UNREFERENCED_PARAMETER(Peb);
    File = Open(FILE_PATH, FILE_GENERIC_READ | FILE_GENERIC_WRITE | WRITE_DAC, FILE_SYNCHRONOUS_IO_NONALERT);
    Other = Open(FILE_PATH, FILE_GENERIC_READ, FILE_SYNCHRONOUS_IO_NONALERT);
    CheckLocks(File, Other);
    CheckEas(File);
    CheckSecurity(File);
    CheckMade();
    CheckNotify(Folder);
    CheckSections(File);
    NtClose(Other);
    NtClose(File);
    NtClose(Folder);
    CheckNames();
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}
