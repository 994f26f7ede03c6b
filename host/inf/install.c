/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the sections to what is installed: which section is taken, its services, and what the service control
 * manager would have in the registry for each.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/command.h"
#include "infp.h"

enum { REG_SZ_ = 1, REG_EXPAND_SZ_ = 2, REG_MULTI_SZ_ = 7 };

#define EVENT_LOG INF_SERVICES "EventLog\\"
#define CLASSES   "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\"
#define WINDOWS   "C:\\Windows\\"

/* SPSVCINST_*: which of a service's values are left as they are when they are there. */
enum {
    KEEP_NAME = 0x8,
    KEEP_START = 0x10,
    KEEP_ERROR = 0x20,
    KEEP_GROUP = 0x40,
    KEEP_DEPENDENCIES = 0x80,
    KEEP_DESCRIPTION = 0x100
};

static guint32 keep(guint32 flags, guint32 bit)
{
    return flags & bit ? FLTVM_REGISTRY_NO_CLOBBER : 0;
}

/* --- a service ----------------------------------------------------------------------------------------- */

/* One of the four numbers and paths that a service needs. */
static const FltvmInfEntry *needed(FltvmInf *inf, FltvmInfSection *section, const char *key)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(section, key);

    if (!entry || !*fltvm_inf_field(entry, 0)) {
        inf_error(inf, entry ? entry->line : section->line, "[%s] has no %s", section->name, key);
        return NULL;
    }
    return entry;
}

static guint32 needed_number(FltvmInf *inf, FltvmInfSection *section, const char *key, guint32 most,
                             const char *value_key, const char *service_key, guint32 flags)
{
    const FltvmInfEntry *entry = needed(inf, section, key);
    guint32 number = 0;

    if (!entry)
        return 0;
    if (!fltvm_inf_number(fltvm_inf_field(entry, 0), &number) || number > most)
        inf_error(inf, entry->line, "%s: '%s' is no number from 0 to %u", key, fltvm_inf_field(entry, 0), most);
    else
        fltvm_inf_set_number(inf, entry->line, service_key, value_key, flags, number);
    return number;
}

static void optional_text(FltvmInf *inf, FltvmInfSection *section, const char *key, const char *value_key,
                          const char *service_key, guint32 flags)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(section, key);

    if (entry && *fltvm_inf_field(entry, 0))
        fltvm_inf_set_text(inf, entry->line, service_key, value_key, REG_SZ_, flags, fltvm_inf_field(entry, 0));
}

/* Names in a REG_MULTI_SZ; groups are those with a '+'. */
static void dependencies(FltvmInf *inf, FltvmInfSection *section, const char *service_key, gboolean groups,
                         guint32 flags)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(section, "Dependencies");
    g_autoptr(GByteArray) data = g_byte_array_new();
    static const guint8 end[2];

    for (guint i = 0; entry && i < entry->fields->len; i++) {
        const char *name = fltvm_inf_field(entry, i);
        g_autofree gunichar2 *wide = NULL;
        glong units = 0;
        if (!*name || (*name == '+') != groups)
            continue;
        wide = g_utf8_to_utf16(name + groups, -1, NULL, &units, NULL);
        for (glong j = 0; wide && j <= units; j++) {
            guint16 unit = GUINT16_TO_LE(wide[j]);
            g_byte_array_append(data, (const guint8 *)&unit, sizeof(unit));
        }
    }
    if (!data->len)
        return;
    g_byte_array_append(data, end, sizeof(end));
    fltvm_inf_set(inf, entry->line, service_key, groups ? "DependOnGroup" : "DependOnService", REG_MULTI_SZ_, flags,
                  data->data, data->len);
}

static void binary(FltvmInf *inf, FltvmInfService *service, const char *service_key)
{
    const FltvmInfEntry *entry = needed(inf, service->section, "ServiceBinary");
    const char *path, *slash;

    if (!entry)
        return;
    path = fltvm_inf_field(entry, 0);
    slash = strrchr(path, '\\');
    service->file = g_strdup(slash ? slash + 1 : path);
    if (!*service->file)
        inf_error(inf, entry->line, "ServiceBinary: '%s' ends in a folder", path);
    if (g_ascii_strncasecmp(path, WINDOWS, strlen(WINDOWS)) == 0) {
        service->image_path = g_strconcat("\\SystemRoot\\", path + strlen(WINDOWS), NULL);
    } else {
        if (path[0] == '\0' || path[1] != ':')
            inf_warning(inf, entry->line, "ServiceBinary: '%s' is no %%dirid%%\\FILE, such as %%12%%\\x.sys", path);
        service->image_path = path[0] && path[1] == ':' ? g_strconcat("\\??\\", path, NULL) : g_strdup(path);
    }
    fltvm_inf_set_text(inf, entry->line, service_key, "ImagePath", REG_EXPAND_SZ_, 0, service->image_path);
}

