/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AddReg and DelReg: lines of
 *
 *     ROOT,[SUBKEY],[VALUE],[FLAGS],[DATA][,DATA]...
 *
 * The flags' bit 0 and high word are the type ("the lower-order bit of the low word distinguishes between
 * character and binary data"), the rest of the low word says how it is written.
 */
#include <string.h>

#include "abi/command.h"
#include "infp.h"

enum { REG_NONE_, REG_SZ_, REG_EXPAND_SZ_, REG_BINARY_, REG_DWORD_, REG_MULTI_SZ_ = 7 };

enum {
    ADDREG_BINARY = 0x1,
    ADDREG_NO_CLOBBER = 0x2,
    ADDREG_DELETE_VALUE = 0x4,
    ADDREG_APPEND = 0x8,
    ADDREG_KEY_ONLY = 0x10,
    ADDREG_OVERWRITE_ONLY = 0x20,
    ADDREG_64BIT_KEY = 0x1000,
    ADDREG_KEY_ONLY_COMMON = 0x2000,
    ADDREG_32BIT_KEY = 0x4000,
    ADDREG_KNOWN = 0x703F,
};
#define ADDREG_TYPE 0xFFFF0001u

static const struct {
    const char *word, *path;
} roots[] = {
    {"HKLM", "\\Registry\\Machine"},
    {"HKCR", "\\Registry\\Machine\\Software\\Classes"},
    {"HKU", "\\Registry\\User"},
    {"HKCU", "\\Registry\\User\\.Default"},
};

void fltvm_inf_set(FltvmInf *inf, guint line, const char *key, const char *value, guint32 type, guint32 flags,
                   gconstpointer data, gsize length)
{
    FltvmInfOperation *operation;

    operation = g_new0(FltvmInfOperation, 1);
    operation->line = line;
    operation->key = g_strdup(key);
    operation->value = g_strdup(value);
    operation->type = type;
    operation->flags = flags;
    operation->data = g_byte_array_new();
    g_byte_array_append(operation->data, data, (guint)length);
    g_ptr_array_add(inf->operations, operation);
}

void fltvm_inf_set_number(FltvmInf *inf, guint line, const char *key, const char *value, guint32 flags, guint32 number)
{
    guint32 little = GUINT32_TO_LE(number);

    fltvm_inf_set(inf, line, key, value, REG_DWORD_, flags, &little, sizeof(little));
}

/* UTF-16 with its terminator. */
static void append_text(GByteArray *data, const char *text)
{
    g_autofree gunichar2 *wide = NULL;
    glong units;

    wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    for (glong i = 0; wide && i <= units; i++) {
        guint16 unit = GUINT16_TO_LE(wide[i]);
        g_byte_array_append(data, (const guint8 *)&unit, sizeof(unit));
    }
}

void fltvm_inf_set_text(FltvmInf *inf, guint line, const char *key, const char *value, guint32 type, guint32 flags,
                        const char *text)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    append_text(data, text);
    fltvm_inf_set(inf, line, key, value, type, flags, data->data, data->len);
}

/* Bytes in hexadecimal, one a field. */
static gboolean read_bytes(FltvmInf *inf, const FltvmInfEntry *entry, guint first, GByteArray *data)
{
    for (guint i = first; i < entry->fields->len; i++) {
        const char *text = fltvm_inf_field(entry, i), *digits = text;
        guint64 number;
        char *end;
        guint8 byte;
        if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
            digits += 2;
        number = g_ascii_strtoull(digits, &end, 16);
        if (!g_ascii_isxdigit(*digits) || *end || number > 0xFF) {
            inf_error(inf, entry->line, "'%s' is no byte in hexadecimal", text);
            return FALSE;
        }
        byte = (guint8)number;
        g_byte_array_append(data, &byte, 1);
    }
    return TRUE;
}

/* One number, or its four bytes. */
static gboolean read_dword(FltvmInf *inf, const FltvmInfEntry *entry, GByteArray *data)
{
    guint32 number;

    if (entry->fields->len == 8)
        return read_bytes(inf, entry, 4, data);
    if (entry->fields->len > 5)
        inf_warning(inf, entry->line, "a number is one field or four bytes: the first of %u fields counts",
                    entry->fields->len - 4);
    if (!*fltvm_inf_field(entry, 4)) {
        number = 0;
    } else if (!fltvm_inf_number(fltvm_inf_field(entry, 4), &number)) {
        inf_error(inf, entry->line, "'%s' is no number of 32 bits", fltvm_inf_field(entry, 4));
        return FALSE;
    }
    number = GUINT32_TO_LE(number);
    g_byte_array_append(data, (const guint8 *)&number, sizeof(number));
    return TRUE;
}

