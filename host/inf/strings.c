/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * %strkey% and %dirid%, wherever they are pasted: in fields, keys and sections' names, quoted or not.
 *
 * A string's own text may hold further ones; one that comes back to itself is refused, and so is one that
 * grows beyond what a field may be long, however its parts multiply.  %% is a percent sign.  What names no
 * string stays as it is, as SetupAPI leaves it.
 */
#include <string.h>

#include "infp.h"

/* English (United States), then neutral, then any English, then the section that has no language. */
static const char *const string_sections[] = {"Strings.0409", "Strings.0009", "Strings.09", NULL};

/* Directories that the machine would have; see "Using Dirids". */
static const struct {
    guint number;
    const char *path;
} directories[] = {
    {1, "C:\\Windows\\Temp"},
    {10, "C:\\Windows"},
    {11, "C:\\Windows\\System32"},
    {12, "C:\\Windows\\System32\\drivers"},
    {17, "C:\\Windows\\INF"},
    {18, "C:\\Windows\\Help"},
    {20, "C:\\Windows\\Fonts"},
    {24, "C:"},
    {30, "C:"},
    {50, "C:\\Windows\\System"},
    {51, "C:\\Windows\\System32\\spool"},
    {52, "C:\\Windows\\System32\\spool\\drivers\\x64"},
    {53, "C:\\Users\\Default"},
    {54, "C:"},
    {55, "C:\\Windows\\System32\\spool\\prtprocs\\x64"},
    {16419, "C:\\ProgramData\\Microsoft\\Windows\\Start Menu\\Programs"},
    {16422, "C:\\Program Files"},
    {16425, "C:\\Windows\\SysWOW64"},
    {16426, "C:\\Program Files (x86)"},
    {16427, "C:\\Program Files\\Common Files"},
};

typedef struct {
    FltvmInf *inf;
    guint line;
    GPtrArray *open; /* names of the strings that are being put in, folded */
    gboolean told;   /* of what is wrong with this field */
} Substitution;

static const char *directory(const FltvmInf *inf, const char *name)
{
    guint32 number;

    if (!g_ascii_isdigit(*name) || !fltvm_inf_number(name, &number))
        return NULL;
    if (number == 13)
        return inf->store;
    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
        if (directories[i].number == number)
            return directories[i].path;
    }
    return NULL;
}

static void complain(Substitution *substitution, FltvmInfLevel level, const char *format, const char *name)
{
    g_autofree char *text = NULL;

    if (substitution->told)
        return;
    substitution->told = level == FLTVM_INF_ERROR;
    text = g_strdup_printf("%s%s%s", format, name ? " " : "", name ? name : "");
    fltvm_inf_problem(substitution->inf, level, substitution->line, "%s", text);
}

static void expand(Substitution *substitution, const char *text, GString *out);

/* What stands between two percent signs. */
static void expand_token(Substitution *substitution, const char *name, GString *out)
{
    g_autofree char *folded = fltvm_inf_fold(name);
    const char *value = g_hash_table_lookup(substitution->inf->strings, folded);

    for (guint i = 0; i < substitution->open->len; i++) {
        if (strcmp(substitution->open->pdata[i], folded) == 0) {
            complain(substitution, FLTVM_INF_ERROR, "a string that holds itself:", name);
            return;
        }
    }
    if (value) {
        g_ptr_array_add(substitution->open, folded);
        expand(substitution, value, out);
        g_ptr_array_set_size(substitution->open, (gint)substitution->open->len - 1);
        return;
    }
    value = substitution->open->len ? NULL : directory(substitution->inf, name);
    if (value) {
        g_string_append(out, value);
        return;
    }
    complain(substitution, FLTVM_INF_WARNING, "no string has this name, it stays as it is:", name);
    g_string_append_printf(out, "%%%s%%", name);
}

static void expand(Substitution *substitution, const char *text, GString *out)
{
    while (*text && !substitution->told) {
        const char *end;
        if (out->len > 4 * INF_FIELD_MAX || substitution->open->len > 64) {
            complain(substitution, FLTVM_INF_ERROR, "with its strings put in, this is longer than a field may be",
                     NULL);
        } else if (text[0] != '%') {
            g_string_append_c(out, *text++);
        } else if (text[1] == '%') {
            g_string_append_c(out, '%');
            text += 2;
        } else if ((end = strchr(text + 1, '%')) != NULL) {
            g_autofree char *name = g_strndup(text + 1, (gsize)(end - text) - 1);
            expand_token(substitution, name, out);
            text = end + 1;
        } else {
            complain(substitution, FLTVM_INF_WARNING, "a percent sign without a second one stays as it is", NULL);
            g_string_append(out, text);
            text += strlen(text);
        }
    }
}

