/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace points (fltvm/tracepoint.h): the link's side that looks into a processor.
 *
 * Everything is read, nothing written: a guest that is watched cannot know it.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "exec/cpu-all.h"
#include "hw/i386/apic.h"
#include "system/hw_accel.h"
#include "fltvm/tracepoint.h"
#include "link.h"

/* In target/i386/tcg/emit.c.inc: hw/patches/0005. */
extern uint16_t x86_trace_port;

void fltvm_link_trace_points(uint16_t port)
{
    x86_trace_port = port;
}

/* What stands at GS:OFFSET; 0 where nothing is mapped, as in a guest that is not up yet. */
static uint64_t fltvm_link_read_gs(CPUState *cs, uint32_t offset, size_t size)
{
    CPUX86State *env = cpu_env(cs);
    uint64_t value = 0;

    if (cpu_memory_rw_debug(cs, env->segs[R_GS].base + offset, &value, size,
                            false) != 0) {
        return 0;
    }
    return le64_to_cpu(value);
}

bool fltvm_link_trace_record(uint32_t point, struct fltvm_trace_record *record)
{
    CPUState *cs = current_cpu;
    CPUX86State *env;

    if (!cs || (point & FLTVM_TRACEPOINT_MASK) != FLTVM_TRACEPOINT_MAGIC) {
        return false;
    }
    cpu_synchronize_state(cs);
    env = cpu_env(cs);
    record->cpu = fltvm_link_read_gs(cs, FLTVM_TRACEPOINT_GS_PROCESSOR, 4);
    record->irql = cpu_get_apic_tpr(env_archcpu(env)->apic_state);
    record->event = cpu_to_le16(FLTVM_TRACEPOINT_EVENT(point));
    record->thread =
        cpu_to_le64(fltvm_link_read_gs(cs, FLTVM_TRACEPOINT_GS_THREAD, 8));
    for (int i = 0; i < ARRAY_SIZE(record->args); i++) {
        uint32_t number = FLTVM_TRACEPOINT_REGISTER(point, i);

        record->args[i] = number == FLTVM_TRACEPOINT_NONE ?
                          0 : cpu_to_le64(env->regs[number]);
    }
    return true;
}
