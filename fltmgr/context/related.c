/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * related.c: the contexts of all objects that an operation is about, in one call; and those of objects that this machine
 * does not have: transactions, and sections that scan data.
 */
#include <context.h>

/* A type that was not asked for, or has no context there, is NULL. */
static VOID FltpGetRelated(PCFLT_RELATED_OBJECTS Objects, FLT_CONTEXT_TYPE Desired, PFLT_RELATED_CONTEXTS Contexts,
                           PVOID Caller)
{
    RtlZeroMemory(Contexts, sizeof(*Contexts));
    if (FlagOn(Desired, FLT_VOLUME_CONTEXT) && Objects->Volume != NULL)
        FltpGetVolumeContext(Objects->Filter, Objects->Volume, &Contexts->VolumeContext, Caller);
    if (Objects->Instance == NULL)
        return;
    if (FlagOn(Desired, FLT_INSTANCE_CONTEXT))
        FltpGetInstanceContext(Objects->Instance, &Contexts->InstanceContext, Caller);
    if (Objects->FileObject == NULL)
        return;
    if (FlagOn(Desired, FLT_FILE_CONTEXT))
        FltpGetStreamContext(FLT_FILE_CONTEXT, Objects->Instance, Objects->FileObject, &Contexts->FileContext, Caller);
    if (FlagOn(Desired, FLT_STREAM_CONTEXT))
        FltpGetStreamContext(FLT_STREAM_CONTEXT, Objects->Instance, Objects->FileObject, &Contexts->StreamContext,
                             Caller);
    if (FlagOn(Desired, FLT_STREAMHANDLE_CONTEXT))
        FltpGetStreamContext(FLT_STREAMHANDLE_CONTEXT, Objects->Instance, Objects->FileObject,
                             &Contexts->StreamHandleContext, Caller);
}

VOID FLTAPI FltGetContexts(PCFLT_RELATED_OBJECTS FltObjects, FLT_CONTEXT_TYPE DesiredContexts,
                           PFLT_RELATED_CONTEXTS Contexts)
{
    FltpGetRelated(FltObjects, DesiredContexts, Contexts, _ReturnAddress());
}

/* A structure of FltGetContexts's size will do where no section's context is asked for. */
NTSTATUS FLTAPI FltGetContextsEx(PCFLT_RELATED_OBJECTS FltObjects, FLT_CONTEXT_TYPE DesiredContexts,
                                 SIZE_T ContextsSize, PFLT_RELATED_CONTEXTS_EX Contexts)
{
    SIZE_T Needed =
        FlagOn(DesiredContexts, FLT_SECTION_CONTEXT) ? sizeof(FLT_RELATED_CONTEXTS_EX) : sizeof(FLT_RELATED_CONTEXTS);

    if ((DesiredContexts & ~FLT_ALL_CONTEXTS) != 0 || ContextsSize < Needed)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(Contexts, min(ContextsSize, sizeof(*Contexts)));
    FltpGetRelated(FltObjects, DesiredContexts, (PFLT_RELATED_CONTEXTS)Contexts, _ReturnAddress());
    return STATUS_SUCCESS;
}

static VOID FltpReleaseRelated(PFLT_CONTEXT *Contexts, SIZE_T Size, PVOID Caller)
{
    for (SIZE_T Index = 0; Index < Size / sizeof(PFLT_CONTEXT); Index++) {
        if (Contexts[Index] != NULL_CONTEXT)
            FltpReleaseContext(Contexts[Index], Caller);
        Contexts[Index] = NULL_CONTEXT;
    }
}

VOID FLTAPI FltReleaseContexts(PFLT_RELATED_CONTEXTS Contexts)
{
    FltpReleaseRelated(&Contexts->VolumeContext, sizeof(*Contexts), _ReturnAddress());
}

VOID FLTAPI FltReleaseContextsEx(SIZE_T ContextsSize, PFLT_RELATED_CONTEXTS_EX Contexts)
{
    FltpReleaseRelated(&Contexts->VolumeContext, min(ContextsSize, sizeof(*Contexts)), _ReturnAddress());
}

/* --- What is not here --- */

/* There is no transaction whose context this could be. */
static NTSTATUS FltpNoTransaction(PCSTR Routine, NTSTATUS Status)
{
    DbgPrint("fltmgr: %s: this machine has no transactions\n", Routine);
    return Status;
}

NTSTATUS FLTAPI FltSetTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction,
                                         FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                         PFLT_CONTEXT *OldContext)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    UNREFERENCED_PARAMETER(Operation);
    UNREFERENCED_PARAMETER(NewContext);
    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    return FltpNoTransaction("FltSetTransactionContext", STATUS_NOT_SUPPORTED);
}

NTSTATUS FLTAPI FltGetTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction, PFLT_CONTEXT *Context)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    *Context = NULL_CONTEXT;
    return STATUS_NOT_FOUND;
}

NTSTATUS FLTAPI FltDeleteTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction, PFLT_CONTEXT *OldContext)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    return STATUS_NOT_FOUND;
}

/* Documented where the volume has no section contexts. */
NTSTATUS FLTAPI FltGetSectionContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(FileObject);
    *Context = NULL_CONTEXT;
    return STATUS_NOT_SUPPORTED;
}
