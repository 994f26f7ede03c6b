/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON that is read: see json.h. */
#include "json.h"

#include <errno.h>
#include <string.h>

#include "error.h"

#define MOST_DEPTH 64u

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT } Type;

struct FltvmJson {
    Type type;
    char *text;         /* of a text or a number */
    GPtrArray *items;   /* FltvmJson: of a list */
    GHashTable *fields; /* name to FltvmJson: of an object */
};

typedef struct {
    const char *start, *at, *end;
    guint depth;
    const char *wrong; /* what is wrong at `at`; NULL: nothing yet */
} Reader;

void fltvm_json_free(FltvmJson *json)
{
    if (!json)
        return;
    g_free(json->text);
    g_clear_pointer(&json->items, g_ptr_array_unref);
    g_clear_pointer(&json->fields, g_hash_table_unref);
    g_free(json);
}

static FltvmJson *new_json(Type type)
{
    FltvmJson *json = g_new0(FltvmJson, 1);

    json->type = type;
    return json;
}

/* Always NULL; the first complaint stands. */
static gpointer complain(Reader *reader, const char *wrong)
{
    if (!reader->wrong)
        reader->wrong = wrong;
    return NULL;
}

static void skip_space(Reader *reader)
{
    while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

/* The next character that is no space is this one: pass it. */
static gboolean take(Reader *reader, char c)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != c)
        return FALSE;
    reader->at++;
    return TRUE;
}

/* --- texts ----------------------------------------------------------------------------------------------- */

static gboolean take_hex(Reader *reader, gunichar *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        if (reader->at == reader->end || !g_ascii_isxdigit(*reader->at))
            return FALSE;
        *unit = *unit << 4 | (gunichar)g_ascii_xdigit_value(*reader->at);
    }
    return TRUE;
}

/* Behind "\u": a character, of two such escapes if the first is half of one. */
static gboolean take_unicode(Reader *reader, GString *text)
{
    gunichar unit, low;

    if (!take_hex(reader, &unit) || !unit || (unit >= 0xDC00 && unit <= 0xDFFF))
        return FALSE;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return FALSE;
        reader->at += 2;
        if (!take_hex(reader, &low) || low < 0xDC00 || low > 0xDFFF)
            return FALSE;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    g_string_append_unichar(text, unit);
    return TRUE;
}

static gboolean take_escape(Reader *reader, GString *text)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (reader->at == reader->end || !*reader->at)
        return FALSE;
    if (*reader->at == 'u') {
        reader->at++;
        return take_unicode(reader, text);
    }
    name = strchr(names, *reader->at++);
    if (name)
        g_string_append_c(text, values[name - names]);
    return name != NULL;
}

/* Behind the opening quote; newly allocated, or NULL. */
static char *take_text(Reader *reader)
{
    g_autoptr(GString) text = g_string_new(NULL);

    while (reader->at < reader->end && *reader->at != '"') {
        char c = *reader->at++;
        if ((guchar)c < 0x20)
            return complain(reader, "a control character in a text");
        if (c != '\\')
            g_string_append_c(text, c);
        else if (!take_escape(reader, text))
            return complain(reader, "an escape that there is not");
    }
    if (reader->at == reader->end)
        return complain(reader, "a text without an end");
    reader->at++;
    if (!g_utf8_validate(text->str, (gssize)text->len, NULL))
        return complain(reader, "a text that is not UTF-8");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* --- values ---------------------------------------------------------------------------------------------- */

static FltvmJson *take_value(Reader *reader);

static FltvmJson *take_list(Reader *reader)
{
    g_autoptr(FltvmJson) json = new_json(JSON_LIST);

    json->items = g_ptr_array_new_with_free_func((GDestroyNotify)fltvm_json_free);
    if (take(reader, ']'))
        return g_steal_pointer(&json);
    do {
        FltvmJson *item = take_value(reader);
        if (!item)
            return NULL;
        g_ptr_array_add(json->items, item);
    } while (take(reader, ','));
    return take(reader, ']') ? g_steal_pointer(&json) : complain(reader, "',' or ']' is missing");
}

static FltvmJson *take_object(Reader *reader)
{
    g_autoptr(FltvmJson) json = new_json(JSON_OBJECT);

    json->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)fltvm_json_free);
    if (take(reader, '}'))
        return g_steal_pointer(&json);
    do {
        g_autofree char *name = take(reader, '"') ? take_text(reader) : complain(reader, "a field's name is missing");
        FltvmJson *value;
        if (!name)
            return NULL;
        if (!take(reader, ':'))
            return complain(reader, "':' is missing");
        value = take_value(reader);
        if (!value)
            return NULL;
        g_hash_table_replace(json->fields, g_steal_pointer(&name), value);
    } while (take(reader, ','));
    return take(reader, '}') ? g_steal_pointer(&json) : complain(reader, "',' or '}' is missing");
}

