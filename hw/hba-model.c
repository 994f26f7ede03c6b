/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: the service-time model.
 *
 * Every command takes a constant virtual time, by operation.  Commands do not wait for one another; those
 * that are due at the same time complete in the order in which they were fetched.  The one timer runs at
 * the earliest due time and takes exactly those commands that are due, whatever the host has finished.
 */

#include "qemu/osdep.h"
#include "hba.h"
#include "trace.h"

/* A due time that never comes. */
#define FLTVM_HBA_NEVER INT64_MAX

uint64_t fltvm_hba_service_ns(FltvmHbaState *s, uint8_t opcode)
{
    switch (opcode) {
    case FLTVM_HBA_OP_READ:
        return s->read_ns;
    case FLTVM_HBA_OP_WRITE:
        return s->write_ns;
    case FLTVM_HBA_OP_FLUSH:
        return s->flush_ns;
    default:
        return s->command_ns;
    }
}

/* Now plus both, or the last instant before never. */
static int64_t fltvm_hba_due(uint64_t service, uint64_t extra)
{
    uint64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    uint64_t room = FLTVM_HBA_NEVER - 1 - now;

    if (service > room || extra > room - service) {
        return FLTVM_HBA_NEVER - 1;
    }
    return now + service + extra;
}

/* Behind those that are due earlier or at the same time. */
static void fltvm_hba_insert(FltvmHbaState *s, FltvmHbaCommand *command)
{
    FltvmHbaCommand *other;

    QTAILQ_FOREACH_REVERSE(other, &s->commands, entry) {
        if (other->due <= command->due) {
            QTAILQ_INSERT_AFTER(&s->commands, other, command, entry);
            return;
        }
    }
    QTAILQ_INSERT_HEAD(&s->commands, command, entry);
}

void fltvm_hba_schedule(FltvmHbaState *s, FltvmHbaCommand *command,
                        uint64_t service, uint64_t extra)
{
    command->due = fltvm_hba_due(service, extra);
    fltvm_hba_insert(s, command);
    trace_fltvm_hba_schedule(command->queue, command->id, command->due);
}

void fltvm_hba_schedule_never(FltvmHbaState *s, FltvmHbaCommand *command)
{
    command->due = FLTVM_HBA_NEVER;
    fltvm_hba_insert(s, command);
    trace_fltvm_hba_schedule(command->queue, command->id, command->due);
}

static void fltvm_hba_move(FltvmHbaState *s, FltvmHbaCommand *command,
                           int64_t due)
{
    QTAILQ_REMOVE(&s->commands, command, entry);
    command->due = due;
    fltvm_hba_insert(s, command);
}

/* Bring forward: a command that is due earlier anyway keeps its time. */
void fltvm_hba_reschedule(FltvmHbaState *s, FltvmHbaCommand *command,
                          uint64_t service)
{
    int64_t due = fltvm_hba_due(service, 0);

    if (due < command->due) {
        fltvm_hba_move(s, command, due);
    }
    trace_fltvm_hba_schedule(command->queue, command->id, command->due);
}

void fltvm_hba_let_pass(FltvmHbaState *s, uint64_t serial)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    FltvmHbaCommand *command, *next;

    QTAILQ_FOREACH_SAFE(command, &s->commands, entry, next) {
        int64_t usual = command->due - (int64_t)command->held;

        if (!command->held || command->serial >= serial) {
            continue;
        }
        command->held = 0;
        if (MAX(usual, now) < command->due) {
            fltvm_hba_move(s, command, MAX(usual, now));
            trace_fltvm_hba_schedule(command->queue, command->id,
                                     command->due);
        }
    }
}

void fltvm_hba_arm(FltvmHbaState *s)
{
    FltvmHbaCommand *first = QTAILQ_FIRST(&s->commands);

    if (!first || first->due == FLTVM_HBA_NEVER ||
        (s->status & FLTVM_HBA_STATUS_FATAL)) {
        timer_del(&s->timer);
    } else {
        timer_mod(&s->timer, first->due);
    }
}

/*
 * A register access is guarded against re-entry by the memory core, a timer is not: an interrupt
 * message may be addressed to our own doorbells.
 */
bool fltvm_hba_enter(FltvmHbaState *s)
{
    MemReentrancyGuard *guard = &DEVICE(s)->mem_reentrancy_guard;

    if (guard->engaged_in_io) {
        return false;
    }
    guard->engaged_in_io = true;
    return true;
}

void fltvm_hba_leave(FltvmHbaState *s, bool entered)
{
    if (entered) {
        DEVICE(s)->mem_reentrancy_guard.engaged_in_io = false;
    }
}

void fltvm_hba_timer(void *opaque)
{
    FltvmHbaState *s = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    bool entered = fltvm_hba_enter(s);
    FltvmHbaCommand *command;

    while (!s->off && (command = QTAILQ_FIRST(&s->commands)) && command->due <= now &&
           !(s->status & FLTVM_HBA_STATUS_FATAL)) {
        fltvm_hba_finish(s, command);
    }
    if (!s->off) {
        /* Room in completion rings and buffers may let waiting entries in. */
        fltvm_hba_fetch_all(s);
        fltvm_hba_arm(s);
    }
    fltvm_hba_notify(s);
    fltvm_hba_leave(s, entered);
}
