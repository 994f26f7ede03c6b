// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of user mode: ntdll.dll and a program that imports from it alone, mapped into the current process.
 *
 * An image is laid out, relocated and bound in memory of the kernel's, where nobody can change it meanwhile, and then copied
 * to where it runs: in memory of its own, or in a view of an image section, of which only those pages become its own that are changed.
 */
#include "ldrp.h"
#include <io.h>
#include <mm.h>

#define LDRP_USER_TAG     'uldL'
#define LDRP_LARGEST_USER (4u << 20)

/* An image, as it will be in user memory; Pe and Bytes are the kernel's. */
typedef struct _LDRP_USER_IMAGE {
    LDRP_PE Pe;
    PUCHAR Bytes;
    ULONG64 Address;
    BOOLEAN Mapped; /* a view */
} LDRP_USER_IMAGE;

/* Who is asked for an import, and what could not be found. */
typedef struct _LDRP_USER_BIND {
    const LDRP_USER_IMAGE *Library; /* NULL: nobody */
    BOOLEAN Missing;
} LDRP_USER_BIND;

static ULONG64 LdrpUserExport(const LDRP_USER_IMAGE *Library, PCSTR Name, USHORT Ordinal)
{
    PCSTR Forwarder;
    ULONG Rva = LdrpFindExport(Library->Bytes, Library->Pe.SizeOfImage, Library->Pe.Export, Name, Ordinal, &Forwarder);

    return Rva != 0 ? Library->Address + Rva : 0;
}

static BOOLEAN LdrpBindUser(PVOID Context, PCSTR Module, PCSTR Name, USHORT Ordinal, PULONG64 Slot)
{
    LDRP_USER_BIND *Bind = Context;
    ULONG64 Address = 0;

    if (Bind->Library != NULL && _stricmp(Module, "ntdll.dll") == 0)
        Address = LdrpUserExport(Bind->Library, Name, Ordinal);
    if (Address == 0) {
        Bind->Missing = TRUE;
        if (Name != NULL)
            LdrpFail("%s!%s is not there for a program\n", Module, Name);
        else
            LdrpFail("%s!#%u is not there for a program\n", Module, Ordinal);
    }
    *Slot = Address;
    return TRUE;
}

