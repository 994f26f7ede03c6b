/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.c: taking names apart.  IRQL: <= APC_LEVEL. */
#include <name.h>

static UNICODE_STRING FltpPart(PCUNICODE_STRING Of, ULONG From, ULONG To)
{
    UNICODE_STRING Part = {0};

    if (To > From) {
        Part.Buffer = Of->Buffer + From;
        Part.Length = Part.MaximumLength = (USHORT)((To - From) * sizeof(WCHAR));
    }
    return Part;
}

/* Where the final component, its extension and its stream begin, in characters; the end where there is none. */
static VOID FltpFindParts(PCUNICODE_STRING Name, PULONG Final, PULONG Extension, PULONG Stream)
{
    ULONG End = Name->Length / sizeof(WCHAR);

    *Final = End;
    while (*Final > 0 && Name->Buffer[*Final - 1] != '\\')
        (*Final)--;
    for (*Stream = *Final; *Stream < End && Name->Buffer[*Stream] != ':';)
        (*Stream)++;
    for (*Extension = *Stream; *Extension > *Final && Name->Buffer[*Extension - 1] != '.';)
        (*Extension)--;
    if (*Extension == *Final)
        *Extension = *Stream;
}

NTSTATUS FLTAPI FltParseFileName(PCUNICODE_STRING FileName, PUNICODE_STRING Extension, PUNICODE_STRING Stream,
                                 PUNICODE_STRING FinalComponent)
{
    ULONG FinalAt, ExtensionAt, StreamAt, End = FileName->Length / sizeof(WCHAR);

    FltpFindParts(FileName, &FinalAt, &ExtensionAt, &StreamAt);
    if (Extension != NULL)
        *Extension = FltpPart(FileName, ExtensionAt, StreamAt);
    if (Stream != NULL)
        *Stream = FltpPart(FileName, StreamAt, End);
    if (FinalComponent != NULL)
        *FinalComponent = FltpPart(FileName, FinalAt, End);
    return STATUS_SUCCESS;
}

/* The volume's part is known since the name was made; of a short name there is none. */
NTSTATUS FLTAPI FltParseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
    PUNICODE_STRING Name = &FileNameInformation->Name;
    ULONG Volume = FileNameInformation->Volume.Length / sizeof(WCHAR), End = Name->Length / sizeof(WCHAR);
    UNICODE_STRING Rest = FltpPart(Name, Volume, End);
    ULONG FinalAt, ExtensionAt, StreamAt;

    FltpFindParts(&Rest, &FinalAt, &ExtensionAt, &StreamAt);
    FileNameInformation->FinalComponent = FltpPart(&Rest, FinalAt, End - Volume);
    FileNameInformation->Extension = FltpPart(&Rest, ExtensionAt, StreamAt);
    FileNameInformation->Stream = FltpPart(&Rest, StreamAt, End - Volume);
    FileNameInformation->ParentDir = FltpPart(&Rest, 0, FinalAt);
    FileNameInformation->NamesParsed = FLTFL_FILE_NAME_PARSED_FINAL_COMPONENT | FLTFL_FILE_NAME_PARSED_EXTENSION |
                                       FLTFL_FILE_NAME_PARSED_STREAM | FLTFL_FILE_NAME_PARSED_PARENT_DIR;
    return STATUS_SUCCESS;
}
