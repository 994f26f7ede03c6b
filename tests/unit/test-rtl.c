// SPDX-License-Identifier: GPL-2.0-or-later
/* The run-time library's pure parts: formatting, numbers, case, code pages, bitmaps, trees, time. */
#include <glib.h>

#include "format.h"

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP, PULONG, ULONG);
VOID NTAPI RtlSetBits(PRTL_BITMAP, ULONG, ULONG);
VOID NTAPI RtlClearBits(PRTL_BITMAP, ULONG, ULONG);
ULONG NTAPI RtlFindClearBits(PRTL_BITMAP, ULONG, ULONG);
ULONG NTAPI RtlFindSetBits(PRTL_BITMAP, ULONG, ULONG);
ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP);
ULONG NTAPI RtlFindLongestRunClear(PRTL_BITMAP, PULONG);
BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP, ULONG, ULONG);
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR);
WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR);
BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS, PLARGE_INTEGER);
VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER, PTIME_FIELDS);
NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR, ULONG, PULONG, PCCH, ULONG);
NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR, ULONG, PULONG, PCWCH, ULONG);
NTSTATUS NTAPI RtlUnicodeToOemN(PCHAR, ULONG, PULONG, PCWCH, ULONG);
NTSTATUS NTAPI RtlOemToUnicodeN(PWSTR, ULONG, PULONG, PCCH, ULONG);
NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG, ULONG, PUNICODE_STRING);
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING, ULONG, PULONG);
BOOLEAN NTAPI RtlIsValidOemCharacter(PWCHAR);
NTSTATUS NTAPI RtlGUIDFromString(PUNICODE_STRING, GUID *);
NTSTATUS NTAPI RtlStringFromGUID(REFGUID, PUNICODE_STRING);
VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE, PRTL_AVL_COMPARE_ROUTINE, PRTL_AVL_ALLOCATE_ROUTINE,
                                        PRTL_AVL_FREE_ROUTINE, PVOID);
PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE, PVOID, CLONG, PBOOLEAN);
BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE, PVOID);
PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE, PVOID);
PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE, BOOLEAN);
PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE, ULONG);
VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE, PRTL_GENERIC_COMPARE_ROUTINE, PRTL_GENERIC_ALLOCATE_ROUTINE,
                                     PRTL_GENERIC_FREE_ROUTINE, PVOID);
PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE, PVOID, CLONG, PBOOLEAN);
BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE, PVOID);
PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE, PVOID);
PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE, PVOID *);
int _snprintf(char *Buffer, size_t Count, const char *Format, ...);

/* number.c wants it; printf.c would clash with the host's C library. */
int _snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    va_list arguments;
    SIZE_T length;

    va_start(arguments, Format);
    length = RtlpFormat(Buffer, Count, Format, FALSE, arguments);
    va_end(arguments);
    if (length < Count)
        Buffer[length] = 0;
    return length > Count ? -1 : (int)length;
}

static void formats(const gchar *expected, const gchar *format, ...)
{
    gchar buffer[256];
    va_list arguments;
    SIZE_T length;

    va_start(arguments, format);
    length = RtlpFormat(buffer, sizeof(buffer) - 1, format, FALSE, arguments);
    va_end(arguments);
    buffer[MIN(length, sizeof(buffer) - 1)] = 0;
    g_assert_cmpstr(buffer, ==, expected);
    g_assert_cmpuint(length, ==, strlen(expected));
}

static void test_format(void)
{
    static WCHAR wide[] = {'w', 'i', 'd', 'e', 0};
    UNICODE_STRING counted = {6, 8, wide};
    ANSI_STRING narrow = {3, 4, (PCHAR) "abcd"};

    formats("7 -7 007 +7", "%d %d %03d %+d", 7, -7, 7, 7);
    formats("ff FF 0xff 0XFF 377", "%x %X %#x %#X %o", 255, 255, 255, 255, 255);
    formats("[  ab] [ab  ] [a]", "[%4s] [%-4s] [%.1s]", "ab", "ab", "ab");
    formats("18446744073709551615 1234567890123", "%I64u %lld", ~0ULL, 1234567890123LL);
    formats("0000000012345678", "%p", (void *)0x12345678);
    formats("wide wid abc (null)", "%S %wZ %Z %s", wide, &counted, &narrow, (char *)NULL);
    formats("   5|5   |00005", "%*d|%-*d|%.5d", 4, 5, 4, 5, 5);
    formats("100% c", "%d%% %c", 100, 'c');
    formats("-9223372036854775808", "%I64d", INT64_MIN);
    formats("ffff 1", "%hx %hhd", 0x1FFFF, 0x101);
}

