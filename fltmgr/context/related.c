/* SPDX-License-Identifier: GPL-2.0-or-later */
/* related.c: the contexts of all objects that an operation is about, in one call. */
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
    if (FlagOn(DesiredContexts, FLT_SECTION_CONTEXT) && FltObjects->Instance != NULL && FltObjects->FileObject != NULL)
        FltpGetStreamContext(FLT_SECTION_CONTEXT, FltObjects->Instance, FltObjects->FileObject,
                             &Contexts->SectionContext, _ReturnAddress());
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