static void describe_service(FltvmInf *inf, FltvmInfService *service, guint32 flags)
{
    static const char *const not_kept[] = {"Security",   "RequiredPrivileges", "ServiceSidType", "DelayedAutoStart",
                                           "AddTrigger", "FailureActions",     "BootFlags",      NULL};
    g_autofree char *key = g_strconcat(INF_SERVICES, service->name, NULL);
    FltvmInfSection *section = service->section;

    service->type = needed_number(inf, section, "ServiceType", 0x1FF, "Type", key, 0);
    service->start = needed_number(inf, section, "StartType", 4, "Start", key, keep(flags, KEEP_START));
    needed_number(inf, section, "ErrorControl", 3, "ErrorControl", key, keep(flags, KEEP_ERROR));
    binary(inf, service, key);
    service->group = g_strdup(fltvm_inf_value(section, "LoadOrderGroup"));
    optional_text(inf, section, "DisplayName", "DisplayName", key, keep(flags, KEEP_NAME));
    optional_text(inf, section, "Description", "Description", key, keep(flags, KEEP_DESCRIPTION));
    optional_text(inf, section, "LoadOrderGroup", "Group", key, keep(flags, KEEP_GROUP));
    optional_text(inf, section, "StartName", "ObjectName", key, 0);
    dependencies(inf, section, key, FALSE, keep(flags, KEEP_DEPENDENCIES));
    dependencies(inf, section, key, TRUE, keep(flags, KEEP_DEPENDENCIES));
    for (gsize i = 0; not_kept[i]; i++) {
        const FltvmInfEntry *entry = fltvm_inf_entry(section, not_kept[i]);
        if (entry)
            inf_note(inf, entry->line, "%s is not kept", not_kept[i]);
    }
    fltvm_inf_registry(inf, section, key);
}

static void add_event_log(FltvmInf *inf, const FltvmInfEntry *entry, const char *service)
{
    const char *log = fltvm_inf_field(entry, 4), *name = fltvm_inf_field(entry, 5);
    g_autofree char *key = g_strconcat(EVENT_LOG, *log ? log : "System", "\\", *name ? name : service, NULL);
    FltvmInfSection *section = fltvm_inf_follow(inf, entry, fltvm_inf_field(entry, 3));

    if (section)
        fltvm_inf_registry(inf, section, key);
}

/* AddService = NAME,[FLAGS],SECTION[,EVENT-LOG-SECTION[,[LOG][,NAME]]] */
static void add_service(FltvmInf *inf, const FltvmInfEntry *entry)
{
    const char *name = fltvm_inf_field(entry, 0), *flags = fltvm_inf_field(entry, 1);
    FltvmInfService *service;
    FltvmInfSection *section;
    guint32 number = 0;

    if (*flags && !fltvm_inf_number(flags, &number))
        inf_error(inf, entry->line, "AddService: the flags '%s' are no number", flags);
    if (!*name) {
        if (!(number & 2))
            inf_error(inf, entry->line, "AddService without a name");
        return; /* ",2" is the null driver */
    }
    if (strpbrk(name, "\\/") || g_utf8_strlen(name, -1) > 256) {
        inf_error(inf, entry->line, "AddService: '%s' is no name for a service", name);
        return;
    }
    if (inf->services->len >= INF_SERVICES_MAX) {
        inf_error(inf, entry->line, "more than %u services", INF_SERVICES_MAX);
        return;
    }
    section = fltvm_inf_follow(inf, entry, fltvm_inf_field(entry, 2));
    if (!section)
        return;
    service = g_new0(FltvmInfService, 1);
    service->line = entry->line;
    service->name = g_strdup(name);
    service->section = section;
    service->first = inf->operations->len;
    g_ptr_array_add(inf->services, service);
    describe_service(inf, service, number);
    if (*fltvm_inf_field(entry, 3))
        add_event_log(inf, entry, name);
    service->behind = inf->operations->len;
}

static void add_services(FltvmInf *inf, const char *of)
{
    g_autofree char *name = g_strconcat(of, ".Services", NULL);
    FltvmInfSection *section = fltvm_inf_section(inf, name);

    if (!section) {
        inf_warning(inf, 0, "there is no section [%s]: no service is installed", name);
        return;
    }
    section->used = TRUE;
    for (guint i = 0; i < section->entries->len; i++) {
        const FltvmInfEntry *entry = section->entries->pdata[i];
        if (entry->key && g_ascii_strcasecmp(entry->key, "AddService") == 0)
            add_service(inf, entry);
        else if (entry->key && g_ascii_strcasecmp(entry->key, "DelService") == 0)
            inf_note(inf, entry->line, "DelService is not carried out");
    }
}

