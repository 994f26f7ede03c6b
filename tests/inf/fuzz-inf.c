/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The INF reader on files that were changed by seed: cut, flipped, doubled, spliced, in wrong encodings.
 * Whatever they are, it ends, with problems or without, and the sanitizers see nothing.
 *
 * usage: fuzz-inf FOLDER [FIRST COUNT]; 3000 seeds, with FLTVM_TEST_LONG 100,000.
 */
#include <stdlib.h>
#include <string.h>

#include "inf.h"

static const char *const words[] = {"%",
                                    "%%",
                                    "\"",
                                    "\"\"",
                                    "\\",
                                    "\\\n",
                                    "\\\\\n",
                                    ",",
                                    ";",
                                    "[",
                                    "]",
                                    "[]",
                                    "\n",
                                    "\r\n",
                                    "\r",
                                    "=",
                                    "\t",
                                    "\x1a",
                                    "%12%",
                                    "%a%",
                                    "[Strings]\na=%b%\nb=%a%\n",
                                    "[Strings]\na=%a%%a%\n",
                                    "[DefaultInstall]\n",
                                    "AddReg=",
                                    "HKR,,x,1,ff",
                                    "HKR,,x,0x10008,a",
                                    "0x",
                                    "-",
                                    "4294967296",
                                    "\xEF\xBB\xBF",
                                    "\xFF\xFE",
                                    "\xFE\xFF",
                                    "\xC3\x28",
                                    "\xF4\x90\x80\x80",
                                    "AddService=x,,y\n",
                                    "NT$ARCH$.10.0...19041",
                                    ".Services",
                                    "[Manufacturer]\n%a%=b,NTamd64\n[b.NTamd64]\nx=y\n",
                                    "Instances\\a"};

typedef struct {
    GPtrArray *files; /* of GBytes */
    GRand *dice;
} Fuzzer;

static guint pick(Fuzzer *fuzzer, guint count)
{
    return count > 1 ? (guint)g_rand_int_range(fuzzer->dice, 0, (gint32)count) : 0;
}

static void widen(GByteArray *bytes, gboolean mark)
{
    g_autoptr(GByteArray) wide = g_byte_array_new();

    if (mark)
        g_byte_array_append(wide, (const guint8 *)"\xFF\xFE", 2);
    for (guint i = 0; i < bytes->len; i++) {
        guint8 pair[2] = {bytes->data[i], 0};
        g_byte_array_append(wide, pair, 2);
    }
    g_byte_array_set_size(bytes, 0);
    g_byte_array_append(bytes, wide->data, wide->len);
}

static void insert(GByteArray *bytes, guint at, gconstpointer data, guint length)
{
    guint old = bytes->len;

    g_byte_array_set_size(bytes, old + length);
    memmove(bytes->data + at + length, bytes->data + at, old - at);
    memcpy(bytes->data + at, data, length);
}

static void change(Fuzzer *fuzzer, GByteArray *bytes)
{
    guint at = pick(fuzzer, bytes->len + 1), length;
    gsize size;
    const guint8 *other;
    const char *word;

    switch (pick(fuzzer, 8)) {
    case 0: /* cut short */ g_byte_array_set_size(bytes, at); break;
    case 1:
        if (at < bytes->len)
            bytes->data[at] ^= (guint8)(1 << pick(fuzzer, 8));
        break;
    case 2: /* lose a piece */
        length = pick(fuzzer, 64);
        length = MIN(length, bytes->len - at);
        if (length)
            g_byte_array_remove_range(bytes, at, length);
        break;
    case 3: /* a piece of this or another file */
        other = g_bytes_get_data(fuzzer->files->pdata[pick(fuzzer, fuzzer->files->len)], &size);
        length = pick(fuzzer, 300);
        length = MIN(length, (guint)size);
        insert(bytes, at, other + pick(fuzzer, (guint)size - length + 1), length);
        break;
    case 4:
        if (pick(fuzzer, 20) == 0)
            widen(bytes, pick(fuzzer, 4) != 0);
        break;
    default: word = words[pick(fuzzer, G_N_ELEMENTS(words))]; insert(bytes, at, word, (guint)strlen(word));
    }
}

