/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a volume's structure what it has to be?  See volume.h for the rules; the on-disk format's documentation is the Linux-NTFS project's.
 * The library opens each record as it does for everybody, so what it refuses is a fault of its own.
 */
#include "library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE (1 << 16)

/* One fault may have many others in its train. */
#define FAULTS_SAID 100

typedef struct {
    FltvmVolume *volume;
    FltvmVolumeSay say;
    gpointer data;
    gboolean lost_is_fine;
    guint count, lost;
    guint8 *clusters; /* a bit a cluster that a stream has */
    guint64 records;
    guint16 *names;   /* of each record: its names, */
    guint16 *entries; /* and the entries of folders that lead to it */
} Check;

typedef struct {
    guint64 id;
    FILE_NAME_TYPE_FLAGS kind;
    gsize length;
    ntfschar name[255];
} Entry;

G_GNUC_PRINTF(2, 0)
static void say_list(Check *check, const char *format, va_list args)
{
    g_autofree char *line = g_strdup_vprintf(format, args);

    if (check->count++ < FAULTS_SAID)
        check->say(line, check->data);
}

G_GNUC_PRINTF(2, 3)
static void say(Check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_list(check, format, args);
    va_end(args);
}

/* What only takes room, or is a file that no folder leads to. */
G_GNUC_PRINTF(2, 3)
static void say_lost(Check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (check->lost_is_fine)
        check->lost++;
    else
        say_list(check, format, args);
    va_end(args);
}

/* --- clusters ------------------------------------------------------------------------------------------ */

static void take_run(Check *check, guint64 record, gint64 first, gint64 count)
{
    const ntfs_volume *ntfs = check->volume->ntfs;

    if (first > ntfs->nr_clusters || count > ntfs->nr_clusters - first) {
        say(check, "record %" G_GUINT64_FORMAT ": clusters from %" G_GINT64_FORMAT " on are not on the volume", record,
            first);
        return;
    }
    for (gint64 cluster = first; cluster < first + count; cluster++) {
        if (ntfs_bit_get_and_set(check->clusters, (u64)cluster, 1) != 0)
            say(check, "record %" G_GUINT64_FORMAT ": cluster %" G_GINT64_FORMAT " is another stream's, too", record,
                cluster);
    }
}

static void take_stream(Check *check, guint64 record, const ATTR_RECORD *attribute)
{
    g_autofree char *what =
        g_strdup_printf("record %" G_GUINT64_FORMAT ", attribute 0x%x", record, le32_to_cpu(attribute->type));
    runlist_element *runs = ntfs_mapping_pairs_decompress(check->volume->ntfs, attribute, NULL);
    gint64 data = sle64_to_cpu(attribute->data_size), allocated = sle64_to_cpu(attribute->allocated_size);

    if (!runs) {
        say(check, "%s: its run list is damaged", what);
        return;
    }
    for (const runlist_element *run = runs; run->length > 0; run++) {
        if (run->lcn >= 0)
            take_run(check, record, run->lcn, run->length);
    }
    free(runs);
    if (attribute->lowest_vcn == 0 && (data > allocated || sle64_to_cpu(attribute->initialized_size) > data))
        say(check, "%s: it holds more bytes than it has", what);
}

/* What is taken is marked in the bitmap, and nothing else. */
static void check_clusters(Check *check)
{
    ntfs_volume *ntfs = check->volume->ntfs;
    g_autofree guint8 *bytes = g_malloc(PIECE);

    for (gint64 at = 0; at < (ntfs->nr_clusters + 7) / 8; at += PIECE) {
        gint64 wanted = MIN((ntfs->nr_clusters + 7) / 8 - at, PIECE);

        if (ntfs_attr_pread(ntfs->lcnbmp_na, at, wanted, bytes) != wanted) {
            say(check, "the bitmap of clusters cannot be read");
            return;
        }
        for (gint64 bit = 0; bit < wanted * 8 && at * 8 + bit < ntfs->nr_clusters; bit++) {
            gboolean marked = ntfs_bit_get(bytes, (u64)bit) != 0;

            if (marked == (ntfs_bit_get(check->clusters, (u64)(at * 8 + bit)) != 0))
                continue;
            if (marked)
                say_lost(check, "cluster %" G_GINT64_FORMAT " is marked, and nobody has it", at * 8 + bit);
            else
                say(check, "cluster %" G_GINT64_FORMAT " belongs to a stream, and is not marked", at * 8 + bit);
        }
    }
}

