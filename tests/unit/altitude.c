/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of altitudes: numbers of any length, compared as numbers. */
#include <glib.h>
#include "fltmgr/core/altitude.h"

static int compare(const char *left, const char *right)
{
    g_autofree gunichar2 *a = g_utf8_to_utf16(left, -1, NULL, NULL, NULL);
    g_autofree gunichar2 *b = g_utf8_to_utf16(right, -1, NULL, NULL, NULL);
    int order = FltpAltitudeCompare(a, strlen(left), b, strlen(right));

    g_assert_cmpint(order, ==, -FltpAltitudeCompare(b, strlen(right), a, strlen(left)));
    return order;
}

static gboolean valid(const char *text)
{
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);

    return FltpAltitudeIsValid(wide, strlen(text));
}

static void order(void)
{
    static const char *const rising[] = {"0",
                                         "0.000000000000000000000000001",
                                         "0.5",
                                         "9",
                                         "20",
                                         "37.45",
                                         "37.5",
                                         "100",
                                         "370030",
                                         "370030.1",
                                         "123456789012345678901234567890.01",
                                         "123456789012345678901234567890.1"};

    for (gsize i = 0; i < G_N_ELEMENTS(rising); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(rising); j++)
            g_assert_cmpint(compare(rising[i], rising[j]), ==, i < j ? -1 : i > j);
    }
}

static void same(void)
{
    g_assert_cmpint(compare("328010", "0328010.000"), ==, 0);
    g_assert_cmpint(compare("1.", "1"), ==, 0);
    g_assert_cmpint(compare(".5", "0.50"), ==, 0);
    g_assert_cmpint(compare("0", "000.000"), ==, 0);
}

static void validity(void)
{
    static const char *const bad[] = {"", ".", "1.2.3", "-1", "+1", "1e5", " 1", "1 ", "0x10", "1,5"};
    static const char *const good[] = {"0", "1.", ".1", "00.10", "370030"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(valid(bad[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(valid(good[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/altitude/order", order);
    g_test_add_func("/altitude/same", same);
    g_test_add_func("/altitude/validity", validity);
    return g_test_run();
}
