/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for addresses: see symbols.h. */
#include "symbols.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"
#include "source_root.h"
#include "symbolizer.h"
#include "temp.h"

/* How many images are kept in mind, and how long their names are. */
#define MOST_IMAGES 4096u
#define MOST_NAME   260u

typedef struct {
    char *name;
    guint64 base;
    guint32 size;
    gboolean unloaded;
    gboolean in_box;
} Image;

struct FltvmSymbols {
    GPtrArray *images; /* Image, the newest last */
    GHashTable *files; /* lower-case image name to unstripped file */
};

static void image_free(gpointer data)
{
    Image *image = data;

    g_free(image->name);
    g_free(image);
}

FltvmSymbols *fltvm_symbols_new(void)
{
    FltvmSymbols *symbols = g_new0(FltvmSymbols, 1);

    symbols->images = g_ptr_array_new_with_free_func(image_free);
    symbols->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return symbols;
}

void fltvm_symbols_free(FltvmSymbols *symbols)
{
    if (!symbols)
        return;
    g_ptr_array_unref(symbols->images);
    g_hash_table_unref(symbols->files);
    g_free(symbols);
}

/* The guest may name an image by a path of its own. */
static const char *leaf(const char *image)
{
    const char *slash = strrchr(image, '/'), *backslash = strrchr(image, '\\');

    image = slash ? slash + 1 : image;
    return backslash && backslash >= image ? backslash + 1 : image;
}

void fltvm_symbols_set_file(FltvmSymbols *symbols, const char *image, const char *file)
{
    g_hash_table_replace(symbols->files, g_ascii_strdown(leaf(image), -1), g_strdup(file));
}

static char *file_of(FltvmSymbols *symbols, const char *image)
{
    g_autofree char *key = g_ascii_strdown(image, -1);
    const char *file = g_hash_table_lookup(symbols->files, key);
    g_autofree char *built = file ? g_strdup(file) : fltvm_path_symbols(image);

    return access(built, R_OK) == 0 ? g_steal_pointer(&built) : NULL;
}

/* A guest may load without end: the oldest that are unloaded go, then the oldest. */
static void make_room(FltvmSymbols *symbols)
{
    guint victim = 0;

    if (symbols->images->len < MOST_IMAGES)
        return;
    while (victim < symbols->images->len && !((Image *)symbols->images->pdata[victim])->unloaded)
        victim++;
    g_ptr_array_remove_index(symbols->images, victim < symbols->images->len ? victim : 0);
}

void fltvm_symbols_loaded(FltvmSymbols *symbols, const char *name, guint64 base, guint32 size, gboolean in_box)
{
    Image *image;

    make_room(symbols);
    image = g_new0(Image, 1);
    image->name = g_strndup(leaf(name), MOST_NAME);
    image->base = base;
    image->size = size;
    image->in_box = in_box;
    g_ptr_array_add(symbols->images, image);
}

void fltvm_symbols_unloaded(FltvmSymbols *symbols, const char *name, guint64 base)
{
    (void)name;
    for (guint i = 0; i < symbols->images->len; i++) {
        Image *image = symbols->images->pdata[i];
        if (image->base == base)
            image->unloaded = TRUE;
    }
}

static const Image *find(FltvmSymbols *symbols, guint64 address)
{
    /* The newest first: an unloaded image's addresses may have been used again. */
    for (guint i = symbols->images->len; i-- > 0;) {
        const Image *image = symbols->images->pdata[i];
        if (address >= image->base && address - image->base < image->size)
            return image;
    }
    return NULL;
}

const char *fltvm_symbols_image(FltvmSymbols *symbols, guint64 address)
{
    const Image *image = find(symbols, address);

    return image ? image->name : NULL;
}

gboolean fltvm_symbols_in_box(FltvmSymbols *symbols, guint64 address)
{
    const Image *image = find(symbols, address);

    return image && image->in_box;
}

/* "workitem.sys" is shown as "workitem", ntoskrnl.exe as "nt", as debuggers do. */
static char *short_name(const char *image)
{
    const char *dot = strrchr(image, '.');

    if (g_ascii_strcasecmp(image, "ntoskrnl.exe") == 0)
        return g_strdup("nt");
    return dot ? g_strndup(image, (gsize)(dot - image)) : g_strdup(image);
}

/* A path inside the source tree is shown from its root on, without the way through the build folder. */
static char *short_path(const char *path)
{
    gsize length = strlen(FLTVM_SOURCE_ROOT);
    g_autofree char *canonical = NULL;

    if (g_path_is_absolute(path)) {
        canonical = g_canonicalize_filename(path, NULL);
        path = canonical;
    }
    if (strncmp(path, FLTVM_SOURCE_ROOT, length) == 0 && path[length] == '/')
        path += length + 1;
    while (g_str_has_prefix(path, "../"))
        path += 3;
    return g_strdup(path);
}

