// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an image's imports are bound to: modules and forwarders are looked up by name, the verifier's thunks are put in
 * between, and what is missing is named.  The caller holds LdrpMutex (load.c).
 */
#include "ldrp.h"

/* The image of that name; with Need also one that is loaded for it, which may fail (*Need). */
static PLDR_IMAGE LdrpFindModule(PCSTR Module, NTSTATUS *Need)
{
    UNICODE_STRING Name;
    PLDR_IMAGE Image;
    WCHAR Text[64];
    SIZE_T Length = strlen(Module);

    if (_stricmp(Module, "ntoskrnl.exe") == 0 || _stricmp(Module, "hal.dll") == 0)
        return LdrpKernelImage;
    if (Length >= ARRAYSIZE(Text))
        return NULL;
    for (SIZE_T Index = 0; Index <= Length; Index++)
        Text[Index] = (UCHAR)Module[Index];
    RtlInitUnicodeString(&Name, Text);
    Image = LdrFindImageByName(&Name);
    return Image == NULL && Need != NULL ? LdrpNeedLibrary(&Name, Need) : Image;
}

/* The module that a forwarder names, which it does without an extension: "NTOSKRNL.ExAllocatePool2". */
static PLDR_IMAGE LdrpFindForwarded(PCSTR Forwarder, SIZE_T Length)
{
    static const CHAR Extensions[][5] = {".sys", ".exe", ".dll"};
    PLDR_IMAGE Image = NULL;
    CHAR Module[64];

    if (Length > sizeof(Module) - sizeof(Extensions[0]))
        return NULL;
    memcpy(Module, Forwarder, Length);
    for (ULONG Index = 0; Index < ARRAYSIZE(Extensions) && Image == NULL; Index++) {
        strcpy(Module + Length, Extensions[Index]);
        Image = LdrpFindModule(Module, NULL);
    }
    return Image;
}

ULONG64 LdrpResolve(PLDR_IMAGE Image, PCSTR Name, USHORT Ordinal, PLDR_IMAGE *Where)
{
    for (ULONG Depth = 0; Depth < 8 && Image != NULL; Depth++) {
        PCSTR Forwarder, Dot;
        ULONG Rva = LdrpFindExport(Image->DllBase, Image->SizeOfImage, LdrpExportsOf(Image), Name, Ordinal, &Forwarder);

        if (Where != NULL)
            *Where = Image;
        if (Rva != 0)
            return (ULONG64)Image->DllBase + Rva;
        Dot = Forwarder != NULL ? strrchr(Forwarder, '.') : NULL;
        if (Dot == NULL)
            return 0;
        Image = LdrpFindForwarded(Forwarder, (SIZE_T)(Dot - Forwarder));
        Name = Dot + 1;
        if (*Name == '#') {
            Ordinal = (USHORT)strtoul(Name + 1, NULL, 10);
            Name = NULL;
        }
    }
    return 0;
}

typedef struct _LDRP_BINDING {
    PLDR_IMAGE Image;
    NTSTATUS Status;
    ULONG Missing;
    CHAR LastMissingModule[64];
    BOOLEAN Verify, Count; /* which thunks it may get */
    PUCHAR Cursor;         /* NULL in the first pass */
} LDRP_BINDING;

/* What another image is bound to stays loaded.  FALSE: there is no room to note it. */
static BOOLEAN LdrpNoteImport(PLDR_IMAGE Image, PLDR_IMAGE From)
{
    if (From == LdrpKernelImage)
        return TRUE;
    for (ULONG Index = 0; Index < Image->Imports; Index++) {
        if (Image->Import[Index] == From)
            return TRUE;
    }
    if (Image->Imports == ARRAYSIZE(Image->Import))
        return FALSE;
    Image->Import[Image->Imports++] = From;
    From->References++;
    return TRUE;
}

