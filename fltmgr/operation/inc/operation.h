/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operation.h: one request on its way through a volume's instances: down (pre-callbacks), up (post-callbacks).
 *
 * Rules for operations
 * - An operation is one block with a node for each instance that registered for the request.  The instances are
 *   chosen and referenced when it arrives; each is released when it is done with it, wherever that is.
 * - At any moment one thread owns it, or a filter that pended it, or the file system.  Who owns it may write its
 *   Current; who gave it away may not touch it any more, not even to see whether it is still there.
 * - A node moves on by an interlocked exchange from Idle, Pre, Wait, Post and Drain: who made the exchange owns the
 *   node's next step.  So a teardown may take a node away from an operation that somebody else owns.
 * - A post-callback that belongs to a thread (FLT_PREOP_SYNCHRONIZE) is called by that thread, which waits at home, in
 *   its frame of FltpGoDown, until the operation comes up to that node.  All of a create's way up belongs to the thread
 *   that brought it, and that of a reissued one to the thread that reissues it.
 *
 * The files call in one direction: pend.c and down.c call up.c, all call block.c.
 */
#ifndef FLTMGR_OPERATION_H
#define FLTMGR_OPERATION_H

#include <core.h>
#include <work.h>

#define FLTP_MAGIC_OPERATION 0x4F746C46u /* under way */
#define FLTP_MAGIC_DRAINED   0x44746C46u /* the copy that a draining post-callback sees */
#define FLTP_MAGIC_ISSUED    0x43746C46u /* callback data that a filter allocated */

typedef enum _FLTP_NODE_STATE {
    FltpNodeIdle,      /* not reached yet */
    FltpNodePre,       /* in its pre-callback, or pended by it */
    FltpNodeDown,      /* given back by its pre-callback */
    FltpNodeWait,      /* its post-callback is due */
    FltpNodePost,      /* in its post-callback, or pended by it */
    FltpNodeDrain,     /* in its draining post-callback, the request is still below */
    FltpNodeDrainLast, /* the same, and the request has come back: the drainer takes it on */
    FltpNodeDone
} FLTP_NODE_STATE;

/* A thread that waits for the operation, in that thread's frame. */
typedef struct _FLTP_HOME {
    KEVENT Event;
    ULONG Nodes;    /* of ours, whose post-callbacks are to be called by this thread; by the operation's owner */
    BOOLEAN Create; /* it brought a create, or one that is reissued, and waits for its end */
} FLTP_HOME, *PFLTP_HOME;

/* How a callback gave its operation away. */
typedef enum _FLTP_GIVEN {
    FltpNotGiven,
    FltpGivenBack, /* by FltCompletePended… */
    FltpGivenDeferred,
    FltpGivenQueue,
    FltpGivenWhenSafe,
    FltpGivenPackage /* to the file system library's locks or oplocks */
} FLTP_GIVEN;

/*
 * The callbacks that a thread calls one after the other, in its frame: what they must leave as it was, and how the
 * one at hand gave the operation away.  With the verifier on; begun anew after a callback that may leave something.
 */
typedef struct _FLTP_CALL {
    struct _FLTP_OPERATION *Operation; /* NULL when the frame's callbacks have returned */
    FLTP_GIVEN Given;
    BOOLEAN IsPlain;        /* a request that no thread waits for; these two also without the verifier */
    BOOLEAN IsCall;         /* the operation came as a call */
    IO_STATUS_BLOCK Before; /* on the way up: IoStatus as the last callback left it, or a reissued request brought it */
    FLT_IO_PARAMETER_BLOCK Sent; /* in a post-callback that may reissue: the parameters as it got them */
    FV_CALL State;
} FLTP_CALL, *PFLTP_CALL;

/* A pre-callback whose post-callback runs in the same thread may leave these to it. */
#define FLTP_MAY_LEAVE (FV_MAY_LEAVE_APCS_DISABLED | FV_MAY_LEAVE_RESOURCES | FV_MAY_LEAVE_TOP_LEVEL_IRP)

