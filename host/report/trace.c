/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: see trace.h.
 *
 * The file shows three groups of tracks: "running" (which thread each processor runs), "interrupts" (interrupts
 * and DPCs, by processor) and "threads" (callbacks and work items, by thread).  Objects are numbered in the
 * order they appear (irp 1, irp 2…), so that the text does not depend on addresses.
 */
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "abi/link.h"
#include "abi/trace.h"
#include "output.h"
#include "text.h"

/* What is kept of a trace, 288 MiB; the hash is over everything. */
#define MOST_ENTRIES (4u << 20)

typedef struct {
    const char *name;
    const char *fields[5];
} Event;

#define EVENT(name, a, b, c, d, e) {#name, {a, b, c, d, e}},
static const Event events[] = {{"NONE", {"", "", "", "", ""}}, FLTVM_TRACE_EVENTS(EVENT)};

typedef struct {
    struct fltvm_trace_record record;
    FltvmSymbols *symbols;
} Entry;

struct FltvmTrace {
    gboolean keep;
    guint64 count;
    guint64 dropped; /* of those that were to be kept */
    GArray *entries; /* Entry */
    gboolean marked;
    guint mark; /* entries before it */
    GChecksum *checksum;
};

FltvmTrace *fltvm_trace_new(gboolean keep)
{
    FltvmTrace *trace = g_new0(FltvmTrace, 1);

    trace->keep = keep;
    trace->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    trace->checksum = g_checksum_new(G_CHECKSUM_SHA256);
    return trace;
}

void fltvm_trace_free(FltvmTrace *trace)
{
    if (!trace)
        return;
    g_array_unref(trace->entries);
    g_checksum_free(trace->checksum);
    g_free(trace);
}

void fltvm_trace_add(FltvmTrace *trace, FltvmSymbols *symbols, const guint8 *payload, gsize length)
{
    for (; length >= sizeof(struct fltvm_trace_record); length -= sizeof(struct fltvm_trace_record)) {
        Entry entry = {.symbols = symbols};
        memcpy(&entry.record, payload, sizeof(entry.record));
        g_checksum_update(trace->checksum, payload, sizeof(entry.record));
        trace->count++;
        if (trace->keep && trace->entries->len < MOST_ENTRIES)
            g_array_append_val(trace->entries, entry);
        else if (trace->keep)
            trace->dropped++;
        payload += sizeof(entry.record);
    }
}

guint64 fltvm_trace_count(const FltvmTrace *trace)
{
    return trace->count;
}

guint64 fltvm_trace_dropped(const FltvmTrace *trace)
{
    return trace->dropped;
}

const char *fltvm_trace_hash(FltvmTrace *trace)
{
    return g_checksum_get_string(trace->checksum);
}

void fltvm_trace_keep(FltvmTrace *trace)
{
    trace->keep = TRUE;
}

gboolean fltvm_trace_keeps(const FltvmTrace *trace)
{
    return trace->keep;
}

void fltvm_trace_mark(FltvmTrace *trace)
{
    trace->marked = TRUE;
    trace->mark = trace->entries->len;
}

gboolean fltvm_trace_is_marked(const FltvmTrace *trace)
{
    return trace->marked;
}

guint fltvm_trace_begin(const FltvmTrace *trace)
{
    return trace->mark;
}

const struct fltvm_trace_record *fltvm_trace_get(const FltvmTrace *trace, guint index, FltvmSymbols **symbols)
{
    const Entry *entry = index < trace->entries->len ? &g_array_index(trace->entries, Entry, index) : NULL;

    if (!entry)
        return NULL;
    *symbols = entry->symbols;
    return &entry->record;
}

const char *fltvm_trace_event_name(guint event)
{
    return event < G_N_ELEMENTS(events) ? events[event].name : "?";
}

const char *fltvm_trace_event_field(guint event, guint index)
{
    return event < G_N_ELEMENTS(events) && index < 5 ? events[event].fields[index] : "";
}

/* --- the file ------------------------------------------------------------------------------------------ */

enum { PID_RUNNING = 1, PID_INTERRUPTS = 2, PID_THREADS = 3 };

/* Names that addresses have got. */
typedef struct {
    FILE *out;
    gboolean first;
    GHashTable *symbols; /* "symbols pointer:address" to text */
    GHashTable *objects; /* "kind:address" to number */
    GHashTable *counts;  /* kind to how many there are */
    GHashTable *threads; /* address to thread number + 1 */
    GHashTable *names;   /* address to thread name */
} Writer;

