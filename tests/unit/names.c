/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Altitudes and file-name expressions, compiled for the host: both against a slow and obvious second opinion, on all
 * short inputs, where the sanitizers see every access.
 */
#include <glib.h>

#include "../../fltmgr/core/altitude.c"
#include "../../guest/fsrtl/name.c"

static size_t widen(const char *text, uint16_t *wide)
{
    size_t length = 0;

    for (; text[length]; length++)
        wide[length] = (unsigned char)text[length];
    return length;
}

static int compare(const char *left, const char *right)
{
    uint16_t l[64], r[64];
    size_t left_length = widen(left, l), right_length = widen(right, r);
    int order = FltpAltitudeCompare(l, left_length, r, right_length);

    g_assert_cmpint((order > 0) - (order < 0), ==,
                    -((FltpAltitudeCompare(r, right_length, l, left_length) > 0) -
                      (FltpAltitudeCompare(r, right_length, l, left_length) < 0)));
    return (order > 0) - (order < 0);
}

static void test_altitude_order(void)
{
    /* From the lowest to the highest; equal ones share a line. */
    static const char *const ascending[] = {"0",
                                            "0.5",
                                            "20",
                                            "37.45",
                                            "37.5",
                                            "100",
                                            "328010",
                                            "328010.1",
                                            "328010.10001",
                                            "370030",
                                            "999999999999999999999998",
                                            "999999999999999999999999"};

    for (gsize i = 0; i < G_N_ELEMENTS(ascending); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(ascending); j++)
            g_assert_cmpint(compare(ascending[i], ascending[j]), ==, (i > j) - (i < j));
    }
    g_assert_cmpint(compare("0328010.000", "328010"), ==, 0);
    g_assert_cmpint(compare("37.50", "37.5"), ==, 0);
}

static gboolean valid(const char *text)
{
    uint16_t wide[64];
    size_t length = widen(text, wide);

    return FltpAltitudeIsValid(wide, length) != 0;
}

static void test_altitude_valid(void)
{
    static const char *const good[] = {"0", "370030", "328010.5", "00"};
    static const char *const bad[] = {"", ".", "a", "-1", "1.2.3", "1 ", " 1", "1e3", "0x10"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(valid(good[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(valid(bad[i]));
}

/* The definition of the wild cards, read aloud.  `name` points into the whole name; `end` is where that ends. */
static gboolean obviously(const char *expression, const char *name)
{
    switch (*expression) {
    case 0: return *name == 0;
    case '*': return obviously(expression + 1, name) || (*name && obviously(expression, name + 1));
    case '<': /* any number, up to and with the last period */
        if (*name == '.' && !strchr(name + 1, '.'))
            return obviously(expression + 1, name) || obviously(expression + 1, name + 1);
        return obviously(expression + 1, name) || (*name && obviously(expression, name + 1));
    case '?': return *name && obviously(expression + 1, name + 1);
    case '>':
        if (*name == 0 || *name == '.')
            return obviously(expression + 1, name);
        return obviously(expression + 1, name + 1);
    case '"': return *name == 0 ? obviously(expression + 1, name) : *name == '.' && obviously(expression + 1, name + 1);
    default: return *name == *expression && obviously(expression + 1, name + 1);
    }
}

static gboolean matches(const char *expression, const char *name)
{
    g_autofree uint16_t *e = g_new(uint16_t, strlen(expression) + 1), *n = g_new(uint16_t, strlen(name) + 1);
    UNICODE_STRING expression_string = {widen(expression, e) * 2, 0, e}, name_string = {widen(name, n) * 2, 0, n};

    return FsRtlIsNameInExpression(&expression_string, &name_string, FALSE, NULL);
}

static char *spell(guint number, const char *letters, char *text)
{
    guint base = strlen(letters), length = 0;

    for (; number > 0; number /= base) {
        number--;
        text[length++] = letters[number % base];
    }
    text[length] = 0;
    return text;
}

/* Every expression of up to four characters against every name of up to four. */
static void test_expressions(void)
{
    char expression[16], name[16];

    for (guint i = 1; i < 8 + 64 + 512 + 4096 + 1; i++) {
        spell(i, "ab.*?<>\"", expression);
        for (guint j = 1; j < 3 + 9 + 27 + 81 + 1; j++) {
            spell(j, "ab.", name);
            if (matches(expression, name) != obviously(expression, name))
                g_error("'%s' and '%s': %d", expression, name, matches(expression, name));
        }
    }
}

/* What the documentation's words mean for names that one meets. */
static void test_known_expressions(void)
{
    static const struct {
        const char *expression, *name;
        gboolean matches;
    } known[] = {
        {"ab<exe", "abcd.exe", TRUE},
        {"ab<exe", "ab.exe", TRUE},
        {"ab<exe", "ab.c.exe", TRUE},
        {"ab<exe", "abexe", TRUE},
        {"ab<exe", "abcd.ex", FALSE},
        {"<.exe", "a.b.exe", TRUE},
        {"<exe", "a.exe.b", FALSE},
        {"<exe", "a.exe.exe", TRUE},
        {"a<b<c", "a.b.c", TRUE},
        {"<", "a.b", FALSE},
        {"<", "a.", TRUE},
        {"<\"*", "name", TRUE},
        {"<\"*", "name.ext", TRUE},
        {"a>>>>.txt", "abc.txt", TRUE},
        {"a>>.txt", "abcd.txt", FALSE},
        {">>>>>>>>\">>>", "a.b", TRUE},
        {">>>>>>>>\">>>", "abcdefghi", FALSE},
        {"a\"", "a.", TRUE},
        {"a\"b", "ab", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (matches(known[i].expression, known[i].name) != known[i].matches)
            g_error("'%s' and '%s': %d", known[i].expression, known[i].name, !known[i].matches);
    }
}

/* FSRTL_FAT_LEGAL and so on, by the first character of each run of equal ones. */
static void test_legal_characters(void)
{
    static const struct {
        unsigned char first, flags;
    } run[] = {{0, 0},      {1, 0x10},   {' ', 0x17}, {'!', 0x07}, {'"', 0x18}, {'#', 0x17}, {'*', 0x18}, {'+', 0x16},
               {'-', 0x17}, {'.', 0x07}, {'/', 0},    {'0', 0x17}, {':', 0x04}, {';', 0x16}, {'<', 0x18}, {'=', 0x16},
               {'>', 0x18}, {'@', 0x17}, {'[', 0x16}, {'\\', 0},   {']', 0x16}, {'^', 0x17}, {'|', 0x10}, {'}', 0x17}};
    gsize at = 0;

    for (guint c = 0; c < 128; c++) {
        if (at + 1 < G_N_ELEMENTS(run) && run[at + 1].first == c)
            at++;
        if (FsRtlLegalAnsiCharacterArray[c] != run[at].flags)
            g_error("%#x: %#x", c, FsRtlLegalAnsiCharacterArray[c]);
    }
}

static void test_long_expressions(void)
{
    g_autofree char *expression = g_strnfill(2000, '*'), *name = g_strnfill(1000, 'a');

    expression[1000] = 'a';
    g_assert_true(matches(expression, name));
    expression[1000] = 'b';
    g_assert_false(matches(expression, name));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/altitude/order", test_altitude_order);
    g_test_add_func("/altitude/valid", test_altitude_valid);
    g_test_add_func("/expression/short", test_expressions);
    g_test_add_func("/expression/known", test_known_expressions);
    g_test_add_func("/name/characters", test_legal_characters);
    g_test_add_func("/expression/long", test_long_expressions);
    return g_test_run();
}
