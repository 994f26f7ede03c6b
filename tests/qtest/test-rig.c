/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Canary: shows that the rig notices what it is there to notice.  Every other suite trusts it.
 */
#include "rig.h"

#include <errno.h>

static void test_memory(void)
{
    uint8_t out[5000], in[5000];
    Rig *rig = rig_start(NULL, NULL);

    for (size_t i = 0; i < sizeof(out); i++) {
        out[i] = rig_pattern(i);
    }
    rig_write_block(rig, 0x100003, out, sizeof(out));
    rig_read_block(rig, 0x100003, in, sizeof(in));
    g_assert_cmpmem(out, sizeof(out), in, sizeof(in));
    rig_write(rig, 0x200000, 0x1122334455667788, 8);
    g_assert_cmphex(rig_read(rig, 0x200000, 1), ==, 0x88);
    g_assert_cmphex(rig_read(rig, 0x200002, 2), ==, 0x5566);
    g_assert_cmphex(rig_readl(rig, 0x200004), ==, 0x11223344);
    rig_stop(rig);
}

static void test_clock(void)
{
    Rig *rig = rig_start(NULL, NULL);
    uint64_t start = rig_clock(rig);

    rig_clock_step(rig, 12345);
    g_assert_cmpuint(rig_clock(rig), ==, start + 12345);
    rig_stop(rig);
}

/* Each of these must end the program; the test runs itself again and looks at how it ended. */

static void test_wrong_value(void)
{
    if (g_test_subprocess()) {
        Rig *rig = rig_start(NULL, NULL);

        rig_writel(rig, 0x100000, 1);
        g_assert_cmphex(rig_readl(rig, 0x100000), ==, 2);
        rig_stop(rig);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*rig_readl*0x00000001 == 0x00000002*");
}

static void test_dead_qemu(void)
{
    if (g_test_subprocess()) {
        Rig *rig = rig_start(NULL, NULL);

        g_free(rig_qmp(rig, "{\"execute\":\"quit\"}"));
        rig_clock_step(rig, 1);
        rig_clock_step(rig, 1);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*rig: qtest: *");
}

static void test_bad_command_line(void)
{
    if (g_test_subprocess()) {
        const char *arguments[] = {"-device", "no-such-device", NULL};

        rig_stop(rig_start(arguments, NULL));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*rig: QMP: *");
}

static void test_not_refused(void)
{
    const char *arguments[] = {"-device", "no-such-device", NULL};
    g_autofree char *text = rig_start_refused(arguments);

    g_assert_nonnull(strstr(text, "no-such-device"));
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/rig/memory", test_memory);
    g_test_add_func("/rig/clock", test_clock);
    g_test_add_func("/rig/canary/wrong-value", test_wrong_value);
    g_test_add_func("/rig/canary/dead-qemu", test_dead_qemu);
    g_test_add_func("/rig/canary/bad-command-line", test_bad_command_line);
    g_test_add_func("/rig/refused", test_not_refused);
    return g_test_run();
}
