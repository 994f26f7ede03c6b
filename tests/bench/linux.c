// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first and only program of a Linux machine: what Linux takes for what costs.md tells of this kernel, in guest instructions.
 *
 * A sample is the time-stamp counter over so many rounds; the median of SAMPLES is printed as "bench linux-NAME NUMBER". Compiled by
 * linux.py, which runs it under -icount with one processor.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define SAMPLES 21
#define PAGES   256

static unsigned long long samples[SAMPLES];
static char page[4096];
static volatile sig_atomic_t caught;

static int compare(const void *left, const void *right)
{
    const unsigned long long a = *(const unsigned long long *)left, b = *(const unsigned long long *)right;

    return a < b ? -1 : a > b;
}

static void report(const char *name, int rounds)
{
    qsort(samples, SAMPLES, sizeof(samples[0]), compare);
    printf("bench linux-%s %llu\n", name, samples[SAMPLES / 2] / (unsigned)rounds);
    fflush(stdout);
}

static void must(int holds, const char *what)
{
    if (!holds) {
        printf("failed: %s\n", what);
        fflush(stdout);
        reboot(RB_POWER_OFF);
    }
}

#define MEASURE(name, rounds, what)                                                                                    \
    for (int sample = 0; sample < SAMPLES; sample++) {                                                                 \
        unsigned long long before = __rdtsc();                                                                         \
        for (int round = 0; round < (rounds); round++) {                                                               \
            what;                                                                                                      \
        }                                                                                                              \
        samples[sample] = __rdtsc() - before;                                                                          \
    }                                                                                                                  \
    report(name, rounds)

static void on_signal(int number)
{
    (void)number;
    caught++;
}

static void open_close(const char *path)
{
    int file = open(path, O_RDWR);

    must(file >= 0 && close(file) == 0, path);
}

static void map_touch(int file, int number)
{
    char *at = mmap(NULL, sizeof(page), PROT_READ, MAP_SHARED, file, number % PAGES * (long)sizeof(page));

    must(at != MAP_FAILED, "mmap");
    (void)*(volatile char *)at;
    munmap(at, sizeof(page));
}

static void fork_wait(int exec)
{
    pid_t child = exec ? vfork() : fork();

    if (child == 0) {
        if (exec)
            execl("/init", "init", "end", (char *)NULL);
        _exit(0);
    }
    must(waitpid(child, NULL, 0) == child, "waitpid");
}

static void measure_switch(void)
{
    int there[2], back[2];
    char byte = 0;

    must(pipe(there) == 0 && pipe(back) == 0, "pipe");
    if (fork() == 0) {
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
            ;
        _exit(0);
    }
    MEASURE("pipe-round", 100, must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "the round"));
}

static void measure_files(void)
{
    int file = open("/tmp/file", O_CREAT | O_RDWR, 0644);

    for (int number = 0; number < PAGES; number++)
        must(write(file, page, sizeof(page)) == sizeof(page), "write");
    MEASURE("open-null", 100, open_close("/dev/null"));
    MEASURE("open-file", 100, open_close("/tmp/file"));
    MEASURE("read-4k", 100, must(pread(file, page, sizeof(page), round * (long)sizeof(page)) > 0, "read"));
    MEASURE("write-4k", 100, must(pwrite(file, page, sizeof(page), round * (long)sizeof(page)) > 0, "write"));
    MEASURE("map-fault", 16, map_touch(file, round));
}

int main(int count, char **words)
{
    int console;

    if (count > 1 && strcmp(words[1], "end") == 0)
        _exit(0);
    mkdir("/dev", 0755);
    mkdir("/tmp", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", 0, "");
    mount("tmpfs", "/tmp", "tmpfs", 0, "");
    console = open("/dev/console", O_RDWR);
    for (int number = 0; number < 3; number++)
        dup2(console, number);
    signal(SIGUSR1, on_signal);
    MEASURE("getpid", 100, syscall(SYS_getpid));
    MEASURE("close-bad", 100, syscall(SYS_close, -1));
    measure_files();
    MEASURE("signal", 100, kill(getpid(), SIGUSR1));
    MEASURE("fork-exit", 8, fork_wait(0));
    MEASURE("fork-exec-exit", 8, fork_wait(1));
    measure_switch();
    must(caught == 100 * SAMPLES, "each signal came");
    puts("done");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