#define FLTP_NODE_SWAPPED    0x1 /* its pre-callback put in another buffer: not to be drained while the request is below */
#define FLTP_NODE_RETAIN_MDL 0x2 /* its filter frees SwappedMdl */
#define FLTP_NODE_LEFT       0x4 /* its pre-callback left something to its post-callback */

/* What a thread had before a pre-callback left something, and then. */
typedef struct _FLTP_LEFT {
    ULONG64 Before, After; /* FV_CALL.State */
    ULONG_PTR TopLevelBefore, TopLevelAfter;
} FLTP_LEFT, *PFLTP_LEFT;

/*
 * An instance that sees the operation.  The node holds it twice: for the operation, and for the filter's code that runs
 * for it.  Code that keeps the operation may still run when somebody has given it back, so the second hold is let go when that code has
 * returned, and who gives it back takes it again.
 */
typedef struct _FLTP_NODE {
    volatile LONG State;
    ULONG Flags;            /* FLTP_NODE_* */
    PFLT_INSTANCE Instance; /* held until Done, see above */
    PFLTP_CALLBACK Callback;
    PFLTP_CALL Call; /* valid while the callback is being called, see FltpOwnCall */
    PVOID CompletionContext;
    PFLTP_HOME Home; /* the thread its post-callback belongs to */
    PMDL SwappedMdl;
    const VOID *Swapper; /* of SwappedMdl: the callback that put it in; NULL: it was made for the buffer later */
    FLT_RELATED_OBJECTS Objects;
    FLT_IO_PARAMETER_BLOCK Iopb; /* as the pre-callback got them: what its post-callback sees */
    FLTP_LEFT Left;              /* FLTP_NODE_LEFT */
} FLTP_NODE, *PFLTP_NODE;

#define FLTP_NODES_DEFAULT 8

typedef struct _FLTP_OPERATION {
    DECLSPEC_ALIGN(16) SLIST_ENTRY Free; /* its volume's FreeBlocks */
    LIST_ENTRY Link;                     /* its volume's Blocks, Lock */
    ULONG Magic;
    ULONG Capacity;
    ULONG Count;
    ULONG Current; /* the node at hand, while going down; while going up, it and those above remain */
    PFLT_VOLUME Volume;
    PIRP Irp; /* NULL: it came as a call, see direct.c */
    PDEVICE_OBJECT Target;
    FLT_CALLBACK_DATA Data;
    FLT_IO_PARAMETER_BLOCK Iopb; /* the working copy */
    PFLTP_HOME Origin;           /* the thread that brought it, of a create or one that is reissued, else NULL */
    ULONG Homes;                 /* nodes that a thread waits for */
    BOOLEAN PendingMarked;       /* our stack location is marked pending */
    BOOLEAN Changed;             /* some node's filter changed the parameters */
    BOOLEAN NeedCompletion;
    BOOLEAN Completed;    /* the request has come back from below, or was completed by a filter */
    BOOLEAN ChangesNames; /* of files that are open, if it succeeds */
    BOOLEAN Reissued; /* a filter sends a request again that came back to it: see reissue.c; FALSE in a free block */
    /* Of a changed target, and as here in a free block.  An error: it goes up with it; the instance it goes on below. */
    NTSTATUS Refused;
    PFLT_INSTANCE Redirected;                    /* held */
    struct _FLTP_STATUS_REQUEST *StatusRequests; /* NULL in a free block; see status.c */
    BOOLEAN *Kept; /* in the frame of FltpSendDown, valid while the lower driver has not pended: see there */
    /* The request's buffers before any filter changed them, and the MDL that went down. */
    PVOID OriginalUserBuffer, OriginalSystemBuffer;
    PMDL OriginalMdl, SentMdl;
    PVOID SentSystemBuffer;
    /* Work that waits for a lower IRQL. */
    FLTP_WORK_ITEM SafeItem; /* of FltpSafeKind */
    FLT_POST_OPERATION_FLAGS SafeFlags;
    /* A filter that holds it and wants to be told of its cancellation. */
    PFLT_COMPLETE_CANCELED_CALLBACK CanceledCallback;
    PFLT_CALLBACK_DATA_QUEUE Queue;
    PIO_CSQ_IRP_CONTEXT QueueContext;
    FLTP_NODE Nodes[];
} FLTP_OPERATION, *PFLTP_OPERATION;

