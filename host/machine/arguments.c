/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QEMU command line.  Keep it to what the guest needs, since each further object is paid for at every start; the
 * devices are described in docs/specs/, the options of time in docs/manual/determinism.md.
 */
#include "config.h"

#include "error.h"
#include "paths.h"

/* System calls that QEMU needs no more once it runs; the sanitizers of a sanitized one start their symbolizer. */
#ifdef FLTVM_QEMU_SANITIZED
#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny"
#else
#define SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
#endif

G_GNUC_PRINTF(2, 3)
static void add(GPtrArray *argv, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(argv, g_strdup_vprintf(format, args));
    va_end(args);
}

/* QEMU splits option values at commas; a doubled comma stands for one. */
static char *quote_commas(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    return g_strjoinv(",,", parts);
}

static void add_machine(GPtrArray *argv, const FltvmConfig *config)
{
    add(argv, "-M");
    if (g_str_equal(config->machine, "microvm")) {
        add(argv, "microvm,x-option-roms=off,acpi=on,pcie=on,pit=off,pic=off,rtc=off,isa-serial=off,"
                  "auto-kernel-cmdline=off");
        add(argv, "-bios");
        add(argv, "qboot.rom");
    } else {
        add(argv, "q35,vmport=off,smbus=off,sata=off,usb=off,graphics=off");
    }
}

static void add_time(GPtrArray *argv, const FltvmConfig *config)
{
    if (g_str_equal(config->accel, "kvm")) {
        add(argv, "-accel");
        add(argv, "kvm");
        add(argv, "-cpu");
        add(argv, "host");
        return;
    }
    add(argv, "-accel");
    add(argv, "tcg");
    add(argv, "-icount");
    add(argv, "shift=0,sleep=%s,sched-seed=%" G_GUINT64_FORMAT, config->idles ? "on" : "off", config->seed);
    add(argv, "-cpu");
    add(argv, "max,x-fltvm-pageable=on");
    add(argv, "-seed");
    add(argv, "%" G_GUINT64_FORMAT, config->seed & G_MAXUINT32);
    add(argv, "-rtc");
    add(argv, "base=2020-01-01,clock=vm");
}

/* What QEMU opens for an image that it gets by descriptor: a set of them, named by the first one's number. */
static char *name_of_set(const FltvmImage *image, gpointer data)
{
    (void)data;
    return g_strdup_printf("/dev/fdset/%d", image->set);
}

static char *name_of_file(const FltvmImage *image, gpointer data)
{
    (void)data;
    return g_canonicalize_filename(image->path, NULL);
}

static void add_descriptors(GPtrArray *argv, const FltvmImage *image)
{
    for (; image; image = image->backing) {
        add(argv, "-add-fd");
        add(argv, "fd=%d,set=%d", image->fd, image->set);
        if (image->write_fd >= 0) {
            add(argv, "-add-fd");
            add(argv, "fd=%d,set=%d", image->write_fd, image->set);
        }
    }
}

/* The disk's properties.  A choice's fault rules come before the disk's own. */
static void add_properties(GString *device, const FltvmConfig *config, guint number)
{
    const FltvmDisk *disk = config->disks->pdata[number];
    guint rules;
    g_autofree char *chosen = fltvm_choice_faults(&config->choice, number, &rules);
    const char *own = g_hash_table_lookup(disk->device, "faults");
    GHashTableIter iter;
    gpointer name, value;

    g_hash_table_iter_init(&iter, disk->device);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (!chosen || value != own)
            g_string_append_printf(device, ",%s=%s", (char *)name, (char *)value);
    }
    if (chosen)
        g_string_append_printf(device, ",faults=%s%s%s", chosen, own ? ";" : "", own ? own : "");
    if (disk->medium_fd)
        g_string_append_printf(device, ",medium=/dev/fdset/%d", disk->medium_fd);
}

static void add_drive(GPtrArray *argv, const FltvmImage *image, const char *id, gboolean ours)
{
    g_autofree char *json = fltvm_image_describe(image, ours ? name_of_set : name_of_file, NULL);
    g_autofree char *quoted = quote_commas(json);

    add(argv, "-drive");
    /* Writes are the guest's to order; that the host might crash is no concern of a test's. */
    add(argv, "if=none,id=%s,snapshot=%s,cache=unsafe,file=json:%s", id, image->writable ? "off" : "on", quoted);
}

