/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file from its bytes to what it installs, and where its image is: see inf.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "infp.h"

static void problem_free(gpointer data)
{
    FltvmInfProblem *problem = data;

    g_free(problem->text);
    g_free(problem);
}

static void operation_free(gpointer data)
{
    FltvmInfOperation *operation = data;

    g_free(operation->key);
    g_free(operation->value);
    g_byte_array_unref(operation->data);
    g_free(operation);
}

static void service_free(gpointer data)
{
    FltvmInfService *service = data;

    g_free(service->name);
    g_free(service->image_path);
    g_free(service->file);
    g_free(service->group);
    g_free(service);
}

/* Where the driver store would keep the file: by its name and its contents. */
static char *store_folder(const char *name, gconstpointer bytes, gsize length)
{
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, length);
    g_autofree char *base = g_path_get_basename(name);
    g_autofree char *lower = g_utf8_strdown(base, -1);

    digest[16] = '\0';
    return g_strdup_printf("C:\\Windows\\System32\\DriverStore\\FileRepository\\%s_amd64_%s", lower, digest);
}

FltvmInf *fltvm_inf_parse(const char *name, gconstpointer bytes, gsize length)
{
    FltvmInf *inf = g_new0(FltvmInf, 1);
    g_autofree char *text = NULL;

    inf->name = g_strdup(name);
    inf->store = store_folder(name, bytes, length);
    inf->problems = g_ptr_array_new_with_free_func(problem_free);
    inf->sections = g_ptr_array_new();
    inf->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    inf->strings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    inf->services = g_ptr_array_new_with_free_func(service_free);
    inf->operations = g_ptr_array_new_with_free_func(operation_free);
    text = fltvm_inf_decode(inf, bytes, length);
    if (!text)
        return inf;
    fltvm_inf_lex(inf, text);
    if (!inf->sections->len)
        return inf;
    fltvm_inf_substitute(inf);
    fltvm_inf_install(inf);
    return inf;
}

FltvmInf *fltvm_inf_read(const char *path, GError **error)
{
    g_autofree guint8 *bytes = NULL;
    struct stat info;
    gssize got = 0, length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &info) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "INF file: %s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > INF_FILE_MAX) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "INF file: %s: %s", path,
                    S_ISREG(info.st_mode) ? "longer than 4 MiB" : "not a plain file");
        close(fd);
        return NULL;
    }
    bytes = g_malloc0((gsize)info.st_size + 1);
    do {
        length += got;
        got = read(fd, bytes + length, (gsize)(info.st_size - length));
    } while (got > 0);
    if (got < 0)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "INF file: %s: %s", path, g_strerror(errno));
    close(fd);
    return got < 0 ? NULL : fltvm_inf_parse(path, bytes, (gsize)length);
}

void fltvm_inf_free(FltvmInf *inf)
{
    if (!inf)
        return;
    g_ptr_array_unref(inf->operations);
    g_ptr_array_unref(inf->services);
    g_ptr_array_unref(inf->problems);
    g_ptr_array_unref(inf->sections);
    g_hash_table_unref(inf->by_name);
    g_hash_table_unref(inf->strings);
    g_free(inf->name);
    g_free(inf->store);
    g_free(inf->chosen);
    g_free(inf);
}

/* --- the image ----------------------------------------------------------------------------------------- */

/* `folder`/`name` whatever the letters' case; NULL. */
static char *find_file(const char *folder, const char *name)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    g_autofree char *wanted = fltvm_inf_fold(name), *exact = g_build_filename(folder, name, NULL);
    const char *entry;

    if (strchr(name, '/') || strcmp(name, "..") == 0)
        return NULL;
    if (g_file_test(exact, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&exact);
    while (directory && (entry = g_dir_read_name(directory)) != NULL) {
        g_autofree char *folded = g_utf8_validate(entry, -1, NULL) ? fltvm_inf_fold(entry) : NULL;
        if (folded && strcmp(folded, wanted) == 0)
            return g_build_filename(folder, entry, NULL);
    }
    return NULL;
}

/* "\a\b" below `folder`; never out of it. */
static char *find_folder(const char *folder, const char *path)
{
    g_auto(GStrv) parts = g_strsplit_set(path, "\\/", 64);
    g_autofree char *at = g_strdup(folder);

    for (gsize i = 0; parts[i]; i++) {
        char *next;
        if (!*parts[i] || strcmp(parts[i], ".") == 0)
            continue;
        next = find_file(at, parts[i]);
        if (!next)
            return NULL;
        g_free(at);
        at = next;
    }
    return g_steal_pointer(&at);
}

/* A section of the source media: for amd64, or for all. */
static FltvmInfSection *media_section(FltvmInf *inf, const char *name)
{
    g_autofree char *ours = g_strconcat(name, ".amd64", NULL);
    FltvmInfSection *section = fltvm_inf_section(inf, ours);

    return section ? section : fltvm_inf_section(inf, name);
}

/* FILE = DISK[,SUBFOLDER] and DISK = NAME[,TAG[,UNUSED[,FOLDER]]] */
char *fltvm_inf_find_image(FltvmInf *inf, const char *path, const FltvmInfService *service)
{
    FltvmInfSection *files = media_section(inf, "SourceDisksFiles"), *disks = media_section(inf, "SourceDisksNames");
    const FltvmInfEntry *file = files && service->file ? fltvm_inf_entry(files, service->file) : NULL;
    const FltvmInfEntry *disk = file && disks ? fltvm_inf_entry(disks, fltvm_inf_field(file, 0)) : NULL;
    g_autofree char *folder = g_path_get_dirname(path), *of_disk = NULL, *of_file = NULL;
    char *found;

    if (!service->file || !*service->file)
        return NULL;
    of_disk = disk ? find_folder(folder, fltvm_inf_field(disk, 3)) : NULL;
    of_file = file ? find_folder(of_disk ? of_disk : folder, fltvm_inf_field(file, 1)) : NULL;
    found = of_file ? find_file(of_file, service->file) : NULL;
    return found ? found : find_file(folder, service->file);
}
