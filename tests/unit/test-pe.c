// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loader's reading of PE files: real images pass, and no byte of one can be changed so that it reads or writes
 * out of bounds.  Run it under a sanitizer to be sure of the last.
 */
#include <glib.h>

#include "pe.h"

static gchar *images[8];
static gsize lengths[8];
static guint count;

static BOOLEAN bind(PVOID context, PCSTR module, PCSTR name, USHORT ordinal, PULONG64 slot)
{
    guint *imports = context;

    (*imports)++;
    g_assert_nonnull(module);
    g_assert_true(name == NULL || strlen(name) < 512);
    (void)ordinal;
    *slot = 0x1234;
    return TRUE;
}

/* Everything the loader does to a file; NULL or the reason why not.  `bytes` has exactly `length` bytes. */
static const gchar *load(const gchar *bytes, gsize length, guint *imports)
{
    g_autofree LDRP_PE *pe = g_new0(LDRP_PE, 1);
    g_autofree gchar *base = NULL;
    const gchar *reason = LdrpParseImage(bytes, length, pe), *forwarder;
    guint ignored = 0;

    if (reason)
        return reason;
    g_assert_cmpuint(pe->SizeOfImage % 0x1000, ==, 0);
    base = g_malloc0(pe->SizeOfImage);
    LdrpLayOut(bytes, pe, (PUCHAR)base);
    reason = LdrpRelocate((PUCHAR)base, pe, 0xFFFFF80004000000);
    if (!reason)
        reason = LdrpCheckExceptions((PUCHAR)base, pe);
    if (!reason)
        reason = LdrpSetCookie((PUCHAR)base, pe, 0xFFFFF80004000000, 0x123456789ABC);
    if (!reason)
        reason = LdrpWalkImports((PUCHAR)base, pe, bind, imports ? imports : &ignored);
    LdrpFindExport((PUCHAR)base, pe->SizeOfImage, pe->Export, "RtlInitUnicodeString", 0, &forwarder);
    LdrpFindExport((PUCHAR)base, pe->SizeOfImage, pe->Export, NULL, 1, &forwarder);
    return reason;
}

static void test_real(void)
{
    for (guint i = 0; i < count; i++) {
        guint imports = 0;
        g_assert_cmpstr(load(images[i], lengths[i], &imports), ==, NULL);
    }
}

static void test_export(void)
{
    LDRP_PE pe;
    PCSTR forwarder;
    g_autofree gchar *base = NULL;

    g_assert_null(LdrpParseImage(images[0], lengths[0], &pe));
    base = g_malloc0(pe.SizeOfImage);
    LdrpLayOut(images[0], &pe, (PUCHAR)base);
    g_assert_cmpuint(LdrpFindExport((PUCHAR)base, pe.SizeOfImage, pe.Export, "KeBugCheckEx", 0, &forwarder), >, 0);
    g_assert_cmpuint(LdrpFindExport((PUCHAR)base, pe.SizeOfImage, pe.Export, "NoSuchThing", 0, &forwarder), ==, 0);
    g_assert_cmpuint(LdrpFindExport((PUCHAR)base, pe.SizeOfImage, pe.Export, NULL, 60000, &forwarder), ==, 0);
}

/* An entry point is wanted, but of a DLL, and in code. */
static void test_entry(void)
{
    static const guint32 bad[] = {0, 8, 0x10000000, 0xFFFFFFFF};
    guint driver = count;
    guint32 header;

    do {
        g_assert_cmpuint(driver, >, 0);
        driver--;
        header = GUINT32_FROM_LE(*(const guint32 *)(images[driver] + 0x3C));
    } while (GUINT16_FROM_LE(*(const guint16 *)(images[driver] + header + 22)) & IMAGE_FILE_DLL);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree gchar *copy = g_memdup2(images[driver], lengths[driver]);
        memcpy(copy + header + 24 + 16, &bad[i], 4);
        g_assert_nonnull(load(copy, lengths[driver], NULL));
    }
}