static char *symbol_key(FltvmSymbols *symbols, guint64 address)
{
    return g_strdup_printf("%p:%" G_GINT64_MODIFIER "x", (void *)symbols, address);
}

static const Event *event_of(const struct fltvm_trace_record *record)
{
    return record->event < G_N_ELEMENTS(events) ? &events[record->event] : &events[0];
}

/* Look every routine's address up once, in one go for each machine. */
static void resolve_all(FltvmTrace *trace, Writer *writer)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(FltvmSymbol));
    FltvmSymbols *symbols = NULL;

    for (guint i = 0; i <= trace->entries->len; i++) {
        const Entry *entry = i < trace->entries->len ? &g_array_index(trace->entries, Entry, i) : NULL;
        if (!entry || entry->symbols != symbols) {
            if (list->len)
                fltvm_symbols_resolve(symbols, (FltvmSymbol *)(void *)list->data, list->len);
            for (guint j = 0; j < list->len; j++) {
                FltvmSymbol *symbol = &g_array_index(list, FltvmSymbol, j);
                g_hash_table_replace(writer->symbols, symbol_key(symbols, symbol->address), g_strdup(symbol->function));
                fltvm_symbol_clear(symbol);
            }
            g_array_set_size(list, 0);
            symbols = entry ? entry->symbols : NULL;
        }
        for (guint field = 0; entry && field < 5; field++) {
            char *key;
            if (event_of(&entry->record)->fields[field][0] != '*')
                continue;
            key = symbol_key(symbols, entry->record.args[field]);
            if (!g_hash_table_contains(writer->symbols, key)) {
                FltvmSymbol symbol = {.address = entry->record.args[field]};
                g_array_append_val(list, symbol);
                g_hash_table_insert(writer->symbols, key, NULL);
            } else {
                g_free(key);
            }
        }
    }
}

static guint number_of(Writer *writer, const char *kind, guint64 address)
{
    char *key = g_strdup_printf("%s:%" G_GINT64_MODIFIER "x", kind, address);
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(writer->objects, key));

    if (number) {
        g_free(key);
        return number;
    }
    number = GPOINTER_TO_UINT(g_hash_table_lookup(writer->counts, kind)) + 1;
    g_hash_table_replace(writer->counts, g_strdup(kind), GUINT_TO_POINTER(number));
    g_hash_table_replace(writer->objects, key, GUINT_TO_POINTER(number));
    return number;
}

/* Threads are one kind of object, whatever the field is called. */
static const char *kind_of(const char *field)
{
    return g_str_equal(field, "from") || g_str_equal(field, "to") ? "thread" : field;
}

static void put_arguments(Writer *writer, const Entry *entry)
{
    const Event *event = event_of(&entry->record);
    const char *separator = "";

    fputs("\"args\":{", writer->out);
    for (guint i = 0; i < 5; i++) {
        const char *field = event->fields[i];
        guint64 value = entry->record.args[i];
        if (!*field)
            continue;
        if (*field == '*') {
            g_autofree char *key = symbol_key(entry->symbols, value);
            const char *name = g_hash_table_lookup(writer->symbols, key);
            g_autofree char *text = fltvm_text_json(name ? name : "?");
            fprintf(writer->out, "%s\"%s\":%s", separator, field + 1, text);
        } else if (*field == '#') {
            if (value)
                fprintf(writer->out, "%s\"%s\":\"%s %u\"", separator, field + 1, kind_of(field + 1),
                        number_of(writer, kind_of(field + 1), value));
            else
                fprintf(writer->out, "%s\"%s\":null", separator, field + 1);
        } else if (value > 0xFFFFFFFFu || strstr(field, "status")) {
            fprintf(writer->out, "%s\"%s\":\"0x%" G_GINT64_MODIFIER "x\"", separator, field, value);
        } else {
            fprintf(writer->out, "%s\"%s\":%" G_GUINT64_FORMAT, separator, field, value);
        }
        separator = ",";
    }
    fprintf(writer->out, "%s\"irql\":%u,\"cpu\":%u,\"sequence\":%u}}", separator, entry->record.irql, entry->record.cpu,
            entry->record.sequence);
}

static void put_event(Writer *writer, char phase, const char *name, const Entry *entry, int pid, guint tid)
{
    g_autofree char *text = fltvm_text_json(name);

    fprintf(writer->out, "%s{\"ph\":\"%c\",\"name\":%s,\"ts\":%" G_GUINT64_FORMAT ".%03u,\"pid\":%d,\"tid\":%u,%s",
            writer->first ? "" : ",\n", phase, text, entry->record.time_ns / 1000,
            (guint)(entry->record.time_ns % 1000), pid, tid, phase == 'i' ? "\"s\":\"t\"," : "");
    writer->first = FALSE;
    put_arguments(writer, entry);
}