/* --- folders ------------------------------------------------------------------------------------------- */

static int collect(void *data, const ntfschar *name, const int length, const int kind, const s64 at, const MFT_REF id,
                   const unsigned type)
{
    Entry entry = {.id = id, .kind = (FILE_NAME_TYPE_FLAGS)kind, .length = MIN((gsize)length, 255)};

    (void)type;
    if (at <= 1 && length <= 2 && le16_to_cpu(name[0]) == '.' && le16_to_cpu(name[length - 1]) == '.')
        return 0; /* "." and "..", which are in no index */
    memcpy(entry.name, name, entry.length * sizeof(*name));
    g_array_append_val(data, entry);
    return 0;
}

/* Does a record that is open have this name in the folder? */
static gboolean has_name(ntfs_inode *inode, guint64 folder, const Entry *entry)
{
    ntfs_attr_search_ctx *search = ntfs_attr_get_search_ctx(inode, NULL);
    gboolean found = FALSE;

    while (search && !found && ntfs_attr_lookup(AT_FILE_NAME, NULL, 0, CASE_SENSITIVE, 0, NULL, 0, search) == 0) {
        const FILE_NAME_ATTR *name =
            (const FILE_NAME_ATTR *)((const char *)search->attr + le16_to_cpu(search->attr->value_offset));

        found = MREF_LE(name->parent_directory) == folder && name->file_name_type == entry->kind &&
                name->file_name_length == entry->length &&
                memcmp(name->file_name, entry->name, entry->length * sizeof(*entry->name)) == 0;
    }
    if (search)
        ntfs_attr_put_search_ctx(search);
    return found;
}

static void check_folder(Check *check, ntfs_inode *inode)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    guint64 folder = inode->mft_no;
    s64 position = 0;

    if (ntfs_readdir(inode, &position, entries, collect) != 0)
        say(check, "record %" G_GUINT64_FORMAT ": its index cannot be read: %s", folder, g_strerror(errno));
    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = &g_array_index(entries, Entry, i);
        gboolean odd;
        g_autofree char *name = fltvm_volume_name(entry->name, entry->length, &odd);
        ntfs_inode *child = MREF(entry->id) == folder ? inode : ntfs_inode_open(check->volume->ntfs, entry->id);

        if (!child) {
            say(check, "record %" G_GUINT64_FORMAT ": its entry '%s' leads to no file", folder, name);
            continue;
        }
        if (MREF(entry->id) < check->records)
            check->entries[MREF(entry->id)]++;
        if (!has_name(child, folder, entry))
            say(check,
                "record %" G_GUINT64_FORMAT ": its entry '%s' leads to record %" G_GUINT64_FORMAT
                ", which is not called so",
                folder, name, (guint64)MREF(entry->id));
        if (child != inode)
            ntfs_inode_close(child);
    }
}

/* --- records ------------------------------------------------------------------------------------------- */

static void check_attributes(Check *check, ntfs_inode *inode)
{
    ntfs_attr_search_ctx *search = ntfs_attr_get_search_ctx(inode, NULL);
    guint64 record = inode->mft_no;

    errno = ENOMEM;
    while (search && ntfs_attrs_walk(search) == 0) {
        if (search->attr->type == AT_FILE_NAME)
            check->names[record]++;
        if (search->attr->non_resident)
            take_stream(check, record, search->attr);
    }
    if (errno != ENOENT)
        say(check, "record %" G_GUINT64_FORMAT ": its attributes cannot be read: %s", record, g_strerror(errno));
    if (search)
        ntfs_attr_put_search_ctx(search);
    if (check->names[record] != le16_to_cpu(inode->mrec->link_count) && record >= FILE_first_user)
        say(check, "record %" G_GUINT64_FORMAT ": it has %u names, and says %u", record, check->names[record],
            le16_to_cpu(inode->mrec->link_count));
}

