# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults to put into the code, one at a time, to see whether the tests notice: for scripts/mutants.py.

(name, file, text that is there once, what takes its place, what then is wrong, suites that should notice); several texts of
one file are a list.
"""

FLTMGR = ['fltmgr', 'drivers']
KERNEL = ['kernel', 'fltmgr', 'drivers']

# A first list: each of these went unnoticed once.
KNOWN = [
    ('F02', 'fltmgr/work/generic.c', 'if (!FltpAcquireRundown(&Object->Rundown))',
     'if (Object->Magic != FLTP_MAGIC_INSTANCE && !FltpAcquireRundown(&Object->Rundown))',
     'work queued for an instance is not refused during its teardown', FLTMGR),
    ('P01', 'guest/mm/pool.c', 'MiPoolBugCheck("written-past-end", Address, Caller, BAD_POOL_HEADER, 0x20', 'if (0) MiPoolBugCheck("", Address, Caller, BAD_POOL_HEADER, 0x20',
     'writes past the end of an ordinary block are not found', KERNEL),
    ('F03', 'fltmgr/work/item.c', 'if (FltpVerify && FltpRestingCount < 2 * FLTP_RESTING_ITEMS) {', 'if (FltpVerify) {',
     'freed items never go back to nonpaged pool', FLTMGR),
    ('F05', 'fltmgr/work/inc/work.h', '(ULONG)Queue <= DelayedWorkQueue &&', '(!FltpVerify || (ULONG)Queue <= DelayedWorkQueue) &&',
     'without the verifier a reserved queue type is taken', FLTMGR),
    ('F06', 'fltmgr/work/deferred.c', ' || FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))', ')', 'FltQueueDeferredIoWorkItem takes paging I/O', FLTMGR),
    ('F07', 'fltmgr/work/deferred.c', 'return KeGetCurrentIrql() >= DISPATCH_LEVEL || IoGetTopLevelIrp() == NULL;', 'return TRUE;',
     'FltQueueDeferredIoWorkItem ignores the top-level IRP', FLTMGR),
    ('F08', 'fltmgr/work/deferred.c', ' || Data->Iopb->TargetInstance->TearingDown)', ')',
     'FltQueueDeferredIoWorkItem does not refuse while the instance is torn down', FLTMGR),
    ('F09', 'fltmgr/operation/pend.c', '''        FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO)) {''', '        FALSE) {',
     'FltDoCompletionProcessingWhenSafe posts paging I/O', FLTMGR),
    ('F11', 'fltmgr/operation/pend.c', 'if (Status != FLT_PREOP_COMPLETE && KeGetCurrentIrql() > APC_LEVEL)', 'if (FALSE)',
     'FltCompletePendedPreOperation (not COMPLETE) at DISPATCH_LEVEL is not reported', FLTMGR),
    ('F13', 'fltmgr/core/instance.c', '    FltpWaitForIo(Instance);\n    if (Registration->InstanceTeardownCompleteCallback', '    if (Registration->InstanceTeardownCompleteCallback',
     'the teardown-complete callback is called before operations are over', FLTMGR),
    ('F14', 'fltmgr/core/instance.c', '    Status = STATUS_FLT_DO_NOT_DETACH;', '    Status = STATUS_SUCCESS;',
     'a manual detach is allowed without a query-teardown callback', FLTMGR),
    ('F16', 'fltmgr/core/filter.c', 'Filter->Mandatory ? FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD', 'FALSE ? FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD',
     'a mandatory unload does not tell its teardown reason', FLTMGR),
    ('F17', 'fltmgr/operation/block.c', 'if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO) && Paging)', 'if (FALSE)', 'SKIP_PAGING_IO is ignored', FLTMGR),
    ('W14', 'fltmgr/operation/block.c', 'if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO) && Cached && !Paging)', 'if (FALSE)', 'SKIP_CACHED_IO is ignored', FLTMGR),
    ('F19', 'fltmgr/operation/cancel.c', 'if (!Irp->Cancel || IoSetCancelRoutine(Irp, NULL) == NULL)', 'if (TRUE)',
     'FltCbdqInsertIo takes an already cancelled operation', FLTMGR),
    ('F20', 'fltmgr/operation/cancel.c', 'if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL)', 'if (FALSE)',
     'FltSetCancelCompletion does not see an already cancelled request', FLTMGR),
    ('W02', 'fltmgr/core/rundown.c', '''    if (!FltpAcquireRundown(&Object->Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    FltpHandOut(Object);''', '    FltpAcquireRundown(&Object->Rundown);\n    FltpHandOut(Object);', 'FltObjectReference never fails', FLTMGR),
    ('W03', 'fltmgr/operation/pend.c', 'if (FltpVerify && (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || Operation->Magic == FLTP_MAGIC_DRAINED))', 'if (FALSE)',
     'FltDoCompletionProcessingWhenSafe while draining is not reported', FLTMGR),
    ('W04', 'fltmgr/operation/pend.c', '''    if (Status != FLT_PREOP_COMPLETE && Status != FLT_PREOP_SUCCESS_NO_CALLBACK &&
        Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)''', '    if (FALSE)', 'FltCompletePendedPreOperation takes PENDING and SYNCHRONIZE', FLTMGR),
    ('W05', 'fltmgr/core/filter.c', '    if (!Known)\n        return STATUS_INVALID_PARAMETER;', '', 'FltRegisterFilter takes an unknown version', FLTMGR),
    ('W06', 'fltmgr/core/filter.c', ' || InterlockedExchange(&Filter->Started, TRUE))', ' || (InterlockedExchange(&Filter->Started, TRUE), FALSE))',
     'FltStartFiltering may be called twice', FLTMGR),
    ('W07', 'fltmgr/work/inc/work.h', 'FltpItemIdle) != FltpItemIdle)', 'FltpItemIdle) != FltpItemIdle && Item->Magic == FLTP_MAGIC_GENERIC)',
     'a deferred item queued twice is not found', FLTMGR),
    ('W08', 'guest/io/workitem.c', ['    ObReferenceObject(Item->IoObject);', '    ObDereferenceObject(IoObject);'], ['', ''],
     'an I/O work item does not hold its device object', KERNEL),
    ('W13', 'fltmgr/operation/up.c', ' || FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)) {', ') {',
     'MORE_PROCESSING_REQUIRED while draining is not reported', FLTMGR),
    ('P02', 'guest/mm/pool.c', 'MiPoolBugCheck("wrong-tag", Address, Caller, BAD_POOL_CALLER, 0xA, Base, Pfn->Tag, Tag)', '(VOID)0', 'the wrong tag of a big allocation is not found', KERNEL),
    ('P03', 'guest/mm/pool.c', '    if (Block->Owner != MM_OWNER_KERNEL && !Paged)\n        KeCheckMemoryRange(Address, Block->Size);', '',
     'freeing a small block with a live kernel object in it is not checked', KERNEL),
    ('K02', 'guest/ke/dpc.c', 'Depth >= KI_DPC_DEPTH_LIMIT ||\n        Target->IdleActive) {', 'Depth >= KI_DPC_DEPTH_LIMIT) {',
     'a medium DPC for an idle processor does not wake it', KERNEL),
    ('K04', 'guest/ke/wait.c', 'if (!Thread->BoostDisabled && Boosted > Thread->Priority) {', 'if (FALSE && Boosted) {', 'no priority boost after a wait', KERNEL),
    ('K06', 'guest/ke/spinlock.c', '''        if (!(Value & (EX_LOCK_EXCLUSIVE | EX_LOCK_WAITER)) &&
            InterlockedCompareExchange(Lock, Value + 1, Value) == Value) {
            return;''', '''        if (!(Value & EX_LOCK_EXCLUSIVE) &&
            InterlockedCompareExchange(Lock, Value + 1, Value) == Value) {
            return;''', 'readers pass a waiting writer of an executive spin lock', KERNEL),
    ('K07', 'guest/ke/spinlock.c', '    KiRequireDispatch(SpinLock, KiReleaseNotAtDispatch);', '', 'KeReleaseSpinLock below DISPATCH_LEVEL is not reported', KERNEL),
    ('W15', 'guest/ke/queue.c', ' || Queue->CurrentCount >= Queue->MaximumCount) {', ') {', 'a queue lets more threads run than processors', KERNEL),
    ('I02', 'guest/io/complete.c', '''        if (FileObject != NULL) {
            if (EventReferenced) {
                ObDereferenceObject(Irp->UserEvent);''', '''        if (FileObject != NULL) {
            if (EventReferenced && NT_SUCCESS(Irp->IoStatus.Status)) {
                ObDereferenceObject(Irp->UserEvent);''', 'a failed request keeps its event referenced', KERNEL),
    ('H04', 'hw/hba-exec.c', '        if (fltvm_hba_conflict(command, other)) {', '        if (0 && fltvm_hba_conflict(command, other)) {',
     'overlapping commands are not ordered', ['qtest', 'drivers']),
    ('W11', 'fltmgr/core/instance.c', '    FltpSetInstanceState(Instance, FltpInstanceTeardown);', '',
     'an instance in teardown goes on seeing new operations', FLTMGR),
]

# A second list, over the whole tree.
NEW = [
    ('N01', 'guest/ldr/pe.c', '    if (Pe->EntryPoint == 0)\n        return "the image has no entry point";', '    if (Pe->EntryPoint == 0)\n        return NULL;',
     'an image without an entry point is taken', ['unit', 'kernel']),
    ('N02', 'guest/ldr/import.c', '    From->References++;', '', 'an image that another imports from is unmapped', ['kernel']),
    ('N03', 'guest/ldr/pe.c', 'if (Header.VirtualAddress % LDRP_PAGE != 0)', 'if (FALSE)', 'sections need not be page-aligned', ['unit', 'kernel']),
    ('N04', 'guest/ke/timer.c', '    if (Timer->Period != 0) {', '    if (FALSE) {', 'a periodic timer comes once', KERNEL),
    ('N05', 'fltmgr/work/item.c', '        if ((PUCHAR)Item->Owner >= Start && (PUCHAR)Item->Owner < End) {', '        if (FALSE) {', 'items never freed are not reported at unload', FLTMGR),
    ('N06', 'fltmgr/operation/up.c', '    *(PFLT_IO_PARAMETER_BLOCK *)&Copy->Data.Iopb = &Copy->Iopb;', '    *(PFLT_IO_PARAMETER_BLOCK *)&Copy->Data.Iopb = &Operation->Iopb;',
     'a draining callback is given the live parameters', FLTMGR),
    ('N07', 'fltmgr/operation/up.c', '        else if (!FlagOn(Node->Flags, FLTP_NODE_SWAPPED) &&', '        else if (', 'an operation with swapped buffers is drained', FLTMGR),
    ('N08', 'fltmgr/work/item.c', '    if (FltpVerify && !FvIsCode(Routine))', '    if (FALSE)', 'a NULL routine is not found where it is queued', FLTMGR),
    ('N09', 'fltmgr/work/item.c', '    FvEndCall(&Call, Work.Routine, Kind->Routine, (ULONG_PTR)Item);', '', 'what a work routine leaves behind is not found', FLTMGR),
    ('N10', 'fltmgr/core/instance.c', '    if (!Ours)\n        return STATUS_FLT_DELETING_OBJECT;', '    if (!Ours)\n        return STATUS_SUCCESS;',
     'FltDetachVolume of what is going says success', FLTMGR),
    ('N11', 'fltmgr/operation/pend.c', '    if (Context != NULL && Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)', '    if (FALSE)', 'a context with COMPLETE is not reported', FLTMGR),
    ('N12', 'fltmgr/operation/block.c', '    return FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_CACHED_NON_PAGING_IO) && !Cached && !Paging;', '    return FALSE;',
     'SKIP_NON_CACHED_NON_PAGING_IO is ignored', FLTMGR),
    ('N13', 'guest/ke/dpc.c', 'KiVerify(Dpc->Type == DpcObject || Dpc->Type == ThreadedDpcObject,', 'KiVerify(TRUE,', 'a DPC that was never initialized is taken', KERNEL),
    ('N14', 'guest/mm/pool.c', '    if (Block->Owner != MM_OWNER_KERNEL && FvVerifierEnabled())\n        memset(Block + 1, 0xF5, Block->Size);', '', 'freed memory keeps its contents', KERNEL),
    ('N15', 'guest/mm/pool.c', '        if (Address[Size + Index] != MI_SLACK)', '        if (FALSE)', 'writes behind a big allocation are not found', KERNEL),
    ('N16', 'guest/io/workitem.c', '    if (!KeIsRoutine(Routine)) {', '    if (FALSE) {', 'an I/O work item without a routine is taken', KERNEL),
    ('N17', 'guest/ke/queue.c', 'Queue->MaximumCount = Count != 0 ? Count : KiProcessorCount;', 'Queue->MaximumCount = Count != 0 ? Count : 1;',
     'a queue lets one thread run, however many processors there are', KERNEL),
    ('N18', 'fltmgr/operation/cancel.c', '    return Irp != NULL && Irp->Cancel;', '    return FALSE;', 'FltIsIoCanceled never says so', FLTMGR),
    ('N19', 'fltmgr/operation/cancel.c', '        return STATUS_FLT_DELETING_OBJECT; /* a copy', '        Status = STATUS_FLT_DELETING_OBJECT; /* a copy',
     'a draining callback may queue its copy', FLTMGR),
    ('N20', 'host/report/symbols.c', '(symbol->is_return ? 1 : 0)', '0', 'return addresses are shown by the next line', ['host', 'fltmgr', 'kernel']),
    ('N21', 'host/lua/compile.c', "(p[1] == ' ' || p[1] == '#')", "(p[1] == ' ')", 'sources in a folder with # are never found changed', ['host', 'cli']),
    ('N22', 'sdk/toolchain/cc', "if os.path.exists(name) and os.path.samefile(name, other):", "if False:", 'a source is overwritten by its driver', ['cli']),
    ('N23', 'hw/hba-exec.c', '    return a->lba < b->lba + b->blocks && b->lba < a->lba + a->blocks;', '    return a->lba == b->lba;', 'only commands of one address are ordered', ['qtest', 'drivers']),
    ('N24', 'guest/ldr/import.c', '        Image = LdrpFindForwarded(Forwarder, (SIZE_T)(Dot - Forwarder));',
     '        Image = NULL;', 'forwarders are not followed', ['kernel']),
    ('N25', 'guest/ldr/load.c', '        if (LdrpHoldsUnwindData(', '        if (0 && LdrpHoldsUnwindData(', 'unwind data is discarded', ['kernel']),
    ('N26', 'fltmgr/operation/down.c', '    if (Status == FLT_PREOP_SYNCHRONIZE && Home != NULL)', '    if (FALSE)', 'SYNCHRONIZE does not bring the post-callback home', FLTMGR),
    ('N27', 'fltmgr/operation/down.c', '    FltpReleaseBelow(Operation, Operation->Current + 1);', '', 'an operation completed above leaves references below', FLTMGR),
    ('N28', 'fltmgr/operation/down.c', '    if (Node->Instance->TearingDown)\n        FltpDrainLateNode(Operation, Node);', '', 'a post-callback that is due late is not drained', FLTMGR),
    ('N29', 'guest/io/complete.c', '        KeSetEvent(Irp->UserEvent, 0, FALSE);\n        if (FileObject != NULL) {', '        if (FileObject != NULL) {', 'a completed request does not set its event', KERNEL),
    ('N30', 'fltmgr/work/generic.c', "    FltpReleaseRundown(&((PFLTP_OBJECT)Object)->Rundown);", '', 'work that is done keeps its filter', FLTMGR),
    ('N31', 'guest/ke/bugcheck.c', '    if (!KiDriverVerifierOn || KiBugCheckActive) {\n        return;\n    }\n    _snprintf(Text, sizeof(Text) - 1, "assertion=',
     '    if (TRUE) {\n        return;\n    }\n    _snprintf(Text, sizeof(Text) - 1, "assertion=', 'what the kernel takes for granted is not looked at', KERNEL),
    ('N32', 'guest/io/mdl.c', '    if (Start < SourceStart || Start > End || Length > End - Start) {', '    if (Start < SourceStart || Start > End) {',
     'a part of an MDL may go beyond it', KERNEL),
    ('N33', 'guest/io/mdl.c', '    if (Pages > Room && Pages < 0x1000) {', '    if (FALSE) {', 'a part of an MDL need not fit', KERNEL),
    ('N34', 'guest/ex/rundown.c', '    if (!(RunRef->Count & EXP_RUNDOWN_ACTIVE) && FvVerifierEnabled()) {', '    if (FALSE) {',
     'run-down protection in use may be initialized again', KERNEL),
    ('N35', 'guest/ex/pushlock.c', '    if ((Flags & ~EXP_PUSH_VALID_FLAGS) != 0 && FvVerifierEnabled()) {', '    if (FALSE) {', 'a push lock takes any flags', KERNEL),
    ('N36', 'guest/ke/spinlock.c', '                KiCheckSpinCircle(SpinLock, Thread);', '', 'a circle of spin locks is not told', KERNEL),
]