static void put_name(Writer *writer, const char *what, int pid, guint tid, const char *name)
{
    g_autofree char *text = fltvm_text_json(name);

    fprintf(writer->out, "%s{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u,\"args\":{\"name\":%s}}",
            writer->first ? "" : ",\n", what, pid, tid, text);
    writer->first = FALSE;
}

/* What a slice is called: the routine if there is one, else the event. */
static const char *title_of(Writer *writer, const Entry *entry)
{
    const Event *event = event_of(&entry->record);

    for (guint i = 0; i < 5; i++) {
        if (event->fields[i][0] == '*') {
            g_autofree char *key = symbol_key(entry->symbols, entry->record.args[i]);
            const char *name = g_hash_table_lookup(writer->symbols, key);
            if (name)
                return name;
        }
    }
    return event->name;
}

static void put_thread_name(Writer *writer, const struct fltvm_trace_record *record)
{
    char name[25] = {0};
    guint tid = number_of(writer, "thread", record->args[0]);

    memcpy(name, &record->args[1], 24);
    put_name(writer, "thread_name", PID_THREADS, tid, name);
    g_hash_table_replace(writer->names, GUINT_TO_POINTER(tid), g_strdup(name));
}

static void put_switch(Writer *writer, const Entry *entry)
{
    guint to = number_of(writer, "thread", entry->record.args[1]);
    const char *known = g_hash_table_lookup(writer->names, GUINT_TO_POINTER(to));
    g_autofree char *name = known ? g_strdup(known) : g_strdup_printf("thread %u", to);
    gpointer cpu = GUINT_TO_POINTER(entry->record.cpu + 1u);

    if (g_hash_table_contains(writer->threads, cpu))
        put_event(writer, 'E', "", entry, PID_RUNNING, entry->record.cpu);
    g_hash_table_add(writer->threads, cpu);
    put_event(writer, 'B', name, entry, PID_RUNNING, entry->record.cpu);
}

static void put_entry(Writer *writer, const Entry *entry)
{
    const Event *event = event_of(&entry->record);
    gboolean on_cpu = g_str_has_prefix(event->name, "INTERRUPT_") || g_str_has_prefix(event->name, "DPC_");
    int pid = on_cpu ? PID_INTERRUPTS : PID_THREADS;
    guint tid = on_cpu ? entry->record.cpu : number_of(writer, "thread", entry->record.thread);

    if (entry->record.event == FLTVM_TRACE_THREAD_NAME)
        put_thread_name(writer, &entry->record);
    else if (entry->record.event == FLTVM_TRACE_CONTEXT_SWITCH)
        put_switch(writer, entry);
    else if (g_str_has_suffix(event->name, "_ENTER"))
        put_event(writer, 'B', title_of(writer, entry), entry, pid, tid);
    else if (g_str_has_suffix(event->name, "_LEAVE"))
        put_event(writer, 'E', "", entry, pid, tid);
    else
        put_event(writer, 'i', event->name, entry, pid, tid);
}

gboolean fltvm_trace_write(FltvmTrace *trace, const char *path, GError **error)
{
    Writer writer = {.first = TRUE};
    FltvmOutput output;

    if (!fltvm_output_open(&output, "--trace", path, error))
        return FALSE;
    writer.out = output.file;
    writer.symbols = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    writer.objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    writer.counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    writer.threads = g_hash_table_new(NULL, NULL);
    writer.names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    resolve_all(trace, &writer);
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", writer.out);
    put_name(&writer, "process_name", PID_RUNNING, 0, "running, by processor");
    put_name(&writer, "process_name", PID_INTERRUPTS, 0, "interrupts and DPCs, by processor");
    put_name(&writer, "process_name", PID_THREADS, 0, "callbacks and work items, by thread");
    for (guint i = 0; i < trace->entries->len; i++)
        put_entry(&writer, &g_array_index(trace->entries, Entry, i));
    fputs("\n]}\n", writer.out);
    g_hash_table_unref(writer.symbols);
    g_hash_table_unref(writer.objects);
    g_hash_table_unref(writer.counts);
    g_hash_table_unref(writer.threads);
    g_hash_table_unref(writer.names);
    return fltvm_output_finish(&output, error);
}