static FltvmJson *take_word(Reader *reader)
{
    static const struct {
        const char *word;
        Type type;
    } words[] = {{"null", JSON_NULL}, {"false", JSON_FALSE}, {"true", JSON_TRUE}};
    const char *start = reader->at;
    FltvmJson *json;

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i].word);
        if ((gsize)(reader->end - start) >= length && memcmp(start, words[i].word, length) == 0) {
            reader->at += length;
            return new_json(words[i].type);
        }
    }
    if (start == reader->end || (*start != '-' && !g_ascii_isdigit(*start)))
        return complain(reader, "a value is missing");
    while (reader->at < reader->end && (g_ascii_isdigit(*reader->at) || (*reader->at && strchr("+-.eE", *reader->at))))
        reader->at++;
    json = new_json(JSON_NUMBER);
    json->text = g_strndup(start, (gsize)(reader->at - start));
    return json;
}

static FltvmJson *take_value(Reader *reader)
{
    FltvmJson *json;
    char *text;

    if (reader->depth == MOST_DEPTH)
        return complain(reader, "lists within lists without end");
    reader->depth++;
    if (take(reader, '[')) {
        json = take_list(reader);
    } else if (take(reader, '{')) {
        json = take_object(reader);
    } else if (take(reader, '"')) {
        text = take_text(reader);
        json = text ? new_json(JSON_TEXT) : NULL;
        if (json)
            json->text = text;
    } else {
        json = take_word(reader);
    }
    reader->depth--;
    return json;
}

FltvmJson *fltvm_json_parse(const char *text, gsize length, GError **error)
{
    Reader reader = {text, text, text + length, 0, NULL};
    g_autoptr(FltvmJson) json = take_value(&reader);
    guint line = 1;

    skip_space(&reader);
    if (json && reader.at < reader.end)
        complain(&reader, "something behind the end");
    if (!reader.wrong)
        return g_steal_pointer(&json);
    for (const char *p = reader.start; p < reader.at; p++)
        line += *p == '\n';
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "line %u: this is no JSON: %s", line, reader.wrong);
    return NULL;
}

/* --- looking --------------------------------------------------------------------------------------------- */

const FltvmJson *fltvm_json_field(const FltvmJson *json, const char *name)
{
    return json && json->type == JSON_OBJECT ? g_hash_table_lookup(json->fields, name) : NULL;
}

guint fltvm_json_length(const FltvmJson *json)
{
    return json && json->type == JSON_LIST ? json->items->len : 0;
}

const FltvmJson *fltvm_json_item(const FltvmJson *json, guint index)
{
    return index < fltvm_json_length(json) ? json->items->pdata[index] : NULL;
}

const char *fltvm_json_text(const FltvmJson *json)
{
    return json && json->type == JSON_TEXT ? json->text : NULL;
}

guint64 fltvm_json_number(const FltvmJson *json, guint64 fallback)
{
    char *end = NULL;
    guint64 value;

    if (!json || json->type != JSON_NUMBER || *json->text == '-')
        return fallback;
    errno = 0;
    value = g_ascii_strtoull(json->text, &end, 10);
    return errno || *end ? fallback : value;
}

gboolean fltvm_json_is_true(const FltvmJson *json)
{
    return json && json->type == JSON_TRUE;
}