/* What those below see of the flags of a filter's own callback data. */
#define FLTP_ISSUED_FLAGS (FLTFL_CALLBACK_DATA_GENERATED_IO | FLTFL_CALLBACK_DATA_REISSUED_IO)

/* Callback data of a filter's own, and the request that it makes with it; see io/issue.c. */
typedef struct _FLTP_ISSUED {
    LIST_ENTRY Link; /* FltpIssuedLock */
    PVOID AllocatedBy[FLTP_STACK_DEPTH];
    PFLT_INSTANCE Initiator;
    BOOLEAN Preallocated;
    BOOLEAN Performed;           /* synchronously, so that it may be reissued, */
    FLT_IO_PARAMETER_BLOCK Sent; /* with these parameters */
    PIRP SpareIrp;
    PMDL SpareMdl;
    PFLTP_OPERATION Spare;       /* a block for the instances below, used where none can be allocated */
    PMDL GivenMdl;               /* the filter's own */
    PMDL *DescribedMdl;          /* in the parameters, where we put one of ours; else NULL */
    struct _FLTP_FLIGHT *Flight; /* one with a callback; io/issue.h */
    KEVENT Event;
    PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback;
    PVOID Context;
    FLTP_OPERATION Operation; /* without nodes; Irp is NULL while no request is under way */
} FLTP_ISSUED, *PFLTP_ISSUED;

/* IRQL: any. */
static inline VOID FltpBeginCalls(PFLTP_CALL Call, PFLTP_OPERATION Operation)
{
    BOOLEAN IsCall = Operation->Irp == NULL;

    Call->IsCall = IsCall;
    Call->IsPlain = !IsCall & (Operation->Origin == NULL);
    if (FltpVerify) {
        Call->Operation = Operation;
        Call->Given = FltpNotGiven;
        FvBeginCall(&Call->State);
    }
}

#define FLTP_OPERATION_OF(Data_) CONTAINING_RECORD((Data_), FLTP_OPERATION, Data)

/* What a callback is told of, in a structure that is constant to it; the rest is as FltpNewOperation makes it.  IRQL: any. */
static inline VOID FltpFillObjectsOfNode(PFLT_RELATED_OBJECTS Objects, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    *(PFLT_FILTER *)&Objects->Filter = Instance->Filter;
    *(PFLT_VOLUME *)&Objects->Volume = Instance->Volume;
    *(PFLT_INSTANCE *)&Objects->Instance = Instance;
    *(PFILE_OBJECT *)&Objects->FileObject = FileObject;
}

static inline VOID FltpFillObjects(PFLT_RELATED_OBJECTS Objects, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    *(PUSHORT)&Objects->Size = sizeof(*Objects);
    *(PUSHORT)&Objects->TransactionContext = 0;
    *(PKTRANSACTION *)&Objects->Transaction = NULL;
    FltpFillObjectsOfNode(Objects, Instance, FileObject);
}

/*
 * block.c: blocks, their nodes, and what is told of them.
 */
/* IRQL: <= DISPATCH_LEVEL.  NULL without memory. */
PFLTP_OPERATION FltpNewOperation(ULONG Capacity);
/* IRQL: the request's.  The block with the instances that want the request; NULL when none does, unless Always says that it
 * is wanted anyhow, or when there is no memory, which *Status then says. */