static BOOLEAN LdrpBindOne(PVOID Context, PCSTR Module, PCSTR Name, USHORT Ordinal, PULONG64 Slot)
{
    LDRP_BINDING *Binding = Context;
    BOOLEAN Known = _strnicmp(Binding->LastMissingModule, Module, sizeof(Binding->LastMissingModule) - 1) == 0;
    NTSTATUS Status = STATUS_SUCCESS;
    PLDR_IMAGE From = Known ? NULL : LdrpFindModule(Module, &Status), Where = From;
    ULONG64 Target = From != NULL ? LdrpResolve(From, Name, Ordinal, &Where) : 0, Routine;

    if (From == NULL && !Known) {
        if (NT_SUCCESS(Status))
            LdrpFail("%simports from %s, which is not loaded", Binding->Missing != 0 ? "; " : "", Module);
        Binding->Missing++;
        strncpy(Binding->LastMissingModule, Module, sizeof(Binding->LastMissingModule) - 1);
        Binding->Status = NT_SUCCESS(Status) ? STATUS_DLL_NOT_FOUND : Status;
    }
    if (From == NULL)
        return FALSE;
    if (Target == 0) {
        if (Name != NULL)
            LdrpFail("%s%s!%s", Binding->Missing++ != 0 ? ", " : "imports what is not there: ", Module, Name);
        else
            LdrpFail("%s%s!#%u", Binding->Missing++ != 0 ? ", " : "imports what is not there: ", Module, Ordinal);
        if (Binding->Status == STATUS_SUCCESS)
            Binding->Status = Name != NULL ? STATUS_DRIVER_ENTRYPOINT_NOT_FOUND : STATUS_DRIVER_ORDINAL_NOT_FOUND;
        return FALSE;
    }
    if (!LdrpNoteImport(Binding->Image, From) || !LdrpNoteImport(Binding->Image, Where)) {
        LdrpFail("%simports from more than %u drivers", Binding->Missing++ != 0 ? "; " : "",
                 (unsigned)ARRAYSIZE(Binding->Image->Import));
        Binding->Status = STATUS_INSUFFICIENT_RESOURCES;
        return FALSE;
    }
    if (Name != NULL && From == LdrpKernelImage)
        Target = LdrpVariantOf(Binding->Image, Name, Target);
    Routine = Target;
    if (Binding->Verify && Name != NULL)
        Target =
            LdrpMakeThunk(Name, Target, Binding->Cursor != NULL ? &Binding->Cursor : NULL, &Binding->Image->ThunksSize);
    if (Binding->Count && LdrpIsCounted(Name, Routine))
        Target = LdrpMakeCallThunk(Routine, Target, Binding->Cursor != NULL ? &Binding->Cursor : NULL,
                                   &Binding->Image->ThunksSize);
    if (Binding->Cursor != NULL || (!Binding->Verify && !Binding->Count))
        *Slot = Target;
    return TRUE;
}

NTSTATUS LdrpBindImports(PLDR_IMAGE Image, const LDRP_PE *Pe)
{
    LDRP_BINDING Binding = {.Image = Image,
                            .Status = STATUS_SUCCESS,
                            .Verify = FvVerifierEnabled(),
                            .Count = !Image->InBox && LdrpCountsCalls()};
    PCSTR Reason = LdrpWalkImports(Image->DllBase, Pe, LdrpBindOne, &Binding);

    if (Reason != NULL) {
        LdrpFail("%s%s", Binding.Missing != 0 ? "; " : "", Reason);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    if (!NT_SUCCESS(Binding.Status) || (!Binding.Verify && !Binding.Count))
        return Binding.Status;
    if (Image->ThunksSize == 0) {
        Binding.Verify = Binding.Count = FALSE;
    } else {
        Image->Thunks = MmAllocateImage(Image->ThunksSize);
        if (Image->Thunks == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Binding.Cursor = Image->Thunks;
    }
    LdrpWalkImports(Image->DllBase, Pe, LdrpBindOne, &Binding);
    if (Image->Thunks != NULL)
        MmProtectImage(Image->Thunks, Image->ThunksSize, MM_IMAGE_READ | MM_IMAGE_EXECUTE);
    return STATUS_SUCCESS;
}

/* What the caller would have got by an import, but for the check of the IRQL. */
DECLSPEC_NOINLINE PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    PLDR_IMAGE Image = LdrFindImageByAddress(_ReturnAddress());
    ULONG64 Target;
    CHAR Name[64];
    USHORT Length = SystemRoutineName->Length / sizeof(WCHAR);

    if (Length >= sizeof(Name))
        return NULL;
    for (USHORT Index = 0; Index < Length; Index++) {
        if (SystemRoutineName->Buffer[Index] > 0x7E)
            return NULL;
        Name[Index] = (CHAR)SystemRoutineName->Buffer[Index];
    }
    Name[Length] = 0;
    Target = LdrpResolve(LdrpKernelImage, Name, 0, NULL);
    return (PVOID)(Target != 0 && Image != NULL ? LdrpVariantOf(Image, Name, Target) : Target);
}

/* An export of an image by name, as fltmgr's FltGetRoutineAddress and others want it. */
PVOID NTAPI RtlFindExportedRoutineByName(PVOID ImageBase, PCSTR RoutineName);
PVOID NTAPI RtlFindExportedRoutineByName(PVOID ImageBase, PCSTR RoutineName)
{
    PLDR_IMAGE Image = LdrFindImageByAddress(ImageBase);

    return Image != NULL && Image->DllBase == ImageBase ? (PVOID)LdrpResolve(Image, RoutineName, 0, NULL) : NULL;
}
