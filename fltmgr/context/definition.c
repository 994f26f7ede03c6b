/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * definition.c: a filter's context registrations: of each type up to three fixed sizes, with two lookaside
 * lists each, and one variable size; or one with an allocation callback of the filter's own, which takes
 * every size.
 */
#include <context.h>

#define FLTP_FIXED_DEFINITIONS 3

static BOOLEAN FltpIsFixed(PCFLT_CONTEXT_REGISTRATION Registration)
{
    return Registration->Size != FLT_VARIABLE_SIZED_CONTEXTS && Registration->ContextAllocateCallback == NULL;
}

static BOOLEAN FltpIsRegistered(PFLTP_CONTEXT_TYPE Type, PCFLT_CONTEXT_REGISTRATION Registration)
{
    for (ULONG Index = 0; Index < Type->Count; Index++) {
        if (RtlCompareMemory(&Type->Definitions[Index]->Registration, Registration, sizeof(*Registration)) ==
            sizeof(*Registration))
            return TRUE;
    }
    return FALSE;
}

/* Whether it goes with those of its type that came before. */
static BOOLEAN FltpMayBeAdded(PFLTP_CONTEXT_TYPE Type, PCFLT_CONTEXT_REGISTRATION Registration)
{
    BOOLEAN Own = Registration->ContextAllocateCallback != NULL;

    if (!Own && Registration->PoolTag == 0)
        return FALSE;
    if (Type->Count > 0 && (Own || Type->Definitions[0]->Registration.ContextAllocateCallback != NULL))
        return FALSE;
    if (FltpIsFixed(Registration))
        return Type->Fixed < FLTP_FIXED_DEFINITIONS && Registration->Size <= MAXUSHORT;
    return Type->Count == Type->Fixed;
}

static NTSTATUS FltpMakeLists(PFLTP_CONTEXT_DEFINITION Definition)
{
    SIZE_T Size = sizeof(FLTP_CONTEXT) + Definition->Registration.Size;
    ULONG Tag = Definition->Registration.PoolTag;
    NTSTATUS Status = ExInitializeLookasideListEx(&Definition->Nonpaged, NULL, NULL, NonPagedPoolNx, 0, Size, Tag, 0);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ExInitializeLookasideListEx(&Definition->Paged, NULL, NULL, PagedPool, 0, Size, Tag, 0);
    if (!NT_SUCCESS(Status))
        ExDeleteLookasideListEx(&Definition->Nonpaged);
    Definition->HasLists = NT_SUCCESS(Status);
    return Status;
}

static NTSTATUS FltpAddDefinition(PFLTP_CONTEXT_TYPE Type, PCFLT_CONTEXT_REGISTRATION Registration)
{
    BOOLEAN Fixed = FltpIsFixed(Registration);
    ULONG Place = Fixed ? Type->Fixed : Type->Count;
    PFLTP_CONTEXT_DEFINITION Definition =
        ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Definition), FLTP_TAG_CONTEXT_LIST);

    if (Definition == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Definition, sizeof(*Definition));
    Definition->Registration = *Registration;
    Definition->Fixed = Fixed;
    while (Fixed && Place > 0 && Type->Definitions[Place - 1]->Registration.Size > Registration->Size)
        Place--;
    for (ULONG Index = Type->Count; Index > Place; Index--)
        Type->Definitions[Index] = Type->Definitions[Index - 1];
    Type->Definitions[Place] = Definition;
    Type->Count++;
    Type->Fixed += Fixed;
    return Fixed ? FltpMakeLists(Definition) : STATUS_SUCCESS;
}

NTSTATUS FltpDefineContexts(PFLT_FILTER Filter, PCFLT_CONTEXT_REGISTRATION Registration)
{
    PFLTP_CONTEXT_TABLE Table = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Table), FLTP_TAG_CONTEXT_LIST);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Table, sizeof(*Table));
    ExInitializeFastMutex(&Table->Lock);
    InitializeListHead(&Table->Live);
    Filter->Contexts = Table;
    if (Registration == NULL)
        return STATUS_SUCCESS;
    for (; NT_SUCCESS(Status) && Registration->ContextType != FLT_CONTEXT_END; Registration++) {
        PFLTP_CONTEXT_TYPE Type;

        if (!FlagOn(FLT_ALL_CONTEXTS, Registration->ContextType) ||
            (Registration->ContextType & (Registration->ContextType - 1)) != 0)
            return STATUS_INVALID_PARAMETER;
        Type = &Table->Types[__builtin_ctz(Registration->ContextType)];
        if (FltpIsRegistered(Type, Registration))
            continue;
        FltpCheckOptional((PVOID)Registration->ContextCleanupCallback, "context cleanup callback");
        FltpCheckOptional((PVOID)Registration->ContextAllocateCallback, "context allocate callback");
        FltpCheckOptional((PVOID)Registration->ContextFreeCallback, "context free callback");
        Status = FltpMayBeAdded(Type, Registration) ? FltpAddDefinition(Type, Registration) : STATUS_INVALID_PARAMETER;
    }
    return Status;
}

VOID FltpFreeDefinitions(PFLT_FILTER Filter)
{
    PFLTP_CONTEXT_TABLE Table = Filter->Contexts;

    for (ULONG Type = 0; Table != NULL && Type < FLTP_CONTEXT_TYPES; Type++) {
        for (ULONG Index = 0; Index < Table->Types[Type].Count; Index++) {
            PFLTP_CONTEXT_DEFINITION Definition = Table->Types[Type].Definitions[Index];

            if (Definition->HasLists) {
                ExDeleteLookasideListEx(&Definition->Nonpaged);
                ExDeleteLookasideListEx(&Definition->Paged);
            }
            ExFreePoolWithTag(Definition, FLTP_TAG_CONTEXT_LIST);
        }
    }
    if (Table != NULL)
        ExFreePoolWithTag(Table, FLTP_TAG_CONTEXT_LIST);
    Filter->Contexts = NULL;
}
