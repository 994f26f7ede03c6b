/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: fault rules.
 *
 * A rule names operations, a range of blocks and which of the matching commands it acts upon.  Rules come from
 * the property "faults" (hba-fault-text.c), or from the guest through the register window, where they
 * take effect at a virtual time.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bitops.h"
#include "hba.h"
#include "trace.h"

#define FLTVM_HBA_FAULT_OPS                                       \
    (FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_READ) |                      \
     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE) |                     \
     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_FLUSH) |                     \
     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_IDENTIFY) |                  \
     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_ABORT))

const char *fltvm_hba_fault_problem(const FltvmHbaRule *rule)
{
    if (rule->action > FLTVM_HBA_FAULT_ACTION_REORDER) {
        return "unknown action";
    }
    if (rule->ops == 0 || (rule->ops & ~FLTVM_HBA_FAULT_OPS)) {
        return "no operation, or one that does not exist";
    }
    if (rule->first > rule->last) {
        return "the range of blocks is empty";
    }
    if (rule->nth == 0) {
        return "nth counts from 1";
    }
    if ((rule->action == FLTVM_HBA_FAULT_ACTION_ERROR ||
         rule->action == FLTVM_HBA_FAULT_ACTION_TORN) &&
        (rule->status == 0 || rule->status > FLTVM_HBA_S_MAX)) {
        return "an error needs a status from 1 to 0x7fff";
    }
    if (rule->action == FLTVM_HBA_FAULT_ACTION_REORDER && rule->delay == 0) {
        return "what is reordered needs a delay, after which it waits no more";
    }
    return NULL;
}

/* Matching */

static bool fltvm_hba_fault_covers(const FltvmHbaRule *rule,
                                   const FltvmHbaCommand *command)
{
    if (rule->action == FLTVM_HBA_FAULT_ACTION_NONE ||
        !(rule->ops & FLTVM_HBA_FAULT_OP(command->opcode))) {
        return false;
    }
    if (command->opcode != FLTVM_HBA_OP_READ &&
        command->opcode != FLTVM_HBA_OP_WRITE) {
        return true;
    }
    return command->lba <= rule->last &&
           rule->first <= command->lba + command->blocks - 1;
}

const FltvmHbaRule *fltvm_hba_fault_match(FltvmHbaState *s,
                                          const FltvmHbaCommand *command)
{
    FltvmHbaRule *acting = NULL;

    for (uint32_t i = 0; i < FLTVM_HBA_RULES; i++) {
        FltvmHbaRule *rule = &s->rule[i];

        if (!fltvm_hba_fault_covers(rule, command)) {
            continue;
        }
        if (rule->matches < UINT32_MAX) {
            rule->matches++;
        }
        if (!acting && rule->matches >= rule->nth &&
            (rule->count == 0 || rule->matches - rule->nth < rule->count)) {
            acting = rule;
            rule->hits++;
            trace_fltvm_hba_fault(i, command->queue, command->id,
                                  rule->action);
        }
    }
    return acting;
}

void fltvm_hba_fault_reset(FltvmHbaState *s)
{
    memset(s->rule, 0, sizeof(s->rule));
    memset(&s->staged, 0, sizeof(s->staged));
    s->fault_index = 0;
    if (s->faults) {
        /* Checked when the property was set. */
        fltvm_hba_fault_parse(s->faults, s->rule, &error_abort);
    }
}

bool fltvm_hba_fault_append(FltvmHbaState *s, const char *text, Error **errp)
{
    FltvmHbaRule rules[FLTVM_HBA_RULES];
    uint32_t place = FLTVM_HBA_RULES;

    if (!fltvm_hba_fault_parse(text, rules, errp)) {
        return false;
    }
    for (uint32_t i = 0; i < FLTVM_HBA_RULES; i++) {
        if (rules[i].action == FLTVM_HBA_FAULT_ACTION_NONE) {
            continue;
        }
        do {
            if (place-- == 0) {
                error_setg(errp, "fltvm-hba: there is no room for another "
                           "fault rule: there are %d", FLTVM_HBA_RULES);
                return false;
            }
        } while (s->rule[place].action != FLTVM_HBA_FAULT_ACTION_NONE);
        s->rule[place] = rules[i];
    }
    return true;
}

/* The register window */