/* `text` with all put in, in its place. */
static void substitute(FltvmInf *inf, guint line, char **text)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    g_autoptr(GString) out = NULL;
    Substitution substitution = {.inf = inf, .line = line, .open = open};

    if (!*text || !strchr(*text, '%') || inf->put_in > INF_STRINGS_MAX)
        return;
    out = g_string_new(NULL);
    expand(&substitution, *text, out);
    if (!substitution.told && g_utf8_strlen(out->str, -1) > INF_FIELD_MAX)
        inf_error(inf, line, "with its strings put in, this is longer than the %d characters of a field",
                  INF_FIELD_MAX);
    inf->put_in += out->len;
    if (inf->put_in > INF_STRINGS_MAX)
        inf_error(inf, line, "strings put in make more than %u MiB of text by this line", INF_STRINGS_MAX >> 20);
    g_free(*text);
    *text = g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean is_strings(const FltvmInfSection *section)
{
    return g_ascii_strncasecmp(section->name, "Strings", 7) == 0 && (!section->name[7] || section->name[7] == '.');
}

static void take_strings(FltvmInf *inf, FltvmInfSection *section)
{
    g_autoptr(GHashTable) here = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    section->used = TRUE;
    for (guint i = 0; i < section->entries->len; i++) {
        FltvmInfEntry *entry = section->entries->pdata[i];
        g_autofree char *name = NULL;
        if (!entry->key || !*entry->key) {
            inf_error(inf, entry->line, "[%s]: NAME = \"TEXT\" is wanted", section->name);
            continue;
        }
        name = fltvm_inf_fold(entry->key);
        if (!g_hash_table_add(here, g_strdup(name)))
            inf_warning(inf, entry->line, "the string '%s' is defined twice: the last counts", entry->key);
        g_hash_table_replace(inf->strings, g_steal_pointer(&name), g_strdup(fltvm_inf_field(entry, 0)));
    }
}

/* The neutral strings, and over them those of the machine's language. */
static void choose_strings(FltvmInf *inf)
{
    FltvmInfSection *chosen = NULL, *plain = fltvm_inf_section(inf, "Strings");

    for (gsize i = 0; string_sections[i] && !chosen; i++)
        chosen = fltvm_inf_section(inf, string_sections[i]);
    for (guint i = 0; i < inf->sections->len; i++) {
        FltvmInfSection *section = inf->sections->pdata[i];
        gsize length = strlen(section->name);
        if (is_strings(section)) {
            section->used = TRUE; /* another language's */
            if (!chosen && length >= 2 && section->name[7] && strcmp(section->name + length - 2, "09") == 0)
                chosen = section;
        }
    }
    if (plain)
        take_strings(inf, plain);
    if (chosen)
        take_strings(inf, chosen);
}

static void rename_section(FltvmInf *inf, FltvmInfSection *section)
{
    g_autofree char *folded = NULL;
    FltvmInfSection *other;

    if (!strchr(section->name, '%'))
        return;
    substitute(inf, section->line, &section->name);
    folded = fltvm_inf_fold(section->name);
    other = g_hash_table_lookup(inf->by_name, folded);
    if (!other) {
        g_hash_table_insert(inf->by_name, g_steal_pointer(&folded), section);
        return;
    }
    if (other == section)
        return;
    /* Another section has this name in letters: theirs are one. */
    for (guint i = 0; i < section->entries->len; i++)
        g_ptr_array_add(other->entries, section->entries->pdata[i]);
    g_ptr_array_set_free_func(section->entries, NULL);
    g_ptr_array_set_size(section->entries, 0);
    section->used = TRUE;
}

/* A string that nothing uses may still hold itself. */
static void check_strings(FltvmInf *inf)
{
    FltvmInfSection *section = fltvm_inf_section(inf, "Strings");

    for (guint i = 0; section && i < section->entries->len; i++) {
        FltvmInfEntry *entry = section->entries->pdata[i];
        g_autofree char *text = g_strdup_printf("%%%s%%", entry->key ? entry->key : "");
        if (entry->key && *entry->key && !strchr(entry->key, '%') && strchr(fltvm_inf_field(entry, 0), '%'))
            substitute(inf, entry->line, &text);
    }
}

void fltvm_inf_substitute(FltvmInf *inf)
{
    choose_strings(inf);
    for (guint i = 0; i < inf->sections->len; i++) {
        FltvmInfSection *section = inf->sections->pdata[i];
        if (is_strings(section))
            continue;
        for (guint j = 0; j < section->entries->len; j++) {
            FltvmInfEntry *entry = section->entries->pdata[j];
            substitute(inf, entry->line, &entry->key);
            for (guint k = 0; k < entry->fields->len; k++)
                substitute(inf, entry->line, (char **)&entry->fields->pdata[k]);
        }
    }
    for (guint i = 0; i < inf->sections->len; i++)
        rename_section(inf, inf->sections->pdata[i]);
    check_strings(inf);
}