/* The data that follow the flags, and the REG_ type. */
static gboolean read_data(FltvmInf *inf, const FltvmInfEntry *entry, guint32 flags, guint32 *type, GByteArray *data)
{
    switch (flags & ADDREG_TYPE) {
    case 0x00000000:
    case 0x00020000:
        *type = flags & ADDREG_TYPE ? REG_EXPAND_SZ_ : REG_SZ_;
        if (entry->fields->len > 5)
            inf_warning(inf, entry->line, "a text is one field: the first of %u counts (quotation marks hold commas)",
                        entry->fields->len - 4);
        append_text(data, fltvm_inf_field(entry, 4));
        return TRUE;
    case 0x00010000:
        *type = REG_MULTI_SZ_;
        for (guint i = 4; i < entry->fields->len; i++) {
            if (*fltvm_inf_field(entry, i)) /* an empty text would end the list */
                append_text(data, fltvm_inf_field(entry, i));
        }
        append_text(data, "");
        return TRUE;
    case 0x00010001: *type = REG_DWORD_; return read_dword(inf, entry, data);
    case 0x00020001: *type = REG_NONE_; return read_bytes(inf, entry, 4, data);
    case 0x00000001: *type = REG_BINARY_; return read_bytes(inf, entry, 4, data);
    default:
        if (flags & ADDREG_BINARY) { /* a type of the writer's, or one without a name of its own, such as REG_QWORD */
            *type = flags >> 16;
            return read_bytes(inf, entry, 4, data);
        }
        inf_error(inf, entry->line, "flags 0x%08x: no type of text is 0x%04x", flags, flags >> 16);
        return FALSE;
    }
}

/* The full path of a line's key; NULL after telling why there is none. */
static char *full_key(FltvmInf *inf, const FltvmInfEntry *entry, const char *root)
{
    const char *word = fltvm_inf_field(entry, 0), *path = NULL, *subkey = fltvm_inf_field(entry, 1);

    if (g_ascii_strcasecmp(word, "HKR") == 0) {
        if (!root)
            inf_error(inf, entry->line,
                      "HKR means nothing here: this section is not of a service, and there is no device");
        path = root;
    } else {
        for (gsize i = 0; i < G_N_ELEMENTS(roots); i++) {
            if (g_ascii_strcasecmp(word, roots[i].word) == 0)
                path = roots[i].path;
        }
        if (!path)
            inf_error(inf, entry->line, "'%s' is no root of the registry (HKR, HKLM, HKCR, HKU, HKCU)", word);
        else if (g_ascii_strcasecmp(word, "HKCU") == 0)
            inf_note(inf, entry->line, "HKCU: there is no user, the default user's key is taken");
    }
    if (!path)
        return NULL;
    while (*subkey == '\\')
        subkey++;
    return *subkey ? g_strdup_printf("%s\\%s", path, subkey) : g_strdup(path);
}

static gboolean read_flags(FltvmInf *inf, const FltvmInfEntry *entry, guint32 *flags)
{
    const char *text = fltvm_inf_field(entry, 3);

    *flags = 0;
    if (*text && !fltvm_inf_number(text, flags)) {
        inf_error(inf, entry->line, "flags: '%s' is no number", text);
        return FALSE;
    }
    if (*flags & 0xFFFF & ~(guint32)ADDREG_KNOWN)
        inf_warning(inf, entry->line, "flags 0x%08x: the bits 0x%04x mean nothing", *flags,
                    *flags & 0xFFFF & ~(guint32)ADDREG_KNOWN);
    if (*flags & ADDREG_32BIT_KEY)
        inf_note(inf, entry->line, "there is no 32-bit registry: the change is made to the native one");
    if ((*flags & ADDREG_APPEND) && (*flags & ADDREG_TYPE) != 0x10000) {
        inf_error(inf, entry->line, "flags 0x%08x: only a REG_MULTI_SZ value (0x00010000) can be appended to", *flags);
        return FALSE;
    }
    return TRUE;
}