PFLTP_OPERATION FltpStartOperation(PFLT_VOLUME Volume, ULONG IrpFlags, PIO_STACK_LOCATION Stack, PFLTP_ISSUED Issued,
                                   BOOLEAN Always, NTSTATUS *Status);
/* The same for one that a filter reissues: with the instances below its own, also when none of them wants it. */
PFLTP_OPERATION FltpStartReissue(PFLT_INSTANCE Initiator, ULONG IrpFlags, PIO_STACK_LOCATION Stack, NTSTATUS *Status);
/* IRQL: the request's.  It goes on below this instance on another volume; an error when it cannot. */
NTSTATUS FltpRedirect(PFLTP_OPERATION Operation, PFLT_INSTANCE Instance);
/* IRQL: <= DISPATCH_LEVEL.  The nodes from Current on are Done or were never chosen. */
VOID FltpReturnOperation(PFLTP_OPERATION Operation);
/* Of an operation that was changed: what the changes hold. */
VOID FltpForgetChanges(PFLTP_OPERATION Operation);
/* The request's buffers are as it brought them. */
VOID FltpRestoreBuffers(PFLTP_OPERATION Operation);
/* Writes the outcome into the request and gives the block back; the request is the caller's to complete. */
VOID FltpFinishOperation(PFLTP_OPERATION Operation);
/* IRQL: <= DISPATCH_LEVEL.  The caller owns the node. */
static inline VOID FltpFinishNode(PFLTP_NODE Node)
{
    PFLT_INSTANCE Instance = Node->Instance;

    Node->State = FltpNodeDone;
    FltpLeaveInstanceTwice(Instance);
}

/* The dispatch routine has returned STATUS_PENDING, or is about to, unless its thread waits for a create. */
static inline VOID FltpMarkPending(PFLTP_OPERATION Operation)
{
    if (Operation->Origin == NULL) {
        Operation->PendingMarked = TRUE;
        IoMarkIrpPending(Operation->Irp);
    }
}

/* The post-callbacks of one that came as a call, in the caller's thread. */
VOID FltpCallUp(PFLTP_OPERATION Operation);
/* A filter completed it: those from this node on will never see it. */
VOID FltpReleaseBelow(PFLTP_OPERATION Operation, ULONG First);
VOID FltpFreeSwappedMdl(PFLTP_OPERATION Operation, PFLTP_NODE Node);
/* What a filter gives us must be callback data of an operation under way, of its own, or of either; Text: the rule
 * that it breaks when it is not. */
PFLTP_OPERATION FltpCheckData(PFLT_CALLBACK_DATA Data, PCSTR Text);
PFLTP_OPERATION FltpCheckAnyData(PFLT_CALLBACK_DATA Data, PCSTR Text);
PFLTP_ISSUED FltpCheckIssued(PFLT_CALLBACK_DATA Data, PCSTR Text);
/* The frame that calls the current node's callback, when the caller is that callback; else NULL. */
PFLTP_CALL FltpOwnCall(PFLTP_OPERATION Operation);
VOID FltpGiveToPackage(PFLTP_CALL Own);
/* Bugcheck 0xF5: the callback, or what it returned to, broke the rule that Text tells.  Instance: NULL when it may be gone. */
DECLSPEC_NORETURN VOID FltpBlameCallback(PFLT_INSTANCE Instance, const VOID *Callback, ULONG_PTR P1, ULONG_PTR P2,
                                         ULONG_PTR P3, ULONG_PTR P4, PCSTR Text);
/* The same, for a callback that did not say that it gave its operation away. */
DECLSPEC_NORETURN VOID FltpBlameGivenAway(const FLTP_CALL *Call, const VOID *Callback, PFLT_CALLBACK_DATA Data,
                                          ULONG Status);
/* What a filter may leave in IoStatus when it completes the operation; Callback: where it did. */
VOID FltpCheckStatus(PFLTP_NODE Node, const VOID *Callback, PFLT_CALLBACK_DATA Data);

