/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the guest's numbers: see names.h.  The build makes the tables: of NTSTATUS from mingw's ntstatus.h, of
 * bugchecks from bugcodes.h and bugchecks.txt. */
#include "names.h"

#include <string.h>

#include "nearest.h"

typedef struct {
    guint32 value;
    const char *name;
} Name;

static const Name statuses[] = {
#include "status_names.inc"
};

/* A code, and what its parameters are when the first of them is from `first` to `last`; 1 to 0: else. */
typedef struct {
    guint32 code;
    const char *name;
    guint64 first, last;
    const char *parameters[4];
} Bugcheck;

static const Bugcheck bugchecks[] = {
#include "bugcheck_names.inc"
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

char *fltvm_status_hint(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++)
        g_ptr_array_add(names, (gpointer)statuses[i].name);
    g_ptr_array_add(names, NULL);
    return fltvm_nearest_hint(name, (const char *const *)names->pdata);
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

char *fltvm_bugcheck_hint(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(bugchecks); i++)
        g_ptr_array_add(names, (gpointer)bugchecks[i].name);
    g_ptr_array_add(names, NULL);
    return fltvm_nearest_hint(name, (const char *const *)names->pdata);
}

const char *fltvm_bugcheck_parameter(guint32 code, guint64 first, guint index)
{
    const Bugcheck *bugcheck = find_bugcheck(code);
    const char *meaning = bugcheck && index < 4 ? bugcheck->parameters[index] : NULL;

    for (const Bugcheck *end = bugchecks + G_N_ELEMENTS(bugchecks);
         bugcheck && index < 4 && bugcheck < end && bugcheck->code == code; bugcheck++) {
        if (first >= bugcheck->first && first <= bugcheck->last && bugcheck->parameters[index])
            return bugcheck->parameters[index];
    }
    return meaning;
}

const char *fltvm_irql_name(guint irql)
{
    static const char *const names[16] = {"PASSIVE",  "APC",     "DISPATCH", "DIRQL 3", "DIRQL 4",  "DIRQL 5",
                                          "DIRQL 6",  "DIRQL 7", "DIRQL 8",  "DIRQL 9", "DIRQL 10", "DIRQL 11",
                                          "DIRQL 12", "CLOCK",   "IPI",      "HIGH"};

    return irql < G_N_ELEMENTS(names) ? names[irql] : "IRQL ?";
}

const char *fltvm_thread_state_name(guint state)
{
    static const char *const names[] = {
        "initialized", "ready",      "running",        "standby",   "terminated",
        "waiting",     "transition", "deferred ready", "gate wait", "waiting for swap-in"};

    return state < G_N_ELEMENTS(names) ? names[state] : "in an unknown state";
}

const char *fltvm_wait_reason_name(guint reason)
{
    static const char *const names[] = {
        "Executive",        "FreePage",         "PageIn",       "PoolAllocation",   "DelayExecution",
        "Suspended",        "UserRequest",      "WrExecutive",  "WrFreePage",       "WrPageIn",
        "WrPoolAllocation", "WrDelayExecution", "WrSuspended",  "WrUserRequest",    "WrEventPair",
        "WrQueue",          "WrLpcReceive",     "WrLpcReply",   "WrVirtualMemory",  "WrPageOut",
        "WrRendezvous",     "WrKeyedEvent",     "WrTerminated", "WrProcessInSwap",  "WrCpuRateControl",
        "WrCalloutStack",   "WrKernel",         "WrResource",   "WrPushLock",       "WrMutex",
        "WrQuantumEnd",     "WrDispatchInt",    "WrPreempted",  "WrYieldExecution", "WrFastMutex",
        "WrGuardedMutex",   "WrRundown"};

    return reason < G_N_ELEMENTS(names) ? names[reason] : "?";
}