static void test_case(void)
{
    g_assert_cmpuint(RtlUpcaseUnicodeChar('z'), ==, 'Z');
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0xE4), ==, 0xC4);
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0xFF), ==, 0x178);
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0x3B1), ==, 0x391);
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0x434), ==, 0x414);
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0xDF), ==, 0xDF);   /* no single capital */
    g_assert_cmpuint(RtlUpcaseUnicodeChar(0x131), ==, 0x131); /* would not come back */
    for (guint c = 0; c < 0x10000; c++) {
        WCHAR upper = RtlUpcaseUnicodeChar((WCHAR)c);
        if (upper != c)
            g_assert_cmpuint(RtlDowncaseUnicodeChar(upper), ==, c);
    }
}

static void test_utf8(void)
{
    static const gchar text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    WCHAR wide[16];
    gchar back[16];
    ULONG bytes;

    g_assert_cmpint(RtlUTF8ToUnicodeN(wide, sizeof(wide), &bytes, text, 10), ==, STATUS_SUCCESS);
    g_assert_cmpuint(bytes, ==, 10);
    g_assert_cmpuint(wide[1], ==, 0xE4);
    g_assert_cmpuint(wide[2], ==, 0x20AC);
    g_assert_cmpuint(wide[3], ==, 0xD83D);
    g_assert_cmpint(RtlUnicodeToUTF8N(back, sizeof(back), &bytes, wide, 10), ==, STATUS_SUCCESS);
    g_assert_cmpmem(back, bytes, text, 10);
    g_assert_cmpint(RtlUTF8ToUnicodeN(NULL, 0, &bytes, text, 10), ==, STATUS_SUCCESS);
    g_assert_cmpuint(bytes, ==, 10);
    g_assert_cmpint(RtlUTF8ToUnicodeN(wide, 2, &bytes, text, 10), ==, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmpint(RtlUnicodeToUTF8N(back, sizeof(back), &bytes, wide, 9), ==, STATUS_INVALID_PARAMETER_5);
    g_assert_cmpint(RtlUnicodeToUTF8N(NULL, 0, &bytes, wide, 3), ==, STATUS_INVALID_PARAMETER_5);
    g_assert_cmpint(RtlUTF8ToUnicodeN(wide, sizeof(wide), &bytes, "\xC0\xAF", 2), ==, STATUS_SOME_NOT_MAPPED);
    g_assert_cmpuint(wide[0], ==, 0xFFFD);
    wide[0] = 0xD800;
    g_assert_cmpint(RtlUnicodeToUTF8N(back, sizeof(back), &bytes, wide, 2), ==, STATUS_SOME_NOT_MAPPED);
}

/* Bytes that belong together become one U+FFFD: a first byte, and those after it that its kind may have. */
static void test_bad_utf8(void)
{
    static const struct {
        const gchar *text;
        guint units;
    } bad[] = {
        {"\xED\xA0\x80", 2},     {"\xED\xBF\xBF", 2},     {"\xE0\x80\xAD", 2}, {"\xE0\x9F\xBF", 2},
        {"\xF4\x90\x80\x80", 3}, {"\xF0\x80\x80\xAD", 3}, {"\xF5\x80", 2},     {"\xC0\xAF", 2},
        {"\x80\x80", 2},         {"\xE3\x81", 1},         {"\xF0\x9F\x98", 1}, {"\xF0\x8F\xBF\xBF", 3},
    };
    WCHAR wide[8];
    ULONG bytes;

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(RtlUTF8ToUnicodeN(wide, sizeof(wide), &bytes, bad[i].text, (ULONG)strlen(bad[i].text)), ==,
                        STATUS_SOME_NOT_MAPPED);
        g_assert_cmpuint(bytes, ==, 2 * bad[i].units);
        for (guint unit = 0; unit < bad[i].units; unit++)
            g_assert_cmpuint(wide[unit], ==, 0xFFFD);
    }
    g_assert_cmpint(RtlUTF8ToUnicodeN(wide, sizeof(wide), &bytes, "\xE3\x81z", 3), ==, STATUS_SOME_NOT_MAPPED);
    g_assert_cmpuint(bytes, ==, 4);
    g_assert_cmpuint(wide[1], ==, 'z');
    /* The first unit of a pair fits, the second does not. */
    wide[1] = 'q';
    g_assert_cmpint(RtlUTF8ToUnicodeN(wide, 2, &bytes, "\xF0\x9F\x98\x80", 4), ==, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmpuint(bytes, ==, 2);
    g_assert_cmpuint(wide[0], ==, 0xD83D);
    g_assert_cmpuint(wide[1], ==, 'q');
}

static void test_oem_validity(void)
{
    WCHAR c = 'q';

    g_assert_true(RtlIsValidOemCharacter(&c));
    g_assert_cmpuint(c, ==, 'Q');
    c = 0xE4;
    g_assert_true(RtlIsValidOemCharacter(&c));
    g_assert_cmpuint(c, ==, 0xC4);
    c = '?';
    g_assert_false(RtlIsValidOemCharacter(&c));
    c = 0x4E00;
    g_assert_false(RtlIsValidOemCharacter(&c));
    g_assert_cmpuint(c, ==, 0x4E00);
}

static void test_oem(void)
{
    WCHAR wide[256];
    gchar bytes[256], again[256];
    ULONG length;

    for (guint i = 0; i < 256; i++)
        bytes[i] = (gchar)i;
    g_assert_cmpint(RtlOemToUnicodeN(wide, sizeof(wide), &length, bytes, 256), ==, STATUS_SUCCESS);
    g_assert_cmpint(RtlUnicodeToOemN(again, 256, &length, wide, sizeof(wide)), ==, STATUS_SUCCESS);
    g_assert_cmpmem(bytes, 256, again, length);
    g_assert_cmpuint(wide[0x84], ==, 0xE4);
    wide[0] = 0x4E00;
    g_assert_cmpint(RtlUnicodeToOemN(again, 1, &length, wide, 2), ==, STATUS_SUCCESS);
    g_assert_cmpint(again[0], ==, '?');
}

static void test_numbers(void)
{
    WCHAR text[40];
    UNICODE_STRING string = {0, sizeof(text), text}, small = {0, 4, text}, guid_text = {0};
    static WCHAR hexadecimal[] = {' ', '-', '0', 'x', '1', 'f', 'g'};
    UNICODE_STRING number = {sizeof(hexadecimal), sizeof(hexadecimal), hexadecimal};
    GUID guid = {0x12345678, 0x9ABC, 0xDEF0, {1, 2, 3, 4, 5, 6, 7, 8}}, copy;
    ULONG value;

    g_assert_cmpint(RtlIntegerToUnicodeString(4294967295u, 10, &string), ==, STATUS_SUCCESS);
    g_assert_cmpuint(string.Length, ==, 20);
    g_assert_cmpint(RtlIntegerToUnicodeString(1234, 0, &small), ==, STATUS_BUFFER_OVERFLOW);
    text[1] = 'q';
    g_assert_cmpint(RtlIntegerToUnicodeString(12, 10, &small), ==,
                    STATUS_BUFFER_OVERFLOW); /* no room for the terminator */
    g_assert_cmpuint(small.Length, ==, 4);
    g_assert_cmpint(RtlIntegerToUnicodeString(1, 10, &small), ==, STATUS_SUCCESS);
    g_assert_cmpuint(text[1], ==, 0);
    g_assert_cmpint(RtlUnicodeStringToInteger(&number, 0, NULL), ==, STATUS_ACCESS_VIOLATION);
    g_assert_cmpint(RtlUnicodeStringToInteger(&number, 7, NULL), ==, STATUS_INVALID_PARAMETER);
    g_assert_cmpint(RtlIntegerToUnicodeString(1, 7, &string), ==, STATUS_INVALID_PARAMETER);
    g_assert_cmpint(RtlUnicodeStringToInteger(&number, 0, &value), ==, STATUS_SUCCESS);
    g_assert_cmpint((gint32)value, ==, -31);
    g_assert_cmpint(RtlStringFromGUID(&guid, &guid_text), ==, STATUS_SUCCESS);
    g_assert_cmpuint(guid_text.Length, ==, 76);
    g_assert_cmpint(RtlGUIDFromString(&guid_text, &copy), ==, STATUS_SUCCESS);
    g_assert_cmpmem(&guid, sizeof(guid), &copy, sizeof(copy));
    guid_text.Buffer[3] = 'x';
    g_assert_cmpint(RtlGUIDFromString(&guid_text, &copy), ==, STATUS_INVALID_PARAMETER);
    free(guid_text.Buffer);
}

/* Against a plain array. */
static void test_bitmap(void)
{
    enum { SIZE = 333 };
    ULONG buffer[(SIZE + 31) / 32] = {0};
    gboolean model[SIZE] = {0};
    GRand *random = g_rand_new_with_seed(7);
    RTL_BITMAP map;

    RtlInitializeBitMap(&map, buffer, SIZE);
    for (guint round = 0; round < 3000; round++) {
        guint start = (guint)g_rand_int_range(random, 0, SIZE), length, longest = 0, run = 0, ones = 0, found, hint;
        ULONG where;

        length = (guint)g_rand_int_range(random, 1, (gint32)MIN(SIZE - start + 1, 70));
        if (length > SIZE - start)
            length = SIZE - start;
        if (round & 1)
            RtlSetBits(&map, start, length);
        else
            RtlClearBits(&map, start, length);
        for (guint i = start; i < start + length; i++)
            model[i] = round & 1;
        for (guint i = 0; i < SIZE; i++) {
            ones += model[i];
            run = model[i] ? 0 : run + 1;
            longest = MAX(longest, run);
        }
        g_assert_cmpuint(RtlNumberOfSetBits(&map), ==, ones);
        g_assert_cmpuint(RtlFindLongestRunClear(&map, &where), ==, longest);
        hint = (guint)g_rand_int_range(random, 0, SIZE);
        found = RtlFindClearBits(&map, 5, hint);
        if (longest < 5) {
            g_assert_cmpuint(found, ==, 0xFFFFFFFF);
        } else {
            g_assert_cmpuint(found, <=, SIZE - 5);
            for (guint i = found; i < found + 5; i++)
                g_assert_false(model[i]);
            g_assert_true(RtlAreBitsClear(&map, found, 5));
        }
    }
    g_rand_free(random);
}

static RTL_GENERIC_COMPARE_RESULTS compare(gint a, gint b)
{
    return a < b ? GenericLessThan : a > b ? GenericGreaterThan : GenericEqual;
}
static RTL_GENERIC_COMPARE_RESULTS compare_avl(PRTL_AVL_TABLE table, PVOID a, PVOID b)
{
    (void)table;
    return compare(*(gint *)a, *(gint *)b);
}
static PVOID allocate_avl(PRTL_AVL_TABLE table, CLONG size)
{
    (void)table;
    return malloc((size_t)size);
}
static VOID free_avl(PRTL_AVL_TABLE table, PVOID node)
{
    (void)table;
    free(node);
}
static RTL_GENERIC_COMPARE_RESULTS compare_splay(PRTL_GENERIC_TABLE table, PVOID a, PVOID b)
{
    (void)table;
    return compare(*(gint *)a, *(gint *)b);
}
static PVOID allocate_splay(PRTL_GENERIC_TABLE table, CLONG size)
{
    (void)table;
    return malloc((size_t)size);
}
static VOID free_splay(PRTL_GENERIC_TABLE table, PVOID node)
{
    (void)table;
    free(node);
}

/* The depth of a subtree; its links, order and balance are right. */
static gint check_avl(PRTL_BALANCED_LINKS node, PRTL_BALANCED_LINKS parent)
{
    gint left, right;

    if (!node)
        return 0;
    g_assert_true(node->Parent == parent);
    left = check_avl(node->LeftChild, node);
    right = check_avl(node->RightChild, node);
    g_assert_cmpint(node->Balance, ==, right - left);
    g_assert_cmpint(ABS(node->Balance), <=, 1);
    return MAX(left, right) + 1;
}

static void test_avl(void)
{
    enum { RANGE = 300 };
    gboolean model[RANGE] = {0};
    GRand *random = g_rand_new_with_seed(11);
    RTL_AVL_TABLE table;
    guint elements = 0;

    RtlInitializeGenericTableAvl(&table, compare_avl, allocate_avl, free_avl, NULL);
    for (guint round = 0; round < 6000; round++) {
        gint key = g_rand_int_range(random, 0, RANGE), previous = -1;
        BOOLEAN inserted;
        guint seen = 0;

        if (g_rand_int_range(random, 0, 100) < (round < 3000 ? 60 : 40)) {
            gint *element = RtlInsertElementGenericTableAvl(&table, &key, sizeof(key), &inserted);
            g_assert_cmpint(*element, ==, key);
            g_assert_cmpint(inserted, ==, !model[key]);
            elements += inserted;
            model[key] = TRUE;
        } else {
            g_assert_cmpint(RtlDeleteElementGenericTableAvl(&table, &key), ==, model[key]);
            elements -= (guint)model[key];
            model[key] = FALSE;
        }
        g_assert_cmpint(RtlLookupElementGenericTableAvl(&table, &key) != NULL, ==, model[key]);
        g_assert_cmpint(check_avl(table.BalancedRoot.RightChild, &table.BalancedRoot), ==, (gint)table.DepthOfTree);
        g_assert_cmpuint(table.NumberGenericTableElements, ==, elements);
        if (round % 50)
            continue;
        for (gint *e = RtlEnumerateGenericTableAvl(&table, TRUE); e; e = RtlEnumerateGenericTableAvl(&table, FALSE)) {
            g_assert_cmpint(*e, >, previous);
            g_assert_true(model[*e]);
            g_assert_true(RtlGetElementGenericTableAvl(&table, seen) == e);
            previous = *e;
            seen++;
        }
        g_assert_cmpuint(seen, ==, elements);
    }
    for (gint key = 0; key < RANGE; key++)
        RtlDeleteElementGenericTableAvl(&table, &key);
    g_assert_null(table.BalancedRoot.RightChild);
    g_rand_free(random);
}

static void test_splay(void)
{
    enum { RANGE = 300 };
    gboolean model[RANGE] = {0};
    GRand *random = g_rand_new_with_seed(13);
    RTL_GENERIC_TABLE table;

    RtlInitializeGenericTable(&table, compare_splay, allocate_splay, free_splay, NULL);
    for (guint round = 0; round < 6000; round++) {
        gint key = g_rand_int_range(random, 0, RANGE), previous = -1;
        BOOLEAN inserted;
        PVOID restart = NULL;

        if (g_rand_int_range(random, 0, 2)) {
            RtlInsertElementGenericTable(&table, &key, sizeof(key), &inserted);
            g_assert_cmpint(inserted, ==, !model[key]);
            model[key] = TRUE;
        } else {
            g_assert_cmpint(RtlDeleteElementGenericTable(&table, &key), ==, model[key]);
            model[key] = FALSE;
        }
        g_assert_cmpint(RtlLookupElementGenericTable(&table, &key) != NULL, ==, model[key]);
        if (round % 50)
            continue;
        for (gint *e; (e = RtlEnumerateGenericTableWithoutSplaying(&table, &restart)) != NULL; previous = *e)
            g_assert_cmpint(*e, >, previous);
    }
    for (gint key = 0; key < RANGE; key++)
        RtlDeleteElementGenericTable(&table, &key);
    g_assert_null(table.TableRoot);
    g_rand_free(random);
}

static void test_time(void)
{
    TIME_FIELDS fields = {2024, 2, 29, 12, 34, 56, 789, 0}, back;
    LARGE_INTEGER ticks;

    g_assert_true(RtlTimeFieldsToTime(&fields, &ticks));
    g_assert_cmpint(ticks.QuadPart, ==, 133536836967890000);
    RtlTimeToTimeFields(&ticks, &back);
    g_assert_cmpint(back.Weekday, ==, 4);
    back.Weekday = 0;
    g_assert_cmpmem(&fields, sizeof(fields), &back, sizeof(back));
    fields.Year = 2023;
    g_assert_false(RtlTimeFieldsToTime(&fields, &ticks));
    for (gint64 day = 0; day < 800000; day += 13) {
        ticks.QuadPart = day * 864000000000;
        RtlTimeToTimeFields(&ticks, &back);
        g_assert_true(RtlTimeFieldsToTime(&back, &ticks));
        g_assert_cmpint(ticks.QuadPart, ==, day * 864000000000);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtl/format", test_format);
    g_test_add_func("/rtl/case", test_case);
    g_test_add_func("/rtl/utf8", test_utf8);
    g_test_add_func("/rtl/utf8/bad", test_bad_utf8);
    g_test_add_func("/rtl/oem", test_oem);
    g_test_add_func("/rtl/oem/validity", test_oem_validity);
    g_test_add_func("/rtl/numbers", test_numbers);
    g_test_add_func("/rtl/bitmap", test_bitmap);
    g_test_add_func("/rtl/avl", test_avl);
    g_test_add_func("/rtl/splay", test_splay);
    g_test_add_func("/rtl/time", test_time);
    return g_test_run();
}
