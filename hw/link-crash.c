/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A triple fault: the link's side that looks into the processor it happened on.
 *
 * The guest cannot tell any more, but its registers still are those of the instruction it could not get over.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/cpu-all.h"
#include "link.h"

/* In target/i386/tcg/excp_helper.c: hw/patches/0006. */
extern void (*x86_triple_fault)(CPUState *cs);

static FltvmCrashFunc *fltvm_link_crashed;
static void *fltvm_link_crashed_opaque;

/* What the stack holds, as far as it can be read: page tables may be gone. */
static uint32_t fltvm_link_read_stack(CPUState *cs, uint64_t rsp,
                                      uint64_t *words)
{
    uint32_t count = 0;

    while (count < FLTVM_CRASH_WORDS && rsp % 8 == 0 &&
           cpu_memory_rw_debug(cs, rsp + count * 8, &words[count], 8,
                               false) == 0) {
        count++;
    }
    return count;
}

static void fltvm_link_triple_fault(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);
    struct fltvm_crash record = {
        .rip = cpu_to_le64(env->eip),
        .rsp = cpu_to_le64(env->regs[R_ESP]),
        .cr2 = cpu_to_le64(env->cr[2]),
        .cr3 = cpu_to_le64(env->cr[3]),
        .cpu = cpu_to_le32(cs->cpu_index),
    };
    bool locked = bql_locked();

    if (!locked) {
        bql_lock();
    }
    record.words = cpu_to_le32(fltvm_link_read_stack(cs, env->regs[R_ESP],
                                                     record.stack));
    /* The clock may be read in the middle of a block: this one does not go on. */
    cs->neg.can_do_io = true;
    fltvm_link_crashed(fltvm_link_crashed_opaque, &record);
    if (!locked) {
        bql_unlock();
    }
}

void fltvm_link_watch_crash(FltvmCrashFunc *crashed, void *opaque)
{
    fltvm_link_crashed = crashed;
    fltvm_link_crashed_opaque = opaque;
    x86_triple_fault = crashed ? fltvm_link_triple_fault : NULL;
}