/* --- which section ------------------------------------------------------------------------------------- */

/* Of `NAME, DECORATION...` (Manufacturer's right side) the Models section for our target. */
static FltvmInfSection *models(FltvmInf *inf, const FltvmInfEntry *entry)
{
    const char *name = fltvm_inf_field(entry, 0);
    g_autofree char *best = g_strdup(name);
    gint64 worth = 0;

    for (guint i = 1; i < entry->fields->len; i++) {
        gint64 here = fltvm_inf_decoration(fltvm_inf_field(entry, i));
        if (here < 0)
            inf_error(inf, entry->line, "'%s' decorates no target (ntamd64.10.0...19041 would be one)",
                      fltvm_inf_field(entry, i));
        if (here > worth) {
            worth = here;
            g_free(best);
            best = g_strconcat(name, ".", fltvm_inf_field(entry, i), NULL);
        }
    }
    if (!worth && entry->fields->len > 1)
        return NULL;
    if (!worth)
        inf_warning(inf, entry->line, "Models without NTamd64: Windows takes them for x86's");
    return fltvm_inf_follow(inf, entry, best);
}

/* The install section of the first device of the first manufacturer that our target has. */
static FltvmInfSection *device_section(FltvmInf *inf, FltvmInfSection *manufacturer)
{
    manufacturer->used = TRUE;
    for (guint i = 0; i < manufacturer->entries->len && i < 64; i++) {
        FltvmInfSection *section = models(inf, manufacturer->entries->pdata[i]);
        const FltvmInfEntry *entry = section && section->entries->len ? section->entries->pdata[0] : NULL;
        FltvmInfSection *install;
        if (!entry)
            continue;
        if (!entry->key) {
            inf_error(inf, entry->line, "[%s]: DESCRIPTION = INSTALL-SECTION, HARDWARE-ID is wanted", section->name);
            continue;
        }
        install = fltvm_inf_best(inf, fltvm_inf_field(entry, 0));
        return install ? install : fltvm_inf_follow(inf, entry, fltvm_inf_field(entry, 0));
    }
    return NULL;
}

static void check_signature(FltvmInf *inf)
{
    FltvmInfSection *version = fltvm_inf_section(inf, "Version");
    const FltvmInfEntry *entry = version ? fltvm_inf_entry(version, "Signature") : NULL;
    const char *text = entry ? fltvm_inf_field(entry, 0) : "";

    if (version)
        version->used = TRUE;
    if (!version)
        inf_error(inf, 0, "there is no section [Version]: Windows takes it for no INF file");
    else if (!entry)
        inf_error(inf, version->line, "[Version] has no Signature = \"$WINDOWS NT$\"");
    else if (g_ascii_strcasecmp(text, "$WINDOWS NT$") != 0 && g_ascii_strcasecmp(text, "$CHICAGO$") != 0)
        inf_error(inf, entry->line, "Signature: '%s' is neither \"$WINDOWS NT$\" nor \"$CHICAGO$\"", text);
}

/* Where HKR leads for a device: its software key. */
static char *software_key(FltvmInf *inf)
{
    FltvmInfSection *version = fltvm_inf_section(inf, "Version");
    const char *guid = version ? fltvm_inf_value(version, "ClassGuid") : NULL;

    return g_strconcat(CLASSES, guid && *guid ? guid : "{00000000-0000-0000-0000-000000000000}", "\\0000", NULL);
}

void fltvm_inf_install(FltvmInf *inf)
{
    FltvmInfSection *manufacturer = fltvm_inf_section(inf, "Manufacturer");
    FltvmInfSection *chosen = fltvm_inf_best(inf, "DefaultInstall");
    g_autofree char *root = NULL;

    check_signature(inf);
    if (!chosen && manufacturer) {
        chosen = device_section(inf, manufacturer);
        root = software_key(inf);
    }
    if (!chosen) {
        inf_error(inf, 0,
                  "nothing in it is for Windows 10 build 19041 on amd64: no [DefaultInstall.NTamd64], and no "
                  "device of [Manufacturer]");
        return;
    }
    chosen->used = TRUE;
    inf->chosen = g_strdup(chosen->name);
    if (fltvm_inf_entry(chosen, "Include") || fltvm_inf_entry(chosen, "Needs"))
        inf_note(inf, chosen->line, "[%s]: Include and Needs name files of Windows, which are not there", chosen->name);
    fltvm_inf_registry(inf, chosen, root);
    add_services(inf, chosen->name);
}
