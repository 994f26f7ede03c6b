/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the guest's numbers: see names.h.  The NTSTATUS table is made by the build from mingw's ntstatus.h. */
#include "names.h"

#include <string.h>

typedef struct {
    guint32 value;
    const char *name;
} Name;

static const Name statuses[] = {
#include "status_names.inc"
};

typedef struct {
    guint32 code;
    const char *name;
    const char *parameters[4];
} Bugcheck;

#define MEMORY_PARAMETERS {"address referenced", "IRQL", "0 read, 1 write, 8 execute", "instruction"}
#define EXCEPTION_PARAMETERS {"exception code", "instruction", "exception parameter 0", "exception parameter 1"}

static const Bugcheck bugchecks[] = {
    {0x00, "TRIPLE_FAULT", {"instruction", "stack pointer", "address that faulted last (CR2)", "page table (CR3)"}},
    {0x01, "APC_INDEX_MISMATCH", {"system call", "APC environment, special APC disable", NULL, NULL}},
    {0x05, "INVALID_PROCESS_ATTACH_ATTEMPT", {"process", "process attached to", NULL, "1 in a DPC"}},
    {0x08, "IRQL_NOT_DISPATCH_LEVEL", {"lock", "IRQL", NULL, NULL}},
    {0x09, "IRQL_NOT_GREATER_OR_EQUAL", {"current IRQL", "IRQL asked for", NULL, "caller"}},
    {0x0A, "IRQL_NOT_LESS_OR_EQUAL", MEMORY_PARAMETERS},
    {0x0C, "MAXIMUM_WAIT_OBJECTS_EXCEEDED", {"objects", NULL, NULL, NULL}},
    {0x0F, "SPIN_LOCK_ALREADY_OWNED", {"lock", "owner", "thread", NULL}},
    {0x10, "SPIN_LOCK_NOT_OWNED", {"lock", "owner", "thread", NULL}},
    {0x18, "REFERENCE_BY_POINTER", {"object type", "object", NULL, "reference count"}},
    {0x19, "BAD_POOL_HEADER", {"kind", "pool entry", NULL, NULL}},
    {0x1E, "KMODE_EXCEPTION_NOT_HANDLED", EXCEPTION_PARAMETERS},
    {0x20, "KERNEL_APC_PENDING_DURING_EXIT", {"APC", "APC disable count", "IRQL", NULL}},
    {0x24, "NTFS_FILE_SYSTEM", {NULL, NULL, NULL, NULL}},
    {0x2E, "DATA_BUS_ERROR", {NULL, NULL, NULL, NULL}},
    {0x31, "PHASE0_INITIALIZATION_FAILED", {"status", "phase", NULL, NULL}},
    {0x32, "PHASE1_INITIALIZATION_FAILED", {"status", "phase", NULL, NULL}},
    {0x35, "NO_MORE_IRP_STACK_LOCATIONS", {"IRP", NULL, NULL, NULL}},
    {0x39, "SYSTEM_EXIT_OWNED_MUTEX", {NULL, NULL, NULL, NULL}},
    {0x3B, "SYSTEM_SERVICE_EXCEPTION", {"exception code", "instruction", "context record", NULL}},
    {0x3D, "INTERRUPT_EXCEPTION_NOT_HANDLED", {NULL, NULL, NULL, NULL}},
    {0x44, "MULTIPLE_IRP_COMPLETE_REQUESTS", {"IRP", NULL, NULL, NULL}},
    {0x48, "CANCEL_STATE_IN_COMPLETED_IRP", {"IRP", "cancel routine", NULL, NULL}},
    {0x4A, "IRQL_GT_ZERO_AT_SYSTEM_SERVICE", {"system call", "IRQL", NULL, NULL}},
    {0x4E, "PFN_LIST_CORRUPT", {"kind", NULL, NULL, NULL}},
    {0x50, "PAGE_FAULT_IN_NONPAGED_AREA", {"address referenced", "0 read, 2 write, 16 execute", "instruction", "kind"}},
    {0x76, "PROCESS_HAS_LOCKED_PAGES", {"kind", "process", "locked pages", NULL}},
    {0x7A, "KERNEL_DATA_INPAGE_ERROR", {NULL, "status", NULL, "address"}},
    {0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", {"exception code", "instruction", "exception record", "context record"}},
    {0x7F, "UNEXPECTED_KERNEL_MODE_TRAP", {"trap number", NULL, NULL, NULL}},
    {0x8E, "KERNEL_MODE_EXCEPTION_NOT_HANDLED", EXCEPTION_PARAMETERS},
    {0x9C, "MACHINE_CHECK_EXCEPTION", {NULL, NULL, NULL, NULL}},
    {0x9F, "DRIVER_POWER_STATE_FAILURE", {"kind", NULL, NULL, NULL}},
    {0xB8, "ATTEMPTED_SWITCH_FROM_DPC", {"thread switched from", "thread switched to", "stack limit", NULL}},
    {0xBE, "ATTEMPTED_WRITE_TO_READONLY_MEMORY", {"address", "page table entry", NULL, NULL}},
    {0xBF, "MUTEX_ALREADY_OWNED", {"mutex", "thread", "owner", "caller"}},
    {0xC1, "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION", {"address", "kind", NULL, "kind"}},
    {0xC2, "BAD_POOL_CALLER", {"kind", "pool type or address", NULL, NULL}},
    {0xC4, "DRIVER_VERIFIER_DETECTED_VIOLATION", {"rule", NULL, NULL, NULL}},
    {0xC5, "DRIVER_CORRUPTED_EXPOOL", MEMORY_PARAMETERS},
    {0xC7, "TIMER_OR_DPC_INVALID", {"kind", "object", NULL, NULL}},
    {0xC8, "IRQL_UNEXPECTED_VALUE", {"current and expected IRQL", "APC state", "APC", NULL}},
    {0xC9, "DRIVER_VERIFIER_IOMANAGER_VIOLATION", {"rule", NULL, NULL, NULL}},
    {0xCA, "PNP_DETECTED_FATAL_ERROR", {"kind", NULL, NULL, NULL}},
    {0xCB, "DRIVER_LEFT_LOCKED_PAGES_IN_PROCESS", {"caller", NULL, "MDL", "pages"}},
    {0xCC, "PAGE_FAULT_IN_FREED_SPECIAL_POOL", {"address referenced", "0 read, 1 write", "instruction", "pool"}},
    {0xCD, "PAGE_FAULT_BEYOND_END_OF_ALLOCATION", {"address referenced", "0 read, 1 write", "instruction", NULL}},
    {0xCE, "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
     {"address referenced", "0 read, 1 write", "instruction", NULL}},
    {0xD0, "DRIVER_CORRUPTED_MMPOOL", MEMORY_PARAMETERS},
    {0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL", MEMORY_PARAMETERS},
    {0xD3, "DRIVER_PORTION_MUST_BE_NONPAGED", MEMORY_PARAMETERS},
    {0xD5, "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL", {"address referenced", "0 read, 1 write", "instruction", NULL}},
    {0xD6, "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
     {"address referenced", "0 read, 1 write", "instruction", NULL}},
    {0xD9, "LOCKED_PAGES_TRACKER_CORRUPTION", {"kind", NULL, NULL, NULL}},
    {0xDE, "POOL_CORRUPTION_IN_FILE_AREA", {NULL, NULL, NULL, NULL}},
    {0xE2, "MANUALLY_INITIATED_CRASH", {NULL, NULL, NULL, NULL}},
    {0xE3, "RESOURCE_NOT_OWNED", {"resource", "thread", "owner table", NULL}},
    {0xE4, "WORKER_INVALID", {"kind", "address of the work item", NULL, NULL}},
    {0xE6, "DRIVER_VERIFIER_DMA_VIOLATION", {"kind", NULL, NULL, NULL}},
    {0xEA, "THREAD_STUCK_IN_DEVICE_DRIVER", {"thread", NULL, NULL, NULL}},
    {0xF1, "SCSI_VERIFIER_DETECTED_VIOLATION", {NULL, NULL, NULL, NULL}},
    {0xF5, "FLTMGR_FILE_SYSTEM", {"kind", NULL, NULL, NULL}},
    {0xF7, "DRIVER_OVERRAN_STACK_BUFFER", {"cookie found", "cookie expected", "complement", NULL}},
    {0xFC, "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY", {"address", "page table entry", NULL, NULL}},
    {0x101, "CLOCK_WATCHDOG_TIMEOUT", {"ticks", NULL, "PRCB", "processor"}},
    {0x109, "CRITICAL_STRUCTURE_CORRUPTION", {NULL, NULL, NULL, NULL}},
    {0x10D, "WDF_VIOLATION", {NULL, NULL, NULL, NULL}},
    {0x121, "DRIVER_VIOLATION", {"kind", NULL, NULL, NULL}},
    {0x133, "DPC_WATCHDOG_VIOLATION", {"0 one DPC, 1 all together", "ticks", "limit", NULL}},
    {0x139, "KERNEL_SECURITY_CHECK_FAILURE", {"kind", "trap frame", "exception record", NULL}},
    {0x13A, "KERNEL_MODE_HEAP_CORRUPTION", {"kind", NULL, NULL, NULL}},
    {0x1AA, "EXCEPTION_ON_INVALID_STACK", {NULL, NULL, NULL, NULL}},
    {0x1C7, "STORE_DATA_STRUCTURE_CORRUPTION", {NULL, NULL, NULL, NULL}},
    {0x4000008Au, "THREAD_TERMINATE_HELD_MUTEX", {"thread", "mutex", NULL, NULL}},
    {0xC000021Au, "STATUS_SYSTEM_PROCESS_TERMINATED", {NULL, NULL, NULL, NULL}},
    {0xDEADDEADu, "MANUALLY_INITIATED_CRASH1", {NULL, NULL, NULL, NULL}},
};

const char *fltvm_status_name(guint32 status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (statuses[i].value == status)
            return statuses[i].name;
    }
    return NULL;
}

gboolean fltvm_status_value(const char *name, guint32 *status)
{
    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (strcmp(statuses[i].name, name) == 0) {
            *status = statuses[i].value;
            return TRUE;
        }
    }
    return FALSE;
}

