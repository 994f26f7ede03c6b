/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: fault rules as text, for the property "faults".
 *
 *     op=read+write:lba=8-15:nth=2:count=1:do=error:status=0x10;op=flush:do=never
 *
 * Rules are separated by ';', fields by ':'.  "op" and "do" must be there; lba is all, nth 1 and count 0 (no
 * end) by default.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "hba.h"

static const char *const fltvm_hba_fault_op_names[] = {
    [FLTVM_HBA_OP_READ] = "read",
    [FLTVM_HBA_OP_WRITE] = "write",
    [FLTVM_HBA_OP_FLUSH] = "flush",
    [FLTVM_HBA_OP_IDENTIFY] = "identify",
    [FLTVM_HBA_OP_ABORT] = "abort",
};

static const char *const fltvm_hba_fault_action_names[] = {
    [FLTVM_HBA_FAULT_ACTION_ERROR] = "error",
    [FLTVM_HBA_FAULT_ACTION_DELAY] = "delay",
    [FLTVM_HBA_FAULT_ACTION_NEVER] = "never",
    [FLTVM_HBA_FAULT_ACTION_TORN] = "torn",
    [FLTVM_HBA_FAULT_ACTION_POWER_CUT] = "power-cut",
    [FLTVM_HBA_FAULT_ACTION_REORDER] = "reorder",
};

static int fltvm_hba_fault_lookup(const char *const *names, size_t count,
                                  const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] && g_str_equal(names[i], name)) {
            return i;
        }
    }
    return -1;
}

static bool fltvm_hba_fault_parse_ops(const char *text, FltvmHbaRule *rule)
{
    g_auto(GStrv) names = g_strsplit(text, "+", 0);

    rule->ops = 0;
    for (char **name = names; *name; name++) {
        int op = fltvm_hba_fault_lookup(fltvm_hba_fault_op_names,
                                        ARRAY_SIZE(fltvm_hba_fault_op_names),
                                        *name);

        if (op < 0) {
            return false;
        }
        rule->ops |= FLTVM_HBA_FAULT_OP(op);
    }
    return true;
}

static bool fltvm_hba_fault_parse_range(const char *text, FltvmHbaRule *rule)
{
    const char *end;

    if (qemu_strtou64(text, &end, 0, &rule->first) < 0) {
        return false;
    }
    if (*end == 0) {
        rule->last = rule->first;
        return true;
    }
    if (*end != '-') {
        return false;
    }
    if (end[1] == 0) {
        rule->last = UINT64_MAX;
        return true;
    }
    return qemu_strtou64(end + 1, NULL, 0, &rule->last) == 0;
}

static bool fltvm_hba_fault_parse_u32(const char *text, uint32_t *value)
{
    uint64_t wide;

    if (qemu_strtou64(text, NULL, 0, &wide) < 0 || wide > UINT32_MAX) {
        return false;
    }
    *value = wide;
    return true;
}

static const char *const fltvm_hba_keep_names[] = {
    [FLTVM_HBA_KEEP_NONE] = "none",
    [FLTVM_HBA_KEEP_ALL] = "all",
    [FLTVM_HBA_KEEP_LAST] = "last",
};

/* Of a power cut: a name, or a seed.  It has neither a status nor a delay. */
static bool fltvm_hba_fault_parse_keep(const char *text, FltvmHbaRule *rule)
{
    int keep = fltvm_hba_fault_lookup(
        fltvm_hba_keep_names, ARRAY_SIZE(fltvm_hba_keep_names), text);

    rule->status = keep < 0 ? FLTVM_HBA_KEEP_SOME : keep;
    return keep >= 0 || qemu_strtou64(text, NULL, 0, &rule->delay) == 0;
}

static bool fltvm_hba_fault_parse_field(const char *name, const char *value,
                                        FltvmHbaRule *rule)
{
    int action;

    if (g_str_equal(name, "op")) {
        return fltvm_hba_fault_parse_ops(value, rule);
    }
    if (g_str_equal(name, "lba")) {
        return fltvm_hba_fault_parse_range(value, rule);
    }
    if (g_str_equal(name, "nth")) {
        return fltvm_hba_fault_parse_u32(value, &rule->nth);
    }
    if (g_str_equal(name, "count")) {
        return fltvm_hba_fault_parse_u32(value, &rule->count);
    }
    if (g_str_equal(name, "status")) {
        return fltvm_hba_fault_parse_u32(value, &rule->status);
    }
    if (g_str_equal(name, "delay-ns")) {
        return qemu_strtou64(value, NULL, 0, &rule->delay) == 0;
    }
    if (g_str_equal(name, "keep")) {
        return fltvm_hba_fault_parse_keep(value, rule);
    }
    if (g_str_equal(name, "do")) {
        action = fltvm_hba_fault_lookup(
            fltvm_hba_fault_action_names,
            ARRAY_SIZE(fltvm_hba_fault_action_names), value);
        rule->action = MAX(action, 0);
        return action > 0;
    }
    return false;
}