static void run(Fuzzer *fuzzer, guint seed)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(FltvmInf) inf = NULL;
    const guint8 *file;
    gsize size;

    g_rand_set_seed(fuzzer->dice, seed);
    file = g_bytes_get_data(fuzzer->files->pdata[pick(fuzzer, fuzzer->files->len)], &size);
    g_byte_array_append(bytes, file, (guint)size);
    for (guint left = 1 + pick(fuzzer, 8); left > 0; left--)
        change(fuzzer, bytes);
    inf = fltvm_inf_parse("fuzz.inf", bytes->data, bytes->len);
    fltvm_inf_check(inf);
    for (guint i = 0; i < inf->problems->len; i++) {
        g_autofree char *text = fltvm_inf_problem_text(inf, inf->problems->pdata[i]);
        if (!g_utf8_validate(text, -1, NULL))
            g_error("seed %u: no UTF-8: %s", seed, text);
    }
    for (guint i = 0; i < inf->services->len; i++) {
        g_autofree char *path = fltvm_inf_find_image(inf, "/nowhere/fuzz.inf", inf->services->pdata[i]);
        g_assert_null(path);
    }
}

/* Files that are large in one way: each has to end soon, with an error that says so or without. */
static void run_large(guint which)
{
    static const char *const pieces[] = {"%a%",
                                         "AddReg=A\n",
                                         "[x%a%]\n",
                                         "\"",
                                         "\\\n",
                                         "a=%a%%a%\n",
                                         "HKR,,x,0x10000,y\n",
                                         "AddService=x,,A\n",
                                         "%a%=%a%,NTamd64\n"};
    g_autoptr(GString) text =
        g_string_new("[Version]\nSignature=$CHICAGO$\n[Strings]\na=1\nb=%c%%c%\nc=%d%%d%\nd=%e%%e%\n"
                     "e=xxxxxxxxxxxxxxxx\n[A]\nHKLM,x,y,,%b%\n[DefaultInstall.Services]\n"
                     "AddService=x,,A\n[Manufacturer]\n[DefaultInstall]\nAddReg=A\n");
    g_autoptr(FltvmInf) inf = NULL;

    while (text->len < 1 << 20)
        g_string_append(text, pieces[which]);
    inf = fltvm_inf_parse("large.inf", text->str, text->len);
    fltvm_inf_check(inf);
    g_assert_cmpuint(inf->operations->len, <=, 400000);
}

/* The folder's INF files, in an order of their own: by name. */
static void load_files(Fuzzer *fuzzer, const char *folder)
{
    static const char *const names[] = {"device", "driverstore", "monitor", "targets", "values"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("%s/%s.inf", folder, names[i]);
        char *bytes;
        gsize length;
        if (!g_file_get_contents(path, &bytes, &length, NULL)) {
            g_print("Bail out! %s cannot be read\n", path);
            exit(1);
        }
        g_ptr_array_add(fuzzer->files, g_bytes_new_take(bytes, length));
    }
}

int main(int argc, char **argv)
{
    Fuzzer fuzzer = {.files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref),
                     .dice = g_rand_new_with_seed(1)};
    guint first = argc > 2 ? (guint)atoi(argv[2]) : 1, count = getenv("FLTVM_TEST_LONG") ? 100000 : 3000;

    load_files(&fuzzer, argv[1]);
    count = argc > 3 ? (guint)atoi(argv[3]) : count;
    g_print("1..2\n");
    for (guint seed = first; seed < first + count; seed++)
        run(&fuzzer, seed);
    g_print("ok 1 - %u seeds\n", count);
    for (guint i = 0; i < 9; i++)
        run_large(i);
    g_print("ok 2 - large files\n");
    g_ptr_array_unref(fuzzer.files);
    g_rand_free(fuzzer.dice);
    return 0;
}