/*
 * up.c
 */
NTSTATUS NTAPI FltpIrpCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context);
/* It goes up in the caller's thread, and the request is completed; *Status: what the dispatch routine returns then.
 * FALSE: as FltpGoUp. */
BOOLEAN FltpGoUpAndComplete(PFLTP_OPERATION Operation, PFLTP_HOME Home, NTSTATUS *Status);
/* IRQL: <= APC_LEVEL.  The caller has moved the node from Wait to Drain, because its instance goes: its post-callback
 * is called to undo what its pre-callback did. */
VOID FltpDrainNode(PFLTP_OPERATION Operation, PFLTP_NODE Node);
VOID FltpDrainInstance(PFLT_INSTANCE Instance);

/*
 * down.c
 */
/* IRQL: the request's.  What it returns is what the dispatch routine returns, or STATUS_FLT_IO_COMPLETE where a
 * pre-callback completed a request that a filter issued. */
NTSTATUS FltpGoDown(PFLTP_OPERATION Operation);
/* What the request is, into a block for it. */
VOID FltpDescribeRequest(PFLTP_OPERATION Operation, PIRP Irp, PIO_STACK_LOCATION Stack, FLT_CALLBACK_DATA_FLAGS Flags);
/* The filter of a node that it had pended has decided.  FALSE: it completed the operation. */
BOOLEAN FltpAfterPended(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status, PVOID Context);
/* Issued: the request is a filter's, and only instances below that filter's see it; else NULL. */
NTSTATUS FltpDispatchVolume(PFLT_VOLUME Volume, PIRP Irp, PFLTP_ISSUED Issued);

/*
 * reissue.c
 */
/* IRQL: <= APC_LEVEL, as annotated.  The operation's request goes once more to those below the instance; its outcome is
 * the callback data's. */
VOID FltpReissue(PFLTP_OPERATION Operation, PFLT_INSTANCE Initiator);
#define FLTP_REISSUE_NOT_SYNCHRONIZED 1
#define FLTP_REISSUE_CALL             2 /* fast I/O or a file-system filter operation */
#define FLTP_REISSUE_INSTANCE         3 /* P4: the instance that was given */
#define FLTP_REISSUE_CHANGED          4 /* and not declared dirty */
#define FLTP_REISSUE_OVER             5 /* P4: the status; a create that has succeeded, or a close */
/* With the verifier on: what holds of any callback data.  Sent: its parameters as they went down before. */
VOID FltpCheckReissue(PFLT_CALLBACK_DATA Data, const FLT_IO_PARAMETER_BLOCK *Sent, NTSTATUS Came);

/*
 * target.c: files that filters opened below an instance.  Every request for one begins below that, as the create did.
 */
typedef struct _FLTP_TARGET {
    FSRTL_PER_FILEOBJECT_CONTEXT OnFile; /* while the file is open */
    PFLT_VOLUME Volume;
    PLIST_ENTRY Above;        /* the Link of the instance it is below, or the volume's Instances: the volume's Lock */
    LIST_ENTRY Link;          /* that instance's Targets: the volume's Lock */
    LIST_ENTRY Live;          /* with the verifier: FltpLiveTargets */
    PFILE_OBJECT File;        /* referenced until the create is over */
    PFILE_OBJECT Opened;      /* for reports; the close takes the target away */
    volatile LONG References; /* the create's, and the file object's */
    BOOLEAN Sent;             /* the create is with the instances */
    BOOLEAN CleanedUp;        /* no handle is left */
    BOOLEAN Returned;         /* a filter got the file object, too */
    PVOID OpenedBy[FLTP_STACK_DEPTH];
} FLTP_TARGET, *PFLTP_TARGET;

extern const GUID FltpTargetType; /* the extra create parameter that carries the target: a PFLTP_TARGET */