static void fltvm_hba_fault_store(FltvmHbaState *s, FltvmHbaRule *rule)
{
    const char *problem = NULL;

    if (s->staged.action == FLTVM_HBA_FAULT_ACTION_NONE) {
        memset(rule, 0, sizeof(*rule));
        return;
    }
    problem = s->staged.action == FLTVM_HBA_FAULT_ACTION_POWER_CUT
                  ? "the guest has no hand in the power"
                  : fltvm_hba_fault_problem(&s->staged);
    if (problem) {
        trace_fltvm_hba_fault_refused(s->fault_index, problem);
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_FAULT, s->fault_index);
        return;
    }
    *rule = s->staged;
    rule->matches = 0;
    rule->hits = 0;
}

static void fltvm_hba_fault_command(FltvmHbaState *s, uint32_t command)
{
    FltvmHbaRule *rule;

    if (command == FLTVM_HBA_FAULT_COMMAND_CLEAR_ALL) {
        memset(s->rule, 0, sizeof(s->rule));
        return;
    }
    if (s->fault_index >= FLTVM_HBA_RULES) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_FAULT, s->fault_index);
        return;
    }
    rule = &s->rule[s->fault_index];
    switch (command) {
    case FLTVM_HBA_FAULT_COMMAND_STORE:
        fltvm_hba_fault_store(s, rule);
        break;
    case FLTVM_HBA_FAULT_COMMAND_LOAD:
        s->staged = *rule;
        break;
    case FLTVM_HBA_FAULT_COMMAND_CLEAR:
        memset(rule, 0, sizeof(*rule));
        break;
    default:
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_FAULT, s->fault_index);
        break;
    }
}

/* The field behind a register of the window. */
static bool fltvm_hba_fault_field32(FltvmHbaState *s, hwaddr offset,
                                    uint32_t **field)
{
    switch (offset) {
    case FLTVM_HBA_REG_FAULT_INDEX:
        *field = &s->fault_index;
        return true;
    case FLTVM_HBA_REG_FAULT_OPS:
        *field = &s->staged.ops;
        return true;
    case FLTVM_HBA_REG_FAULT_NTH:
        *field = &s->staged.nth;
        return true;
    case FLTVM_HBA_REG_FAULT_COUNT:
        *field = &s->staged.count;
        return true;
    case FLTVM_HBA_REG_FAULT_ACTION:
        *field = &s->staged.action;
        return true;
    case FLTVM_HBA_REG_FAULT_STATUS:
        *field = &s->staged.status;
        return true;
    default:
        return false;
    }
}

static bool fltvm_hba_fault_field64(FltvmHbaState *s, hwaddr offset,
                                    uint64_t **field, int *shift)
{
    *shift = offset & 4 ? 32 : 0;
    switch (offset & ~(hwaddr)4) {
    case FLTVM_HBA_REG_FAULT_FIRST_LO:
        *field = &s->staged.first;
        return true;
    case FLTVM_HBA_REG_FAULT_LAST_LO:
        *field = &s->staged.last;
        return true;
    case FLTVM_HBA_REG_FAULT_DELAY_LO:
        *field = &s->staged.delay;
        return true;
    default:
        return false;
    }
}

bool fltvm_hba_fault_read(FltvmHbaState *s, hwaddr offset, uint32_t *value)
{
    uint32_t *field32;
    uint64_t *field64;
    int shift;

    switch (offset) {
    case FLTVM_HBA_REG_FAULT_RULES:
        *value = FLTVM_HBA_RULES;
        return true;
    case FLTVM_HBA_REG_FAULT_MATCHES:
        *value = s->staged.matches;
        return true;
    case FLTVM_HBA_REG_FAULT_HITS:
        *value = s->staged.hits;
        return true;
    default:
        break;
    }
    if (fltvm_hba_fault_field32(s, offset, &field32)) {
        *value = *field32;
        return true;
    }
    if (fltvm_hba_fault_field64(s, offset, &field64, &shift)) {
        *value = extract64(*field64, shift, 32);
        return true;
    }
    return false;
}

bool fltvm_hba_fault_write(FltvmHbaState *s, hwaddr offset, uint32_t value)
{
    uint32_t *field32;
    uint64_t *field64;
    int shift;

    if (offset == FLTVM_HBA_REG_FAULT_COMMAND) {
        fltvm_hba_fault_command(s, value);
        return true;
    }
    if (fltvm_hba_fault_field32(s, offset, &field32)) {
        *field32 = value;
        return true;
    }
    if (fltvm_hba_fault_field64(s, offset, &field64, &shift)) {
        *field64 = deposit64(*field64, shift, 32, value);
        return true;
    }
    return false;
}