/* Further media, each a drive that the device takes. */
static void add_media(GPtrArray *argv, const FltvmDisk *disk, guint number, gboolean ours, GString *device)
{
    for (guint n = 1; fltvm_disk_medium(disk, n); n++) {
        g_autofree char *id = g_strdup_printf("disk%u-%u", number, n + 1);
        if (ours)
            add_descriptors(argv, fltvm_disk_medium(disk, n));
        add_drive(argv, fltvm_disk_medium(disk, n), id, ours);
        g_string_append_printf(device, ",drive%u=%s", n + 1, id);
    }
    if (disk->media)
        g_string_append(device, ",removable=on");
}

static void add_disks(GPtrArray *argv, const FltvmConfig *config, const FltvmWiring *wiring)
{
    gboolean ours = wiring->link_fd >= 0;

    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        g_autoptr(GString) device = g_string_new(NULL);
        g_autofree char *id = g_strdup_printf("disk%u", i);

        if (ours)
            add_descriptors(argv, disk->image);
        if (disk->medium_fd) {
            add(argv, "-add-fd");
            add(argv, "fd=%d,set=%d", disk->medium_fd, disk->medium_fd);
        }
        if (disk->image && (ours || disk->image->path)) {
            add_drive(argv, disk->image, id, ours);
        } else {
            /* Only in a command line for a person: there is no file to name. */
            add(argv, "-drive");
            add(argv, "if=none,id=disk%u,driver=null-co,size=%" G_GUINT64_FORMAT ",read-zeroes=on", i, disk->size);
        }
        g_string_printf(device, "fltvm-hba,drive=%s", id);
        add_media(argv, disk, i, ours, device);
        add_properties(device, config, i);
        add(argv, "-device");
        add(argv, "%s", device->str);
    }
}

static void add_link(GPtrArray *argv, const FltvmConfig *config, const FltvmWiring *wiring)
{
    add(argv, "-chardev");
    if (wiring->link_fd >= 0) {
        add(argv, "socket,id=link,fd=%d", wiring->link_fd);
    } else {
        g_autofree char *path = quote_commas(wiring->link_path);
        add(argv, "socket,id=link,path=%s,server=on,wait=off", path);
    }
    add(argv, "-device");
    add(argv, "fltvm-link,chardev=link%s", config->trace ? ",trace=on" : "");
    if (wiring->monitor_fd >= 0) {
        add(argv, "-chardev");
        add(argv, "socket,id=monitor,fd=%d", wiring->monitor_fd);
        add(argv, "-mon");
        add(argv, "chardev=monitor,mode=control");
    }
}

GPtrArray *fltvm_config_arguments(const FltvmConfig *config, const FltvmWiring *wiring, GError **error)
{
    g_autofree char *kernel = fltvm_path_kernel();
    g_autofree char *initrd = fltvm_path_initrd();
    g_autofree char *firmware = fltvm_path_firmware();
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    if (!fltvm_path_check("kernel (is the project built?)", kernel, error) ||
        !fltvm_path_check("kernel images (is the project built?)", initrd, error))
        return NULL;
    g_ptr_array_add(argv, fltvm_path_qemu());
    if (g_file_test(firmware, G_FILE_TEST_IS_DIR)) {
        add(argv, "-L");
        add(argv, "%s", firmware);
    }
    add(argv, "-sandbox");
    add(argv, "%s", SANDBOX);
    add(argv, "-nodefaults");
    add(argv, "-no-user-config");
    add(argv, "-display");
    add(argv, "none");
    add(argv, "-no-reboot");
    add_machine(argv, config);
    add(argv, "-smp");
    add(argv, "%u", config->cpus);
    add(argv, "-m");
    add(argv, "%" G_GUINT64_FORMAT "M", config->memory >> 20);
    add_time(argv, config);
    add(argv, "-kernel");
    g_ptr_array_add(argv, g_steal_pointer(&kernel));
    add(argv, "-initrd");
    g_ptr_array_add(argv, g_steal_pointer(&initrd));
    add_link(argv, config, wiring);
    add(argv, "-device");
    add(argv, "fltvm-irq");
    add_disks(argv, config, wiring);
    for (guint i = 0; i < config->extra->len; i++)
        add(argv, "%s", (char *)config->extra->pdata[i]);
    if (wiring->gdb_fd > 0) {
        add(argv, "-chardev");
        add(argv, "socket,id=gdb,fd=%d,server=on,wait=off", wiring->gdb_fd);
        add(argv, "-gdb");
        add(argv, "chardev:gdb");
        add(argv, "-S");
    }
    g_ptr_array_add(argv, NULL);
    return g_steal_pointer(&argv);
}
