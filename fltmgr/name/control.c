/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.c: FLT_NAME_CONTROL: a name that grows while it is made.  Its buffer is ours alone.  IRQL: <= APC_LEVEL. */
#include <name.h>

NTSTATUS FLTAPI FltCheckAndGrowNameControl(PFLT_NAME_CONTROL NameCtrl, USHORT NewSize)
{
    PWCH Larger;

    if (NameCtrl->Name.MaximumLength >= NewSize)
        return STATUS_SUCCESS;
    Larger = ExAllocatePoolWithTag(PagedPool, NewSize, FLTP_TAG_FILE_NAME);
    if (Larger == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (NameCtrl->Name.Buffer != NULL) {
        RtlCopyMemory(Larger, NameCtrl->Name.Buffer, NameCtrl->Name.MaximumLength);
        ExFreePoolWithTag(NameCtrl->Name.Buffer, FLTP_TAG_FILE_NAME);
    }
    NameCtrl->Name.Buffer = Larger;
    NameCtrl->Name.MaximumLength = NewSize;
    return STATUS_SUCCESS;
}

VOID FltpFreeNameControl(PFLT_NAME_CONTROL Control)
{
    if (Control->Name.Buffer != NULL)
        ExFreePoolWithTag(Control->Name.Buffer, FLTP_TAG_FILE_NAME);
    RtlZeroMemory(Control, sizeof(*Control));
}

NTSTATUS FltpAppendName(PFLT_NAME_CONTROL Control, PCUNICODE_STRING Part)
{
    ULONG Length = (ULONG)Control->Name.Length + Part->Length;
    NTSTATUS Status;

    if (Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    Status = FltCheckAndGrowNameControl(Control, (USHORT)max(Length, 256));
    if (NT_SUCCESS(Status))
        RtlAppendUnicodeStringToString(&Control->Name, Part);
    return Status;
}

NTSTATUS FltpAppendSeparator(PFLT_NAME_CONTROL Control)
{
    static const UNICODE_STRING Separator = RTL_CONSTANT_STRING(L"\\");
    USHORT Length = Control->Name.Length / sizeof(WCHAR);

    if (Length > 0 && Control->Name.Buffer[Length - 1] == '\\')
        return STATUS_SUCCESS;
    return FltpAppendName(Control, &Separator);
}