static bool fltvm_hba_fault_parse_rule(const char *text, FltvmHbaRule *rule,
                                       Error **errp)
{
    g_auto(GStrv) fields = g_strsplit(text, ":", 0);
    const char *problem;

    *rule = (FltvmHbaRule) { .last = UINT64_MAX, .nth = 1 };
    for (char **field = fields; *field; field++) {
        char *value = strchr(*field, '=');

        if (value) {
            *value++ = 0;
        }
        if (!value || !fltvm_hba_fault_parse_field(*field, value, rule)) {
            error_setg(errp, "fltvm-hba: fault rule '%s': bad field '%s'",
                       text, *field);
            return false;
        }
    }
    problem = rule->action == FLTVM_HBA_FAULT_ACTION_NONE
                  ? "'do=' is missing"
                  : fltvm_hba_fault_problem(rule);
    if (problem) {
        error_setg(errp, "fltvm-hba: fault rule '%s': %s", text, problem);
        return false;
    }
    return true;
}


bool fltvm_hba_fault_parse(const char *text, FltvmHbaRule *rules, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", 0);
    FltvmHbaRule parsed[FLTVM_HBA_RULES] = { 0 };
    uint32_t count = 0;

    for (char **part = parts; *part; part++) {
        if (**part == 0) {
            continue;
        }
        if (count == FLTVM_HBA_RULES) {
            error_setg(errp, "fltvm-hba: more than %d fault rules",
                       FLTVM_HBA_RULES);
            return false;
        }
        if (!fltvm_hba_fault_parse_rule(*part, &parsed[count++], errp)) {
            return false;
        }
    }
    memcpy(rules, parsed, sizeof(parsed));
    return true;
}

static void fltvm_hba_fault_format_rule(GString *text,
                                        const FltvmHbaRule *rule)
{
    const char *separator = "";

    g_string_append_printf(text, "%sop=", text->len ? ";" : "");
    for (uint32_t op = 0; op < ARRAY_SIZE(fltvm_hba_fault_op_names); op++) {
        if (rule->ops & FLTVM_HBA_FAULT_OP(op)) {
            g_string_append_printf(text, "%s%s", separator,
                                   fltvm_hba_fault_op_names[op]);
            separator = "+";
        }
    }
    g_string_append_printf(text, ":lba=%" PRIu64 "-", rule->first);
    if (rule->last != UINT64_MAX) {
        g_string_append_printf(text, "%" PRIu64, rule->last);
    }
    g_string_append_printf(text, ":nth=%u:count=%u:do=%s", rule->nth,
                           rule->count,
                           fltvm_hba_fault_action_names[rule->action]);
    if (rule->action == FLTVM_HBA_FAULT_ACTION_POWER_CUT) {
        if (rule->status == FLTVM_HBA_KEEP_SOME) {
            g_string_append_printf(text, ":keep=%" PRIu64, rule->delay);
        } else {
            g_string_append_printf(text, ":keep=%s",
                                   fltvm_hba_keep_names[rule->status]);
        }
        return;
    }
    if (rule->action == FLTVM_HBA_FAULT_ACTION_ERROR ||
        rule->action == FLTVM_HBA_FAULT_ACTION_TORN) {
        g_string_append_printf(text, ":status=0x%x", rule->status);
    }
    if (rule->delay) {
        g_string_append_printf(text, ":delay-ns=%" PRIu64, rule->delay);
    }
}

char *fltvm_hba_fault_format(const FltvmHbaRule *rules)
{
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < FLTVM_HBA_RULES; i++) {
        if (rules[i].action != FLTVM_HBA_FAULT_ACTION_NONE) {
            fltvm_hba_fault_format_rule(text, &rules[i]);
        }
    }
    return g_string_free(text, false);
}