/* IRQL: PASSIVE_LEVEL.  Instance: NULL for all of the volume's.  NULL without memory. */
PFLTP_TARGET FltpNewTarget(PFLT_VOLUME Volume, PFLT_INSTANCE Instance);
/* The create's reference goes, and with it that on the file object.  Opened: the file object keeps the target. */
VOID FltpEndTargetedCreate(PFLTP_TARGET Target, BOOLEAN Opened);
NTSTATUS FltpPutTarget(PFLTP_TARGET Target, PFILE_OBJECT FileObject);
/* A create has come to the volume: *Target is its target, or NULL. */
NTSTATUS FltpTakeTargetOfCreate(PFLT_VOLUME Volume, PIRP Irp, PFILE_OBJECT FileObject, PFLTP_TARGET *Target);
/* IRQL: any.  Few files have what io adds to a file object on demand; only those can have a target. */
static inline BOOLEAN FltpMayHaveTarget(PFILE_OBJECT FileObject)
{
    return FileObject != NULL && FileObject->FileObjectExtension != NULL;
}

/* IRQL: <= DISPATCH_LEVEL.  NULL where the file was opened from the top. */
PFLTP_TARGET FltpTargetOfFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject);
/* IRP_MJ_CLEANUP and IRP_MJ_CLOSE. */
VOID FltpEndTargetOfFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject, UCHAR MajorFunction);
/* The instance leaves its volume, whose Lock is held: what was opened below it goes on below the next higher one. */
VOID FltpRaiseTargetsLocked(PFLT_INSTANCE Instance);
/* IRQL: PASSIVE_LEVEL.  Bugchecks when a file is open that code in this range opened. */
VOID FltpCheckFilesAtUnload(PUCHAR Start, PUCHAR End);

/* An operation that came as a call.  TRUE: it goes on to the file system; else its status is there. */
BOOLEAN FltpCallDown(PFLTP_OPERATION Operation);

/*
 * direct.c: operations that come as calls.
 */
/* IRQL: <= APC_LEVEL.  Kind: FLTFL_CALLBACK_DATA_FAST_IO_OPERATION or …_FS_FILTER_OPERATION.  NULL: no instance wants it, or
 * there is no memory, which *Status then says. */
PFLTP_OPERATION FltpBeginDirect(PDEVICE_OBJECT Device, UCHAR MajorFunction, PFILE_OBJECT FileObject,
                                FLT_CALLBACK_DATA_FLAGS Kind, NTSTATUS *Status);
/* The post-callbacks, and the end; the operation's IoStatus, which the call below has left there, is told. */
VOID FltpEndDirect(PFLTP_OPERATION Operation, PIO_STATUS_BLOCK IoStatus);
/* fastio.c, fsfilter.c */
extern FAST_IO_DISPATCH FltpFastIo;
NTSTATUS FltpRegisterFsFilter(PDRIVER_OBJECT DriverObject);

/*
 * parameter.c: between a stack location and a parameter block.  IRQL: any.
 */
VOID FltpParametersFromIrp(PFLT_IO_PARAMETER_BLOCK Iopb, PIRP Irp, PIO_STACK_LOCATION Stack);
VOID FltpParametersToIrp(const FLT_IO_PARAMETER_BLOCK *Iopb, PIRP Irp, PIO_STACK_LOCATION Stack);
BOOLEAN FltpLocateBuffer(PFLT_IO_PARAMETER_BLOCK Iopb, PMDL **Mdl, PVOID **Buffer, PULONG *Length,
                         LOCK_OPERATION *Access);

/*
 * held.c.  IRQL: any.
 */
/* Its callback has returned and left it to the filter; it may be over. */
VOID FltpNoteHeld(const FLTP_OPERATION *Operation);
/* Of one that a filter holds: FltpNow then; 0: not known. */
ULONG64 FltpHeldSince(const FLTP_OPERATION *Operation);
/* With the verifier on: the callback of a node that a filter has (FltpNodePre or FltpNodePost) has not returned. */
BOOLEAN FltpIsInCallback(const FLTP_OPERATION *Operation, const FLTP_NODE *Node);
/* cancel.c: the queue that it is in, or NULL. */
PFLT_CALLBACK_DATA_QUEUE FltpQueueOf(const FLTP_OPERATION *Operation);