char *fltvm_status_text(guint32 status)
{
    const char *name = fltvm_status_name(status);

    return name ? g_strdup(name) : g_strdup_printf("0x%08X", status);
}

static const Bugcheck *find_bugcheck(guint32 code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bugchecks); i++) {
        if (bugchecks[i].code == code)
            return &bugchecks[i];
    }
    return NULL;
}

const char *fltvm_bugcheck_name(guint32 code)
{
    const Bugcheck *bugcheck = find_bugcheck(code);

    return bugcheck ? bugcheck->name : NULL;
}

gboolean fltvm_bugcheck_value(const char *name, guint32 *code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bugchecks); i++) {
        if (strcmp(bugchecks[i].name, name) == 0) {
            *code = bugchecks[i].code;
            return TRUE;
        }
    }
    return FALSE;
}

const char *fltvm_bugcheck_parameter(guint32 code, guint index)
{
    const Bugcheck *bugcheck = find_bugcheck(code);

    return bugcheck && index < 4 ? bugcheck->parameters[index] : NULL;
}

const char *fltvm_irql_name(guint irql)
{
    static const char *const names[16] = {"PASSIVE", "APC",     "DISPATCH", "DIRQL 3", "DIRQL 4", "DIRQL 5",
                                          "DIRQL 6", "DIRQL 7", "DIRQL 8",  "DIRQL 9", "DIRQL 10", "DIRQL 11",
                                          "DIRQL 12", "CLOCK",  "IPI",      "HIGH"};

    return irql < G_N_ELEMENTS(names) ? names[irql] : "IRQL ?";
}