static void check_record(Check *check, guint64 record, const MFT_RECORD *bytes)
{
    ntfs_volume *ntfs = check->volume->ntfs;
    gboolean used = ntfs_is_file_record(bytes->magic) && (bytes->flags & MFT_RECORD_IN_USE) != 0;
    guint8 marked = 0;
    ntfs_inode *inode;

    if (ntfs_attr_pread(ntfs->mftbmp_na, (s64)(record / 8), 1, &marked) != 1)
        say(check, "the bitmap of records cannot be read");
    else if (((marked >> (record % 8)) & 1) == 0 && used && record >= FILE_first_user)
        say(check, "record %" G_GUINT64_FORMAT " is in use, and not marked", record);
    else if (((marked >> (record % 8)) & 1) != 0 && !used && record >= FILE_first_user)
        say_lost(check, "record %" G_GUINT64_FORMAT " is marked, and not in use", record);
    if (!used || bytes->base_mft_record != 0)
        return;
    inode = ntfs_inode_open(ntfs, record);
    if (!inode) {
        say(check, "record %" G_GUINT64_FORMAT ": it is damaged: %s", record, g_strerror(errno));
        return;
    }
    check_attributes(check, inode);
    if (bytes->flags & MFT_RECORD_IS_DIRECTORY)
        check_folder(check, inode);
    ntfs_inode_close(inode);
}

gboolean fltvm_volume_check(FltvmVolume *volume, gboolean lost_is_fine, FltvmVolumeSay say_line, gpointer data,
                            guint *count, GError **error)
{
    ntfs_volume *ntfs = volume->ntfs;
    guint64 records = (guint64)ntfs->mft_na->initialized_size >> ntfs->mft_record_size_bits;
    g_autofree guint8 *clusters = g_try_malloc0((gsize)(ntfs->nr_clusters / 8 + 1));
    g_autofree guint16 *names = g_try_new0(guint16, records), *entries = g_try_new0(guint16, records);
    g_autofree MFT_RECORD *bytes = g_malloc0(ntfs->mft_record_size);
    Check check = {volume, say_line, data, lost_is_fine, 0, 0, clusters, records, names, entries};

    if (!clusters || !names || !entries)
        return fltvm_volume_fail(volume, NULL, error, "the volume is too large");
    for (guint64 record = 0; record < records; record++) {
        if (ntfs_mft_records_read(ntfs, record, 1, bytes) != 0)
            say(&check, "record %" G_GUINT64_FORMAT " cannot be read: %s", record, g_strerror(errno));
        else
            check_record(&check, record, bytes);
    }
    for (guint64 record = FILE_first_user; record < records; record++) {
        if (names[record] != entries[record])
            (names[record] > entries[record] ? say_lost : say)(
                &check, "record %" G_GUINT64_FORMAT ": it has %u names, and %u entries of folders lead to it", record,
                names[record], entries[record]);
    }
    check_clusters(&check);
    if (ntfs->flags & VOLUME_IS_DIRTY)
        say(&check, "the volume says that it is not clean");
    if (check.count > FAULTS_SAID) {
        g_autofree char *line = g_strdup_printf("and %u faults more", check.count - FAULTS_SAID);
        check.say(line, check.data);
    }
    if (check.lost) {
        g_autofree char *line =
            g_strdup_printf("lost, and no fault: %u clusters, records and names of which nobody knows", check.lost);
        check.say(line, check.data);
    }
    *count = check.count;
    return TRUE;
}