/* buffer.c.  IRQL: <= DISPATCH_LEVEL.  Index: how many nodes, from the top, have sent the buffer that the MDL describes. */
VOID FltpGiveMdl(PFLTP_OPERATION Operation, ULONG Index, PMDL Mdl);

/*
 * status.c: those that filters asked for; each is told once and freed.  IRQL: <= APC_LEVEL.
 */
typedef struct _FLTP_STATUS_REQUEST *PFLTP_STATUS_REQUEST;
VOID FltpTellStatus(PFLTP_STATUS_REQUEST Request, NTSTATUS Status);

/*
 * pend.c
 */
extern const FLTP_WORK_KIND FltpSafeKind; /* a post-callback's work that waits for a lower IRQL */

typedef ULONG64 FLTP_PAIR __attribute__((vector_size(16), aligned(8)));

/* All of a parameter block. */
typedef struct _FLTP_PAIRS {
    FLTP_PAIR Pair[4];
    ULONG64 Last;
} FLTP_PAIRS;

C_ASSERT(FIELD_OFFSET(FLTP_PAIRS, Last) + sizeof(ULONG64) == sizeof(FLT_IO_PARAMETER_BLOCK));

/* Whether the parameters are others than they were, and nobody has said so.  Compared here: it is done for each callback. */
FORCEINLINE BOOLEAN FltpIsChangedUndeclared(const FLT_CALLBACK_DATA *Data, const FLT_IO_PARAMETER_BLOCK *Now,
                                            const FLT_IO_PARAMETER_BLOCK *Before)
{
    const FLTP_PAIRS *One = (const FLTP_PAIRS *)Now, *Other = (const FLTP_PAIRS *)Before;
    FLTP_PAIR Differs;

    if (FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY))
        return FALSE;
    Differs = (One->Pair[0] ^ Other->Pair[0]) | (One->Pair[1] ^ Other->Pair[1]) | (One->Pair[2] ^ Other->Pair[2]) |
              (One->Pair[3] ^ Other->Pair[3]);
    return (Differs[0] | Differs[1] | (One->Last ^ Other->Last)) != 0;
}

/* What every operation begins with, whatever it comes as; the rest is its kind's. */
FORCEINLINE VOID FltpDescribe(PFLTP_OPERATION Operation, PIRP Irp, FLT_CALLBACK_DATA_FLAGS Flags, PETHREAD Thread,
                              KPROCESSOR_MODE Mode)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;

    Operation->Irp = Irp;
    Operation->Target = Operation->Volume->Below;
    Operation->Current = 0;
    Operation->Origin = NULL;
    Operation->Homes = 0;
    Operation->Changed = FALSE;
    Operation->NeedCompletion = FALSE;
    Operation->PendingMarked = FALSE;
    Operation->Completed = FALSE;
    Operation->ChangesNames = FALSE;
    Operation->OriginalUserBuffer = Irp != NULL ? Irp->UserBuffer : NULL;
    Operation->OriginalSystemBuffer = Irp != NULL ? Irp->AssociatedIrp.SystemBuffer : NULL;
    Operation->OriginalMdl = Irp != NULL ? Irp->MdlAddress : NULL;
    Data->Flags = Flags;
    *(PETHREAD *)&Data->Thread = Thread;
    *(PFLT_IO_PARAMETER_BLOCK *)&Data->Iopb = &Operation->Iopb;
    Data->IoStatus.Status = STATUS_SUCCESS;
    Data->IoStatus.Information = 0;
    Data->TagData = NULL;
    Data->RequestorMode = Mode;
}

#endif