static void add_value(FltvmInf *inf, const FltvmInfEntry *entry, const char *root)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autofree char *key = full_key(inf, entry, root);
    guint32 flags, type, how = 0;

    if (!key || !read_flags(inf, entry, &flags))
        return;
    if (flags & ADDREG_DELETE_VALUE) {
        how = *fltvm_inf_field(entry, 2) ? FLTVM_REGISTRY_DELETE_VALUE : FLTVM_REGISTRY_DELETE_KEY;
        fltvm_inf_set(inf, entry->line, key, fltvm_inf_field(entry, 2), 0, how, NULL, 0);
        return;
    }
    if ((flags & (ADDREG_KEY_ONLY | ADDREG_KEY_ONLY_COMMON)) || entry->fields->len <= 2) {
        fltvm_inf_set(inf, entry->line, key, "", 0, FLTVM_REGISTRY_KEY_ONLY, NULL, 0);
        return;
    }
    how |= flags & ADDREG_NO_CLOBBER ? FLTVM_REGISTRY_NO_CLOBBER : 0;
    how |= flags & ADDREG_OVERWRITE_ONLY ? FLTVM_REGISTRY_OVERWRITE_ONLY : 0;
    how |= flags & ADDREG_APPEND ? FLTVM_REGISTRY_APPEND : 0;
    if (read_data(inf, entry, flags, &type, data))
        fltvm_inf_set(inf, entry->line, key, fltvm_inf_field(entry, 2), type, how, data->data, data->len);
}

static void delete_value(FltvmInf *inf, const FltvmInfEntry *entry, const char *root)
{
    g_autofree char *key = full_key(inf, entry, root);
    guint32 how = entry->fields->len > 2 ? FLTVM_REGISTRY_DELETE_VALUE : FLTVM_REGISTRY_DELETE_KEY;

    if (!key)
        return;
    if (*fltvm_inf_field(entry, 3))
        inf_note(inf, entry->line, "DelReg with flags is not carried out");
    else
        fltvm_inf_set(inf, entry->line, key, fltvm_inf_field(entry, 2), 0, how, NULL, 0);
}

/* Sections may name each other's lines over and over: there is an end to it. */
static gboolean more_lines(FltvmInf *inf, guint line)
{
    if (inf->lines == INF_OPERATIONS_MAX)
        inf_error(inf, line, "more than %u changes to the registry", INF_OPERATIONS_MAX);
    return inf->lines++ < INF_OPERATIONS_MAX;
}

/* The sections that one AddReg or DelReg names. */
static void follow_list(FltvmInf *inf, const FltvmInfEntry *directive, const char *root,
                        void (*act)(FltvmInf *, const FltvmInfEntry *, const char *))
{
    for (guint i = 0; i < directive->fields->len; i++) {
        FltvmInfSection *section = NULL;
        g_autofree char *security = g_strconcat(fltvm_inf_field(directive, i), ".Security", NULL);
        FltvmInfSection *descriptor = fltvm_inf_section(inf, security);
        if (*fltvm_inf_field(directive, i))
            section = fltvm_inf_follow(inf, directive, fltvm_inf_field(directive, i));
        if (descriptor) {
            if (!descriptor->used)
                inf_note(inf, descriptor->line, "[%s]: keys have no security descriptors yet", descriptor->name);
            descriptor->used = TRUE;
        }
        for (guint j = 0; section && j < section->entries->len && more_lines(inf, directive->line); j++) {
            const FltvmInfEntry *line = section->entries->pdata[j];
            if (line->key)
                inf_error(inf, line->line, "'%s =': a line of [%s] is ROOT,SUBKEY,VALUE,FLAGS,DATA", line->key,
                          section->name);
            else
                act(inf, line, root);
        }
    }
}

void fltvm_inf_registry(FltvmInf *inf, FltvmInfSection *section, const char *root)
{
    /* Deleted first, as SetupAPI does it. */
    for (guint i = 0; i < section->entries->len; i++) {
        const FltvmInfEntry *entry = section->entries->pdata[i];
        if (entry->key && g_ascii_strcasecmp(entry->key, "DelReg") == 0)
            follow_list(inf, entry, root, delete_value);
    }
    for (guint i = 0; i < section->entries->len; i++) {
        const FltvmInfEntry *entry = section->entries->pdata[i];
        if (entry->key && g_ascii_strcasecmp(entry->key, "AddReg") == 0)
            follow_list(inf, entry, root, add_value);
        else if (entry->key && g_ascii_strcasecmp(entry->key, "BitReg") == 0)
            inf_note(inf, entry->line, "BitReg is not carried out");
    }
}