static void describe_plain(FltvmSymbol *symbol, const Image *image)
{
    if (image) {
        g_autofree char *name = short_name(image->name);
        symbol->function = g_strdup_printf("%s+0x%" G_GINT64_MODIFIER "x", name, symbol->address - image->base);
        symbol->text = g_strdup_printf("%s%s", symbol->function, image->unloaded ? " (unloaded)" : "");
    } else {
        symbol->function = g_strdup_printf("0x%016" G_GINT64_MODIFIER "x", symbol->address);
        symbol->text = g_strdup(symbol->function);
    }
}

/* One answer of llvm-symbolizer: pairs of lines, function and file:line:column, inner inlined calls first. */
static void describe(FltvmSymbol *symbol, const Image *image, const char *answer)
{
    g_auto(GStrv) lines = g_strsplit(answer, "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *name = short_name(image->name);
    gboolean in_header = FALSE;

    for (guint i = 0; lines[i] && lines[i + 1] && *lines[i]; i += 2) {
        char *column = strrchr(lines[i + 1], ':');
        g_autofree char *path = NULL;
        gboolean placed;

        if (g_str_equal(lines[i], "??"))
            continue;
        if (column)
            *column = '\0';
        path = short_path(lines[i + 1]);
        placed = !g_str_has_prefix(path, "??");
        /* Line 0: code that the compiler has merged of several lines.  There is none to name. */
        if (g_str_has_suffix(path, ":0"))
            path[strlen(path) - 2] = '\0';
        if (text->len)
            g_string_append_c(text, '\n');
        g_string_append_printf(text, "%s!%s", name, lines[i]);
        if (placed)
            g_string_append_printf(text, " (%s)", path);
        /* An inline routine of a header is what its caller wrote. */
        if (!symbol->function || in_header) {
            g_free(symbol->function);
            g_free(symbol->place);
            symbol->function = g_strdup_printf("%s!%s", name, lines[i]);
            symbol->place = placed ? g_strdup(path) : NULL;
            in_header = placed && strstr(path, ".h:");
        }
    }
    if (symbol->function)
        symbol->text = g_string_free(g_steal_pointer(&text), FALSE);
}

/*
 * The file as llvm-symbolizer's input, a line each, names it: between quotes of one kind.  A path with both kinds, or with a
 * line's end, goes by a link.
 */
static char *quoted(const char *file)
{
    g_autofree char *link = NULL;

    if (!strpbrk(file, "\"\n"))
        return g_strdup_printf("\"%s\"", file);
    if (!strpbrk(file, "'\n"))
        return g_strdup_printf("'%s'", file);
    link = g_strdup_printf("%s/image-%08x", fltvm_temp_dir(NULL), g_str_hash(file));
    return g_strdup_printf("\"%s\"", symlink(file, link) == 0 || errno == EEXIST ? link : file);
}

/* The line that asks the symbolizer for an address; NULL if there is no file to look into.  The file is added to `files`. */
static char *question(FltvmSymbols *symbols, const FltvmSymbol *symbol, GHashTable *files)
{
    const Image *image = find(symbols, symbol->address);
    g_autofree char *file = image ? file_of(symbols, image->name) : NULL;
    g_autofree char *name = file ? quoted(file) : NULL;

    if (!name)
        return NULL;
    g_hash_table_add(files, g_steal_pointer(&file));
    return g_strdup_printf("%s 0x%" G_GINT64_MODIFIER "x", name,
                           symbol->address - image->base - (symbol->is_return ? 1 : 0));
}

void fltvm_symbols_resolve(FltvmSymbols *symbols, FltvmSymbol *list, guint count)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree guint *asked = g_new0(guint, count + 1); /* which answer is for it, from 1 on; 0: none */
    g_autoptr(GString) input = g_string_new(NULL);
    g_auto(GStrv) answers = NULL;
    guint questions = 0;

    for (guint i = 0; i < count; i++) {
        char *line = question(symbols, &list[i], files);
        if (!line)
            continue;
        asked[i] = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, line));
        if (!asked[i]) {
            asked[i] = ++questions;
            g_string_append_printf(input, "%s\n", line);
            g_hash_table_insert(numbers, g_steal_pointer(&line), GUINT_TO_POINTER(questions));
        }
        g_free(line);
    }
    answers = fltvm_symbolizer_ask(input, questions, files);
    questions = MIN(questions, g_strv_length(answers));
    for (guint i = 0; i < count; i++) {
        const Image *image = find(symbols, list[i].address);
        if (asked[i] && asked[i] <= questions)
            describe(&list[i], image, answers[asked[i] - 1]);
        if (!list[i].text)
            describe_plain(&list[i], image);
    }
}

void fltvm_symbol_clear(FltvmSymbol *symbol)
{
    g_clear_pointer(&symbol->text, g_free);
    g_clear_pointer(&symbol->function, g_free);
    g_clear_pointer(&symbol->place, g_free);
}
