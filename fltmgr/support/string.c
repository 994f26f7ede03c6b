/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * string.c: counted strings on the heap, and names as filters give them.  FltpFreeString: <= DISPATCH_LEVEL.
 */
#include "support.h"

NTSTATUS FltpCopyString(PUNICODE_STRING To, PCUNICODE_STRING From)
{
    To->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, From->Length + sizeof(WCHAR), FLTP_TAG_NAME);
    if (To->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(To->Buffer, From->Buffer, From->Length);
    To->Buffer[From->Length / sizeof(WCHAR)] = 0;
    To->Length = From->Length;
    To->MaximumLength = From->Length + sizeof(WCHAR);
    return STATUS_SUCCESS;
}

VOID FltpFreeString(PUNICODE_STRING String)
{
    if (String->Buffer != NULL)
        ExFreePoolWithTag(String->Buffer, FLTP_TAG_NAME);
    RtlZeroMemory(String, sizeof(*String));
}

static WCHAR FltpUpcase(WCHAR Character)
{
    return Character >= 'a' && Character <= 'z' ? Character - 'a' + 'A' : Character;
}

/*
 * Names of objects, regardless of case.  Lists are searched with their spin lock held, where the run-time
 * library's pageable case tables are out of reach: beyond ASCII, case counts.
 */
int FltpCompareNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    if (Left->Length != Right->Length)
        return Left->Length < Right->Length ? -1 : 1;
    for (ULONG Index = 0; Index < Left->Length / sizeof(WCHAR); Index++) {
        int Difference = FltpUpcase(Left->Buffer[Index]) - FltpUpcase(Right->Buffer[Index]);

        if (Difference != 0)
            return Difference;
    }
    return 0;
}

BOOLEAN FltpEqualNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    return FltpCompareNames(Left, Right) == 0;
}

ULONG FltpHashName(PCUNICODE_STRING Name)
{
    ULONG Hash = 0;

    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++)
        Hash = Hash * 65599 + FltpUpcase(Name->Buffer[Index]);
    return Hash;
}

BOOLEAN FltpCopyName(PFLTP_RESIDENT_NAME To, PCUNICODE_STRING From)
{
    if (From->Length > sizeof(To->Text))
        return FALSE;
    RtlCopyMemory(To->Text, From->Buffer, From->Length);
    To->String.Buffer = To->Text;
    To->String.Length = From->Length;
    To->String.MaximumLength = sizeof(To->Text);
    return TRUE;
}

NTSTATUS FltpNameOfObject(PVOID Object, PUNICODE_STRING Name)
{
    ULONG Size = sizeof(OBJECT_NAME_INFORMATION) + 512, Needed;
    POBJECT_NAME_INFORMATION Information = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_TEMPORARY);
    NTSTATUS Status;

    if (Information == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ObQueryNameString(Object, Information, Size, &Needed);
    if (NT_SUCCESS(Status))
        Status = FltpCopyString(Name, &Information->Name);
    ExFreePoolWithTag(Information, FLTP_TAG_TEMPORARY);
    return Status;
}
