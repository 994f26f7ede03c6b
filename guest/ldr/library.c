// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Export drivers: images that are loaded because another imports from them, and that go with the last that does.
 *
 * Their files are provided beforehand, as an installation copies them beside the drivers.  The caller of the routines
 * that need it holds LdrpLock, also while DllInitialize and DllUnload run, as on Windows: a driver that waits there for
 * another that loads waits for ever.
 * Source: "Creating Export Drivers" in the Windows driver documentation.
 */
#include "ldrp.h"

typedef NTSTATUS NTAPI LDRP_DLL_INITIALIZE(PUNICODE_STRING RegistryPath);
typedef NTSTATUS NTAPI LDRP_DLL_UNLOAD(VOID);

typedef struct _LDRP_LIBRARY {
    LIST_ENTRY Link;
    UNICODE_STRING Name; /* the file's; the text follows the structure */
    PUCHAR Bytes;
    SIZE_T Size;
    BOOLEAN InBox;   /* of the machine itself: the bytes are not the library's own */
    BOOLEAN Loading; /* its imports are being bound */
    PLDR_IMAGE Image;
} LDRP_LIBRARY, *PLDRP_LIBRARY;

static LIST_ENTRY LdrpLibraries = {&LdrpLibraries, &LdrpLibraries}; /* LdrpLock */

static const WCHAR LdrpServices[] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

static PLDRP_LIBRARY LdrpFindLibrary(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Link = LdrpLibraries.Flink; Link != &LdrpLibraries; Link = Link->Flink) {
        PLDRP_LIBRARY Library = CONTAINING_RECORD(Link, LDRP_LIBRARY, Link);
        if (RtlEqualUnicodeString(&Library->Name, Name, TRUE))
            return Library;
    }
    return NULL;
}

static VOID LdrpFreeLibrary(PLDRP_LIBRARY Library)
{
    if (Library->Bytes != NULL && !Library->InBox)
        ExFreePoolWithTag(Library->Bytes, LDRP_TAG);
    ExFreePoolWithTag(Library, LDRP_TAG);
}

static PLDRP_LIBRARY LdrpMakeLibrary(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, BOOLEAN InBox)
{
    PLDRP_LIBRARY Library = ExAllocatePoolWithTag(PagedPool, sizeof(*Library) + Name->Length, LDRP_TAG);

    if (Library == NULL)
        return NULL;
    memset(Library, 0, sizeof(*Library));
    Library->Name.Buffer = (PWCHAR)(Library + 1);
    Library->Name.Length = Library->Name.MaximumLength = Name->Length;
    memcpy(Library->Name.Buffer, Name->Buffer, Name->Length);
    Library->Size = Size;
    Library->InBox = InBox;
    if (InBox) {
        Library->Bytes = Bytes;
        return Library;
    }
    Library->Bytes = ExAllocatePoolWithTag(PagedPool, Size, LDRP_TAG);
    if (Library->Bytes == NULL) {
        LdrpFreeLibrary(Library);
        return NULL;
    }
    memcpy(Library->Bytes, Bytes, Size);
    return Library;
}

/* A name without folders that has an extension, as imports give it. */
static BOOLEAN LdrpIsFileName(PUNICODE_STRING Name)
{
    USHORT Dot = 0;

    for (USHORT Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        if (Name->Buffer[Index] == '\\' || Name->Buffer[Index] == '/')
            return FALSE;
        if (Name->Buffer[Index] == '.')
            Dot = Index;
    }
    return Dot != 0 && (Dot + 1u) * sizeof(WCHAR) < Name->Length;
}

NTSTATUS LdrProvideLibrary(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, BOOLEAN InBox)
{
    PLDRP_LIBRARY Library, Old;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!LdrpIsFileName(Name))
        return STATUS_OBJECT_NAME_INVALID;
    LdrpLock();
    Old = LdrpFindLibrary(Name);
    Library = LdrpMakeLibrary(Name, Bytes, Size, InBox);
    if (LdrFindImageByName(Name) != NULL)
        Status = STATUS_OBJECT_NAME_COLLISION;
    else if (Library == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status)) {
        if (Old != NULL) {
            RemoveEntryList(&Old->Link);
            LdrpFreeLibrary(Old);
        }
        InsertTailList(&LdrpLibraries, &Library->Link);
    } else if (Library != NULL) {
        LdrpFreeLibrary(Library);
    }
    LdrpUnlock();
    return Status;
}

