/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.c: contexts of volumes and of instances.  A filter's volume contexts stay when its instances go:
 * they end when it unregisters, or with the volume.
 */
#include <context.h>
#include <query.h>

static NTSTATUS FltpCreateContextList(PFLT_VOLUME Volume, PFLTP_CONTEXT_LIST *List)
{
    *List = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(**List), FLTP_TAG_CONTEXT_LIST);
    if (*List == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FltpInitializeContextList(*List, Volume);
    return STATUS_SUCCESS;
}

NTSTATUS FltpCreateVolumeContexts(PFLT_VOLUME Volume)
{
    return FltpCreateContextList(Volume, &Volume->Contexts);
}

NTSTATUS FltpCreateInstanceContexts(PFLT_INSTANCE Instance)
{
    return FltpCreateContextList(Instance->Volume, &Instance->Contexts);
}

VOID FltpFreeContextList(PFLTP_CONTEXT_LIST *List)
{
    if (*List != NULL)
        ExFreePoolWithTag(*List, FLTP_TAG_CONTEXT_LIST);
    *List = NULL;
}

/* Who comes from a context may be at the list: not after us. */
static VOID FltpEndGuarded(PFLTP_CONTEXT_LIST List, PVOID Owner)
{
    PFAST_MUTEX Guard = FltpContextGuard(List->Volume);

    FltpEndContexts(List, Owner);
    ExAcquireFastMutex(Guard);
    ExReleaseFastMutex(Guard);
}

/* Handles, streams and files first: their cleanup may want the instance's. */
VOID FltpEndInstanceContexts(PFLT_INSTANCE Instance)
{
    LIST_ENTRY Taken;

    InitializeListHead(&Taken);
    FltpTakeStreamsContexts(Instance, &Taken);
    FltpEndTaken(&Taken);
    FltpEndGuarded(Instance->Contexts, Instance);
}

VOID FltpEndVolumeContexts(PFLT_VOLUME Volume)
{
    FltpForgetStreams(Volume);
    FltpEndGuarded(Volume->Contexts, NULL);
}

VOID FltpEndFilterContexts(PFLT_FILTER Filter)
{
    PFLT_VOLUME Volume = NULL;

    while ((Volume = FltpNextVolume(Volume)) != NULL)
        FltpEndContexts(Volume->Contexts, Filter);
}

/* --- Volumes --- */

static FLTP_CONTEXT_PLACE FltpVolumePlace(PFLT_FILTER Filter, PFLT_VOLUME Volume)
{
    FLTP_CONTEXT_PLACE Place = {Volume->Contexts, FLT_VOLUME_CONTEXT, Filter, &Volume->Object.Rundown, NULL, Filter};

    return Place;
}

NTSTATUS FLTAPI FltSetVolumeContext(PFLT_VOLUME Volume, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                    PFLT_CONTEXT *OldContext)
{
    PFLTP_CONTEXT Context = FltpCheckContext(NewContext, "FltSetVolumeContext", _ReturnAddress());
    FLTP_CONTEXT_PLACE Place = FltpVolumePlace(Context->Filter, Volume);

    return FltpSetContext(&Place, Operation, NewContext, OldContext, _ReturnAddress());
}

NTSTATUS FltpGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place = FltpVolumePlace(Filter, Volume);

    return FltpGetContext(&Place, Context, Caller);
}

NTSTATUS FLTAPI FltGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context)
{
    return FltpGetVolumeContext(Filter, Volume, Context, _ReturnAddress());
}

NTSTATUS FLTAPI FltDeleteVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *OldContext)
{
    FLTP_CONTEXT_PLACE Place = FltpVolumePlace(Filter, Volume);

    return FltpDeleteContext(&Place, OldContext, _ReturnAddress());
}

/* --- Instances --- */

static FLTP_CONTEXT_PLACE FltpInstancePlace(PFLT_INSTANCE Instance)
{
    FLTP_CONTEXT_PLACE Place = {
        Instance->Contexts, FLT_INSTANCE_CONTEXT, Instance->Filter, &Instance->Object.Rundown, NULL, Instance,
    };

    return Place;
}

NTSTATUS FLTAPI FltSetInstanceContext(PFLT_INSTANCE Instance, FLT_SET_CONTEXT_OPERATION Operation,
                                      PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
    FLTP_CONTEXT_PLACE Place = FltpInstancePlace(Instance);

    return FltpSetContext(&Place, Operation, NewContext, OldContext, _ReturnAddress());
}

NTSTATUS FltpGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place = FltpInstancePlace(Instance);

    return FltpGetContext(&Place, Context, Caller);
}

NTSTATUS FLTAPI FltGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context)
{
    return FltpGetInstanceContext(Instance, Context, _ReturnAddress());
}

NTSTATUS FLTAPI FltDeleteInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *OldContext)
{
    FLTP_CONTEXT_PLACE Place = FltpInstancePlace(Instance);

    return FltpDeleteContext(&Place, OldContext, _ReturnAddress());
}
