/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for addresses: see symbols.h. */
#include "symbols.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "paths.h"
#include "source_root.h"

typedef struct {
    char *name;
    guint64 base;
    guint32 size;
    gboolean unloaded;
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

void fltvm_symbols_loaded(FltvmSymbols *symbols, const char *name, guint64 base, guint32 size)
{
    Image *image = g_new0(Image, 1);

    image->name = g_strdup(leaf(name));
    image->base = base;
    image->size = size;
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

/* The file as llvm-symbolizer's input names it: between quotes of one kind.  A path with both kinds goes by a link. */
static char *quoted(const char *file)
{
    g_autofree char *link = NULL;

    if (!strchr(file, '"'))
        return g_strdup_printf("\"%s\"", file);
    if (!strchr(file, '\''))
        return g_strdup_printf("'%s'", file);
    link = g_strdup_printf("%s/image-%08x", fltvm_child_temp_dir(NULL), g_str_hash(file));
    return g_strdup_printf("\"%s\"", symlink(file, link) == 0 || errno == EEXIST ? link : file);
}

void fltvm_symbols_resolve(FltvmSymbols *symbols, FltvmSymbol *list, guint count)
{
    static const char *const tools[] = {"llvm-symbolizer-19", "llvm-symbolizer", NULL};
    const char *argv[] = {fltvm_path_tool(tools), "--relative-address", "--demangle", "--inlining", NULL};
    g_autoptr(GString) input = g_string_new(NULL);
    g_autoptr(GArray) asked = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autofree char *output = NULL, *complaints = NULL;
    int status;

    for (guint i = 0; i < count; i++) {
        const Image *image = find(symbols, list[i].address);
        g_autofree char *file = image ? file_of(symbols, image->name) : NULL;
        g_autofree char *name = file ? quoted(file) : NULL;
        if (!file)
            continue;
        g_string_append_printf(input, "%s 0x%" G_GINT64_MODIFIER "x\n", name,
                               list[i].address - image->base - (list[i].is_return ? 1 : 0));
        g_array_append_val(asked, i);
    }
    if (asked->len && fltvm_child_run(argv, input->str, &output, &complaints, &status, NULL)) {
        g_auto(GStrv) answers = g_strsplit(output, "\n\n", -1);
        for (guint i = 0; i < asked->len && answers[i]; i++) {
            FltvmSymbol *symbol = &list[g_array_index(asked, guint, i)];
            describe(symbol, find(symbols, symbol->address), answers[i]);
        }
    }
    for (guint i = 0; i < count; i++) {
        if (!list[i].text)
            describe_plain(&list[i], find(symbols, list[i].address));
    }
}

void fltvm_symbol_clear(FltvmSymbol *symbol)
{
    g_clear_pointer(&symbol->text, g_free);
    g_clear_pointer(&symbol->function, g_free);
    g_clear_pointer(&symbol->place, g_free);
}
