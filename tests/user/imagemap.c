// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that maps its own file as an image, twice: where parts lie, what they allow, and that nobody sees what it writes.  Its status
 * is 0x600D, or how many checks failed.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T Commit,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect);
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE Process, PVOID *Base, PSIZE_T Size, ULONG Protect, PULONG Old);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);
NTSTATUS Main(PVOID Peb);

#define SELF     ((HANDLE) - 1)
#define MY_IMAGE 0x01000000u /* MEM_IMAGE */

static ULONG Failed;
static volatile ULONG Counter = 41; /* in .data */
static volatile ULONG Later[3000];  /* more of it than the file has */
static const ULONG Constant = 0xC0FFEE;
static IO_STATUS_BLOCK IoStatus;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static NTSTATUS OpenFile(PCWSTR Path, ACCESS_MASK Access, PHANDLE File)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    Name.Buffer = (PWCH)Path;
    for (Name.Length = 0; Path[Name.Length / sizeof(WCHAR)] != 0; Name.Length += sizeof(WCHAR))
        ;
    Name.MaximumLength = Name.Length;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtOpenFile(File, Access | SYNCHRONIZE, &Attributes, &IoStatus,
                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_SYNCHRONOUS_IO_NONALERT);
}

/* Where something of this program lies in another view of its image. */
static PVOID In(PVOID View, PVOID Peb, const volatile VOID *Mine)
{
    return (PUCHAR)View + ((ULONG64)Mine - *(PULONG64)((ULONG64)Peb + 0x10));
}

static BOOLEAN Allows(PVOID Address, ULONG Protect)
{
    MEMORY_BASIC_INFORMATION Information;

    return NtQueryVirtualMemory(SELF, Address, MemoryBasicInformation, &Information, sizeof(Information), NULL) == 0 &&
           Information.Type == MY_IMAGE && Information.State == MEM_COMMIT && Information.Protect == Protect;
}

static BOOLEAN Faults(volatile UCHAR *Address)
{
    __try {
        *Address = 1;
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        return TRUE;
    }
    return FALSE;
}

static void CheckParts(PVOID View, PVOID Peb)
{
    volatile ULONG *Data = In(View, Peb, &Counter), *Zeros = In(View, Peb, &Later[2999]);
    PVOID Page = (PVOID)((ULONG64)Data & ~0xFFFULL);
    SIZE_T Size = 1;
    ULONG Old;

    Check(*(PUSHORT)View == 0x5A4D && Allows(View, PAGE_READONLY), "headers");
    Check(Allows(In(View, Peb, (PVOID)Main), PAGE_EXECUTE_READ) &&
              memcmp(In(View, Peb, (PVOID)Main), (PVOID)Main, 64) == 0,
          "code is the same code");
    Check(Allows(In(View, Peb, &Constant), PAGE_READONLY) && *(PULONG)In(View, Peb, &Constant) == 0xC0FFEE,
          "constants");
    Check(Allows((PVOID)Data, PAGE_WRITECOPY) && *Data == 41 && *Zeros == 0, "data are the file's, and zeros behind");
    Counter = 1;
    Check(*Data == 41, "not what another view has made of them");
    *Data = 7;
    *Zeros = 8;
    Check(Counter == 1 && *Data == 7 && Later[2999] == 0, "and the other does not see this one's");
    Check(Faults(View) && Faults(In(View, Peb, (PVOID)Main)), "neither headers nor code are written");
    Page = (PVOID)((ULONG64)View);
    Check(NtProtectVirtualMemory(SELF, &Page, &Size, PAGE_READWRITE, &Old) == 0 && Old == PAGE_READONLY &&
              Allows(View, PAGE_WRITECOPY) && !Faults(View) && *(PUSHORT)View == 0x5A01,
          "but where it is allowed, as a copy");
}

static void CheckViews(HANDLE Section, PVOID Peb)
{
    PVOID View = NULL, Other = NULL, Wrong = (PVOID)0x10000;
    LARGE_INTEGER Offset = {.QuadPart = 0x10000};
    SIZE_T Size = 0;

    Check(NtMapViewOfSection(Section, SELF, &View, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READWRITE) ==
                  STATUS_IMAGE_NOT_AT_BASE &&
              Size % 0x1000 == 0 && Size >= sizeof(Later),
          "a view, elsewhere: this program is where the image would like to be");
    CheckParts(View, Peb);
    Size = 0;
    Check(NtMapViewOfSection(Section, SELF, &Other, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READONLY) ==
              STATUS_IMAGE_NOT_AT_BASE,
          "another");
    Check(*(PULONG)In(Other, Peb, &Counter) == 41 && *(PUSHORT)Other == 0x5A4D, "it is as the file is");
    Size = 0;
    Check(!NT_SUCCESS(NtMapViewOfSection(Section, SELF, &Wrong, 0, 0, &Offset, &Size, ViewUnmap, 0, PAGE_READONLY)),
          "a part of an image");
    Check(NtUnmapViewOfSection(SELF, In(View, Peb, (PVOID)Main)) == 0, "unmapped, by any address in it");
    Check(Faults(View), "and gone");
    Check(NtUnmapViewOfSection(SELF, Other) == 0, "the other");
}

static NTSTATUS Section(PCWSTR Path, ACCESS_MASK Access, ULONG Protect, PHANDLE Section)
{
    NTSTATUS Status;
    HANDLE File;

    *Section = NULL;
    Status = OpenFile(Path, Access, &File);
    if (NT_SUCCESS(Status)) {
        Status = NtCreateSection(Section, SECTION_ALL_ACCESS, NULL, NULL, Protect, SEC_IMAGE, File);
        NtClose(File);
    }
    return Status;
}

#define VOLUME L"\\Device\\HarddiskVolume1\\"

NTSTATUS Main(PVOID Peb)
{
    HANDLE Mine, None;

    Check(Section(VOLUME L"map.exe", FILE_EXECUTE, PAGE_EXECUTE, &Mine) == 0, "a section of this program's file");
    CheckViews(Mine, Peb);
    Check(NtClose(Mine) == 0, "closed");
    Check(OpenFile(VOLUME L"map.exe", FILE_WRITE_DATA, &None) == STATUS_SHARING_VIOLATION, "what runs is not written");
    Check(Section(VOLUME L"map.exe", FILE_READ_DATA, PAGE_EXECUTE, &None) == STATUS_ACCESS_DENIED,
          "not open for execution");
    Check(Section(VOLUME L"text.exe", FILE_EXECUTE, PAGE_EXECUTE, &None) == STATUS_INVALID_IMAGE_NOT_MZ, "a text");
    Check(Section(VOLUME L"cut.exe", FILE_EXECUTE, PAGE_EXECUTE, &None) == STATUS_INVALID_IMAGE_FORMAT, "cut short");
    Check(Section(VOLUME L"empty.exe", FILE_EXECUTE, PAGE_EXECUTE, &None) == STATUS_INVALID_FILE_FOR_SECTION, "empty");
    Check(NtCreateSection(&None, SECTION_ALL_ACCESS, NULL, NULL, PAGE_EXECUTE, SEC_IMAGE, NULL) ==
              STATUS_INVALID_FILE_FOR_SECTION,
          "an image of no file");
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}