/* DllInitialize with the library's key, which need not exist.  Without such a routine there is nothing to do. */
static NTSTATUS LdrpInitializeLibrary(PLDR_IMAGE Image)
{
    LDRP_DLL_INITIALIZE *Initialize = (PVOID)LdrpResolve(Image, "DllInitialize", 0, NULL);
    UNICODE_STRING Path;
    NTSTATUS Status;
    FV_CALL Call;

    if (Initialize == NULL)
        return STATUS_SUCCESS;
    Path.MaximumLength = (USHORT)(sizeof(LdrpServices) + Image->BaseDllName.Length);
    Path.Length = 0;
    Path.Buffer = ExAllocatePoolWithTag(PagedPool, Path.MaximumLength, LDRP_TAG);
    if (Path.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlAppendUnicodeToString(&Path, LdrpServices);
    RtlAppendUnicodeStringToString(&Path, &Image->BaseDllName);
    while (Path.Buffer[Path.Length / sizeof(WCHAR)] != '.')
        Path.Length -= sizeof(WCHAR);
    Path.Buffer[Path.Length / sizeof(WCHAR)] = 0;
    FvBeginCall(&Call);
    Status = Initialize(&Path);
    FvEndCall(&Call, (PVOID)Initialize, "DllInitialize", (ULONG_PTR)Image->DllBase);
    ExFreePoolWithTag(Path.Buffer, LDRP_TAG);
    if (!NT_SUCCESS(Status))
        LdrpFail("DllInitialize of %s returned 0x%08X", Image->Name, (unsigned)Status);
    return Status;
}

PLDR_IMAGE LdrpNeedLibrary(PCUNICODE_STRING Name, NTSTATUS *Status)
{
    PLDRP_LIBRARY Library = LdrpFindLibrary(Name);
    PLDR_IMAGE Image;

    *Status = STATUS_SUCCESS;
    if (Library == NULL)
        return NULL;
    if (Library->Loading) {
        LdrpFail("%wZ imports from itself, through others", &Library->Name);
        *Status = STATUS_INVALID_IMAGE_FORMAT;
        return NULL;
    }
    Library->Loading = TRUE;
    *Status = LdrpLoad(&Library->Name, Library->Bytes, Library->Size,
                       Library->InBox ? LdrpInBoxLibraryImage : LdrpLibraryImage, &Image);
    Library->Loading = FALSE;
    if (!NT_SUCCESS(*Status)) {
        LdrpFail(" (%wZ)", &Library->Name);
        return NULL;
    }
    PsNotifyImage(&Image->FullDllName, NULL, NULL, Image->DllBase, Image->SizeOfImage);
    *Status = LdrpInitializeLibrary(Image);
    if (!NT_SUCCESS(*Status)) {
        Image->Unloading = TRUE; /* without DllUnload: it did not begin */
        LdrUnloadImage(Image);
        return NULL;
    }
    Image->Library = Library;
    return Image;
}

BOOLEAN LdrpMayEndLibrary(PLDR_IMAGE Image)
{
    return LdrpResolve(Image, "DllInitialize", 0, NULL) != 0 && LdrpResolve(Image, "DllUnload", 0, NULL) != 0;
}

VOID LdrpEndLibrary(PLDR_IMAGE Image)
{
    LDRP_DLL_UNLOAD *Unload = (PVOID)LdrpResolve(Image, "DllUnload", 0, NULL);
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = Unload();
    FvEndCall(&Call, (PVOID)Unload, "DllUnload", (ULONG_PTR)Image->DllBase);
    if (!NT_SUCCESS(Status))
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                   "DllUnload of %s returned 0x%08X: it is unloaded all the same\n", Image->Name, (unsigned)Status);
}