/* What is wrong with a section is said. */
static void test_sections(void)
{
    static const struct {
        guint field; /* of the header of the last section */
        guint32 value;
        const gchar *reason;
    } bad[] = {
        {12, 16, "a section is not page-aligned"}, /* beyond where it was */
        {12, 0, "a section overlaps another or lies outside the image"},
        {12, 0x7FFFF000, "a section overlaps another or lies outside the image"},
        {8, 0x7FFFF000, "a section overlaps another or lies outside the image"},
        {20, 0x7FFFF000, "a section's data lies outside the file"},
    };
    const gchar *image = images[count - 1];
    guint32 header = GUINT32_FROM_LE(*(const guint32 *)(image + 0x3C));
    guint sections = GUINT16_FROM_LE(*(const guint16 *)(image + header + 6));
    guint last = header + 24 + GUINT16_FROM_LE(*(const guint16 *)(image + header + 20)) + 40 * (sections - 1);

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree gchar *copy = g_memdup2(image, lengths[count - 1]);
        guint32 value = bad[i].value == 16 ? GUINT32_FROM_LE(*(const guint32 *)(image + last + 12)) + 16 : bad[i].value;
        memcpy(copy + last + bad[i].field, &value, sizeof(value));
        g_assert_cmpstr(load(copy, lengths[count - 1], NULL), ==, bad[i].reason);
    }
}

/* Sections that reports need are known: the directory's, the data's; not the code's. */
static void test_unwind_data(void)
{
    g_autofree LDRP_PE *pe = g_new0(LDRP_PE, 1);
    g_autofree gchar *base = NULL;
    guint held = 0;

    g_assert_null(LdrpParseImage(images[count - 1], lengths[count - 1], pe));
    base = g_malloc0(pe->SizeOfImage);
    LdrpLayOut(images[count - 1], pe, (PUCHAR)base);
    for (guint i = 0; i < pe->Sections; i++) {
        BOOLEAN holds =
            LdrpHoldsUnwindData((PUCHAR)base, pe->SizeOfImage, pe->Exception, pe->Section[i].Rva, pe->Section[i].Size);
        held += holds;
        if (strcmp(pe->Section[i].Name, ".pdata") == 0)
            g_assert_true(holds);
        if (pe->Section[i].Characteristics & IMAGE_SCN_MEM_EXECUTE)
            g_assert_false(holds);
    }
    g_assert_cmpuint(held, >, 0);
}

/* Each prefix that lacks something of a section is refused. */
static void test_truncated(void)
{
    guint last = count - 1;
    gsize end = 0;
    LDRP_PE pe;

    g_assert_null(LdrpParseImage(images[last], lengths[last], &pe));
    for (guint i = 0; i < pe.Sections; i++)
        end = MAX(end, (gsize)pe.Section[i].RawOffset + pe.Section[i].RawSize);
    for (gsize length = 0; length < end; length += length < 2048 ? 1 : 61) {
        g_autofree gchar *copy = g_memdup2(images[last], length ? length : 1);
        g_assert_nonnull(load(copy, length, NULL));
    }
}

/* Random changes, most of them in the headers and the tables: refused or not, nothing else happens. */
static void test_fuzz(void)
{
    static const guint8 values[] = {0, 1, 0x7F, 0x80, 0xFF, 0x10, 0xFE};
    GRand *random = g_rand_new_with_seed(4711);
    guint refused = 0;

    for (guint round = 0; round < 20000; round++) {
        guint which = count > 1 ? 1 + round % (count - 1) : 0;
        gsize length = lengths[which];
        g_autofree gchar *copy = g_memdup2(images[which], length);
        guint changes = 1 + (guint)g_rand_int_range(random, 0, 6);

        for (guint change = 0; change < changes; change++) {
            gsize limit = g_rand_int_range(random, 0, 3) ? MIN(length, 1024) : length;
            gsize place = (gsize)g_rand_int_range(random, 0, (gint32)limit);
            copy[place] = g_rand_int_range(random, 0, 2)
                              ? (gchar)g_rand_int(random)
                              : (gchar)values[g_rand_int_range(random, 0, G_N_ELEMENTS(values))];
        }
        refused += load(copy, length, NULL) != NULL;
    }
    g_rand_free(random);
    g_assert_cmpuint(refused, >, 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gint i = 1; i < argc && count < G_N_ELEMENTS(images); i++) {
        g_assert_true(g_file_get_contents(argv[i], &images[count], &lengths[count], NULL));
        count++;
    }
    g_assert_cmpuint(count, >, 0);
    g_test_add_func("/pe/real", test_real);
    g_test_add_func("/pe/export", test_export);
    g_test_add_func("/pe/entry", test_entry);
    g_test_add_func("/pe/sections", test_sections);
    g_test_add_func("/pe/unwind-data", test_unwind_data);
    g_test_add_func("/pe/truncated", test_truncated);
    g_test_add_func("/pe/fuzz", test_fuzz);
    return g_test_run();
}
