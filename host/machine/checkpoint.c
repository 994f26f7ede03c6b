/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints of a machine: what is said to the device fltvm-link (docs/specs/fltvm-link.rst), and to the guest.
 *
 * A machine that only passes the checkpoint and one that is put back to it go on in the same way: first the device does
 * what both begin with, then the guest gets one and the same command.
 */
#include <string.h>

#include "error.h"
#include "machinep.h"

/* The device's part of a choice: the seed, and the fault rules of the disks. */
static GByteArray *describe(const FltvmMachine *machine, const FltvmChoice *choice, guint32 flags)
{
    GByteArray *message = g_byte_array_new();
    struct fltvm_checkpoint head = {.flags = flags};

    if (choice && choice->has_seed) {
        head.flags |= FLTVM_CHECKPOINT_SEED;
        head.seed = choice->seed;
    }
    g_byte_array_append(message, (const guint8 *)&head, sizeof(head));
    for (guint i = 0; choice && i < machine->config->disks->len; i++) {
        guint count;
        g_autofree char *rules = fltvm_choice_faults(choice, i, &count);
        g_autofree char *line = rules ? g_strdup_printf("%u %s\n", i, rules) : g_strdup("");
        g_byte_array_append(message, (const guint8 *)line, (guint)strlen(line));
    }
    return message;
}

/* The guest's part. */
static gboolean choose(FltvmMachine *machine, const FltvmChoice *choice, GError **error)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_CHOOSE, .args = {choice->allocation}};
    g_auto(FltvmResult) result = {0};

    return fltvm_machine_command(machine, &command, NULL, 0, &result, error);
}

gboolean fltvm_machine_checkpoint(FltvmMachine *machine, const FltvmChoice *choice, GError **error)
{
    g_autoptr(GByteArray) message = describe(machine, choice, choice ? 0 : FLTVM_CHECKPOINT_SAVE);
    struct fltvm_link_frame frame;
    const guint8 *payload;

    if (!fltvm_link_answer(machine->link, FLTVM_ANSWER_CHECKPOINT, message->data, message->len))
        return fltvm_machine_ended_badly(machine, error);
    if (!fltvm_machine_until(machine, FLTVM_RECORD_CHECKPOINT, machine->session->deadline, "the checkpoint is not made",
                             &frame, &payload, error))
        return FALSE;
    if (frame.length) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "machine:checkpoint: %s", (const char *)payload);
        return FALSE;
    }
    return !choice || choose(machine, choice, error);
}

gboolean fltvm_machine_restore(FltvmMachine *machine, const FltvmChoice *choice, gboolean verify, GError **error)
{
    g_autoptr(GByteArray) message = describe(machine, choice, verify ? FLTVM_CHECKPOINT_VERIFY : 0);

    machine->borrowed = TRUE;
    machine->qemu.pid = 0;
    if (!fltvm_link_answer(machine->link, FLTVM_ANSWER_RESTORE, message->data, message->len))
        return fltvm_machine_ended_badly(machine, error);
    return choose(machine, choice, error);
}

gboolean fltvm_machine_rests(const FltvmMachine *machine)
{
    return machine->borrowed && (machine->exit_seen || machine->cut);
}