/* What the image's pages are to allow, once its bytes are there. */
static NTSTATUS LdrpProtectUser(const LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Base = Image->Address, Size = Image->Pe.SizeOfHeaders;
    ULONG Old;

    Status = MmProtectVirtual(&Base, &Size, PAGE_READONLY, &Old);
    for (ULONG Index = 0; Index < Image->Pe.Sections && NT_SUCCESS(Status); Index++) {
        const LDRP_SECTION *Section = &Image->Pe.Section[Index];
        BOOLEAN Execute = (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;
        BOOLEAN Write = (Section->Characteristics & IMAGE_SCN_MEM_WRITE) != 0;

        Base = Image->Address + Section->Rva;
        Size = Section->Size;
        Status = MmProtectVirtual(&Base, &Size,
                                  Execute ? Write ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ
                                  : Write ? PAGE_READWRITE
                                          : PAGE_READONLY,
                                  &Old);
    }
    return Status;
}

static NTSTATUS LdrpRefuseUser(PCSTR What, PCSTR Reason)
{
    LdrpLock();
    LdrpFail("%s: %s\n", What, Reason);
    LdrpUnlock();
    return STATUS_INVALID_IMAGE_FORMAT;
}

/* The kernel's copy stays until LdrpFreeUser. */
static NTSTATUS LdrpBeginUser(PCSTR What, PCSTR Reason, LDRP_USER_IMAGE *Image)
{
    if (Reason == NULL && Image->Pe.SizeOfImage > LDRP_LARGEST_USER)
        Reason = "the image is too large";
    if (Reason != NULL)
        return LdrpRefuseUser(What, Reason);
    Image->Bytes = ExAllocatePoolWithTag(PagedPool, Image->Pe.SizeOfImage, LDRP_USER_TAG);
    if (Image->Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Image->Bytes, Image->Pe.SizeOfImage);
    return STATUS_SUCCESS;
}

/* The image's bytes, laid out, in memory that will be the process's own. */
static NTSTATUS LdrpLayOutUser(PCSTR What, const VOID *Bytes, SIZE_T Length, LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = LdrpBeginUser(What, LdrpParseImage(Bytes, Length, &Image->Pe), Image);
    ULONG64 Size = Image->Pe.SizeOfImage;

    if (!NT_SUCCESS(Status))
        return Status;
    LdrpLayOut(Bytes, &Image->Pe, Image->Bytes);
    Image->Address = Image->Pe.PreferredBase;
    Status = MmAllocateVirtual(&Image->Address, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!NT_SUCCESS(Status)) {
        Image->Address = 0;
        Size = Image->Pe.SizeOfImage;
        Status = MmAllocateVirtual(&Image->Address, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    }
    return Status;
}

/* Of a view: its pages come from the file as they are read here. */
static NTSTATUS LdrpReadView(PCSTR What, ULONG64 Size, LDRP_USER_IMAGE *Image)
{
    const UCHAR *View = (const UCHAR *)Image->Address;
    NTSTATUS Status;

    __try {
        /* The file was looked at when the section was made: its size does not matter any more. */
        Status = LdrpBeginUser(What, LdrpParseHeaders(View, PAGE_SIZE, LDRP_MAXIMUM_IMAGE, &Image->Pe), Image);
        if (NT_SUCCESS(Status) && Image->Pe.SizeOfImage != Size)
            Status = LdrpRefuseUser(What, "the file has changed");
        if (!NT_SUCCESS(Status))
            return Status;
        RtlCopyMemory(Image->Bytes, View, Image->Pe.SizeOfHeaders);
        for (ULONG Index = 0; Index < Image->Pe.Sections; Index++) {
            const LDRP_SECTION *Section = &Image->Pe.Section[Index];

            RtlCopyMemory(Image->Bytes + Section->Rva, View + Section->Rva, Section->Size);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS LdrpMapView(PCSTR What, PVOID Section, LDRP_USER_IMAGE *Image)
{
    ULONG64 Size;
    NTSTATUS Status = IoMapImage(Section, &Image->Address, &Size);

    Image->Mapped = TRUE;
    return NT_SUCCESS(Status) ? LdrpReadView(What, Size, Image) : Status;
}

/* In the kernel's copy.  No user memory is touched while the loader's lock is held: a file's pages come through filters. */
static NTSTATUS LdrpBindImage(PCSTR What, const LDRP_USER_IMAGE *Library, LDRP_USER_IMAGE *Image)
{
    LDRP_USER_BIND Bind = {Library, FALSE};
    PCSTR Reason = LdrpRelocate(Image->Bytes, &Image->Pe, Image->Address);

    if (Reason == NULL)
        Reason = LdrpCheckExceptions(Image->Bytes, &Image->Pe);
    LdrpLock();
    if (Reason == NULL)
        Reason = LdrpWalkImports(Image->Bytes, &Image->Pe, LdrpBindUser, &Bind);
    LdrpUnlock();
    if (Reason != NULL)
        return LdrpRefuseUser(What, Reason);
    return Bind.Missing ? STATUS_ENTRYPOINT_NOT_FOUND : STATUS_SUCCESS;
}

/* A page that is as it has to be is left alone, and stays the file's. */
static NTSTATUS LdrpWritePages(const LDRP_USER_IMAGE *Image)
{
    for (ULONG Index = 0; Index < Image->Pe.Sections; Index++) {
        const LDRP_SECTION *Section = &Image->Pe.Section[Index];
        ULONG64 Base = Image->Address + Section->Rva, Size = Section->Size;
        ULONG Old;
        NTSTATUS Status = MmProtectVirtual(&Base, &Size, PAGE_READWRITE, &Old);

        if (!NT_SUCCESS(Status))
            return Status;
        for (ULONG Offset = Section->Rva; Offset < Section->Rva + Section->Size; Offset += PAGE_SIZE) {
            if (memcmp((PUCHAR)Image->Address + Offset, Image->Bytes + Offset, PAGE_SIZE) != 0)
                RtlCopyMemory((PUCHAR)Image->Address + Offset, Image->Bytes + Offset, PAGE_SIZE);
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS LdrpFinishUser(const LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        if (Image->Mapped)
            Status = LdrpWritePages(Image);
        else
            RtlCopyMemory((PVOID)Image->Address, Image->Bytes, Image->Pe.SizeOfImage);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return NT_SUCCESS(Status) ? LdrpProtectUser(Image) : Status;
}

static VOID LdrpFreeUser(LDRP_USER_IMAGE *Image)
{
    if (Image->Bytes != NULL)
        ExFreePoolWithTag(Image->Bytes, LDRP_USER_TAG);
}

static NTSTATUS LdrpMapLibrary(const VOID *Bytes, SIZE_T Length, LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = LdrpLayOutUser("ntdll.dll", Bytes, Length, Image);

    if (NT_SUCCESS(Status))
        Status = LdrpBindImage("ntdll.dll", NULL, Image);
    return NT_SUCCESS(Status) ? LdrpFinishUser(Image) : Status;
}

static NTSTATUS LdrpMapUserProgram(const VOID *Bytes, SIZE_T Length, PVOID Section, const LDRP_USER_IMAGE *Library,
                                   LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = Section != NULL ? LdrpMapView("the program", Section, Image)
                                      : LdrpLayOutUser("the program", Bytes, Length, Image);

    if (NT_SUCCESS(Status))
        Status = LdrpBindImage("the program", Library, Image);
    return NT_SUCCESS(Status) ? LdrpFinishUser(Image) : Status;
}

static NTSTATUS LdrpTellProgram(const LDRP_USER_IMAGE *Library, const LDRP_USER_IMAGE *Program, PLDR_PROGRAM Result)
{
    Result->ImageBase = Program->Address;
    Result->ImageSize = Program->Pe.SizeOfImage;
    Result->LibraryBase = Library->Address;
    Result->LibrarySize = Library->Pe.SizeOfImage;
    Result->Entry = Program->Address + Program->Pe.EntryPoint;
    Result->Start = LdrpUserExport(Library, "RtlUserThreadStart", 0);
    Result->ApcDispatcher = LdrpUserExport(Library, "KiUserApcDispatcher", 0);
    Result->ExceptionDispatcher = LdrpUserExport(Library, "KiUserExceptionDispatcher", 0);
    return Result->Start != 0 && Result->ApcDispatcher != 0 && Result->ExceptionDispatcher != 0
               ? STATUS_SUCCESS
               : STATUS_ENTRYPOINT_NOT_FOUND;
}

NTSTATUS LdrMapProgram(const VOID *Library, SIZE_T LibraryLength, const VOID *Program, SIZE_T ProgramLength,
                       PVOID Section, PLDR_PROGRAM Result)
{
    LDRP_USER_IMAGE *Images = ExAllocatePoolWithTag(PagedPool, 2 * sizeof(*Images), LDRP_USER_TAG);
    NTSTATUS Status;

    if (Images == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Images, 2 * sizeof(*Images));
    LdrpForgetFailure();
    Status = LdrpMapLibrary(Library, LibraryLength, &Images[0]);
    if (NT_SUCCESS(Status))
        Status = LdrpMapUserProgram(Program, ProgramLength, Section, &Images[0], &Images[1]);
    if (NT_SUCCESS(Status))
        Status = LdrpTellProgram(&Images[0], &Images[1], Result);
    LdrpFreeUser(&Images[0]);
    LdrpFreeUser(&Images[1]);
    ExFreePoolWithTag(Images, LDRP_USER_TAG);
    return Status;
}