const char *fltvm_thread_state_name(guint state)
{
    static const char *const names[] = {"initialized", "ready",      "running", "standby",
                                        "terminated",  "waiting",    "transition", "deferred ready",
                                        "gate wait",   "waiting for swap-in"};

    return state < G_N_ELEMENTS(names) ? names[state] : "in an unknown state";
}

const char *fltvm_wait_reason_name(guint reason)
{
    static const char *const names[] = {
        "Executive",      "FreePage",        "PageIn",          "PoolAllocation", "DelayExecution",
        "Suspended",      "UserRequest",     "WrExecutive",     "WrFreePage",     "WrPageIn",
        "WrPoolAllocation", "WrDelayExecution", "WrSuspended",  "WrUserRequest",  "WrEventPair",
        "WrQueue",        "WrLpcReceive",    "WrLpcReply",      "WrVirtualMemory", "WrPageOut",
        "WrRendezvous",   "WrKeyedEvent",    "WrTerminated",    "WrProcessInSwap", "WrCpuRateControl",
        "WrCalloutStack", "WrKernel",        "WrResource",      "WrPushLock",     "WrMutex",
        "WrQuantumEnd",   "WrDispatchInt",   "WrPreempted",     "WrYieldExecution", "WrFastMutex",
        "WrGuardedMutex", "WrRundown"};

    return reason < G_N_ELEMENTS(names) ? names[reason] : "?";
}
