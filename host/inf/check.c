/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What installing does not need to know, but Windows, InfVerif or the filter manager would complain of: the
 * Version section, directives that nobody knows, sections that nothing leads to, files without a destination,
 * and a minifilter's group, altitudes and instances.
 *
 * Classes and groups: "File System Filter Driver Classes and Class GUIDs", "Load Order Groups and Altitudes
 * for Minifilter Drivers"; what has been asked of packages without a device since Windows 10 1903: "Creating
 * a new primitive driver".
 */
#include <stdio.h>
#include <string.h>

#include "infp.h"
#include "nearest.h"

static const struct {
    const char *group, *class_name, *guid;
    guint32 lowest, highest; /* altitudes */
} groups[] = {
    {"Filter", NULL, NULL, 420000, 429999},
    {"FSFilter Top", NULL, NULL, 400000, 409999},
    {"FSFilter Activity Monitor", "ActivityMonitor", "{b86dff51-a31e-4bac-b3cf-e8cfe75c9fc2}", 360000, 389999},
    {"FSFilter Undelete", "Undelete", "{fe8f1572-c67a-48c0-bbac-0b5c6d66cafb}", 340000, 349999},
    {"FSFilter Anti-Virus", "AntiVirus", "{b1d1a169-c54f-4379-81db-bee7d88d7454}", 320000, 329999},
    {"FSFilter Replication", "Replication", "{48d3ebc4-4cf8-48ff-b869-9c68ad42eb9f}", 300000, 309999},
    {"FSFilter Continuous Backup", "ContinuousBackup", "{71aa14f8-6fad-4622-ad77-92bb9d7e6947}", 280000, 289999},
    {"FSFilter Content Screener", "ContentScreener", "{3e3f0674-c83c-4558-bb26-9820e1eba5c5}", 260000, 269999},
    {"FSFilter Quota Management", "QuotaManagement", "{8503c911-a6c7-4919-8f79-5028f5866b0c}", 240000, 249999},
    {"FSFilter System Recovery", NULL, NULL, 220000, 229999},
    {"FSFilter Cluster File System", "CFSMetaDataServer", "{cdcf0939-b75b-4630-bf76-80f7ba655884}", 200000, 209999},
    {"FSFilter HSM", "HSM", "{d546500a-2aeb-45f6-9482-f4b1799c3177}", 180000, 189999},
    {"FSFilter Imaging", NULL, NULL, 170000, 175000},
    {"FSFilter Compression", "Compression", "{f3586baf-b5aa-49b5-8d6c-0569284c639f}", 160000, 169999},
    {"FSFilter Encryption", "Encryption", "{a0a701c0-a511-42ff-aa6c-06dc0395576f}", 140000, 149999},
    {"FSFilter Virtualization", NULL, NULL, 130000, 139999},
    {"FSFilter Physical Quota Management", "PhysicalQuotaManagement", "{6a0a8e78-bba6-4fc4-a709-1e33cd09d67e}", 120000,
     129999},
    {"FSFilter Open File", "OpenFileBackup", "{f8ecafa6-66d1-41a5-899b-66585d7216b7}", 100000, 109999},
    {"FSFilter Security Enhancer", "SecurityEnhancer", "{d02bc3da-0c8e-4945-9bd5-f1883c226c8c}", 80000, 89999},
    {"FSFilter Copy Protection", "CopyProtection", "{89786ff1-9c12-402f-9c9e-17753c7f4375}", 60000, 69999},
    {"FSFilter Bottom", NULL, NULL, 40000, 49999},
    {"FSFilter System", "FSFilterSystem", "{5d1b9aaa-01e2-46af-849f-272b3f324c46}", 20000, 29999},
    {"FSFilter Infrastructure", "Infrastructure", "{e55fa6f9-128c-4d04-abab-630c74b1453a}", 0, 19999},
};

static const char *const install_words[] = {"AddComponent",
                                            "AddEventProvider",
                                            "AddFilter",
                                            "AddInterface",
                                            "AddPowerSetting",
                                            "AddProperty",
                                            "AddReg",
                                            "AddService",
                                            "AddSoftware",
                                            "BitReg",
                                            "CopyFiles",
                                            "CopyINF",
                                            "Delfiles",
                                            "DelProperty",
                                            "DelReg",
                                            "DelService",
                                            "DriverVer",
                                            "ExcludeFromSelect",
                                            "FeatureScore",
                                            "Include",
                                            "Ini2Reg",
                                            "LegacyUninstall",
                                            "LogConfig",
                                            "Needs",
                                            "OptionDesc",
                                            "ProfileItems",
                                            "PromptForPort",
                                            "Reboot",
                                            "RegisterDlls",
                                            "RenFiles",
                                            "Restart",
                                            "UnregisterDlls",
                                            "UpdateIniFields",
                                            "UpdateInis",
                                            NULL};
static const char *const service_words[] = {"AddReg",
                                            "AddTrigger",
                                            "BitReg",
                                            "BootFlags",
                                            "DelayedAutoStart",
                                            "DelReg",
                                            "Dependencies",
                                            "Description",
                                            "DisplayName",
                                            "ErrorControl",
                                            "FailureActions",
                                            "LoadOrderGroup",
                                            "RequiredPrivileges",
                                            "Security",
                                            "ServiceBinary",
                                            "ServiceSidType",
                                            "ServiceType",
                                            "StartName",
                                            "StartType",
                                            NULL};
static const char *const version_words[] = {
    "CatalogFile",       "Class",     "ClassGuid",    "ClassVer",   "DriverPackageDisplayName",
    "DriverPackageType", "DriverVer", "ExtensionId",  "LayoutFile", "PnpLockdown",
    "Provider",          "Signature", "SoftwareGuid", NULL};
/* Sections that Windows finds by name. */
static const char *const system_sections[] = {"ClassInstall32",
                                              "ControlFlags",
                                              "DefaultInstall",
                                              "DefaultUninstall",
                                              "DestinationDirs",
                                              "InterfaceInstall32",
                                              "Manufacturer",
                                              "SignatureAttributes",
                                              "SourceDisksFiles",
                                              "SourceDisksNames",
                                              "Strings",
                                              "Version",
                                              "WindowsPE",
                                              "OEM Windows System Component Verification",
                                              NULL};

/* --- words and sections -------------------------------------------------------------------------------- */

static gboolean is_word(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (g_ascii_strcasecmp(word, *words) == 0)
            return TRUE;
    }
    return FALSE;
}

static void check_words(FltvmInf *inf, const FltvmInfSection *section, const char *const *words)
{
    for (guint i = 0; i < section->entries->len; i++) {
        const FltvmInfEntry *entry = section->entries->pdata[i];
        const char *word = entry->key ? entry->key : fltvm_inf_field(entry, 0);
        g_autofree char *hint = NULL;
        if (entry->key && is_word(word, words))
            continue;
        hint = strlen(word) < 64 ? fltvm_nearest_hint(word, words) : g_strdup("");
        inf_warning(inf, entry->line, "[%s]: '%s' is no directive here%s", section->name, word, hint);
    }
}

/* The section of that name, or one with a decoration or suffix behind it, is led to. */
static gboolean is_led_to(FltvmInf *inf, const FltvmInfSection *section)
{
    g_autofree char *name = g_strdup(section->name);
    char *dot;

    for (;;) {
        FltvmInfSection *whole = fltvm_inf_section(inf, name);
        if ((whole && whole->used) || is_word(name, system_sections))
            return TRUE;
        dot = strrchr(name, '.');
        if (!dot)
            return FALSE;
        *dot = '\0';
    }
}

/* NAME = MODELS, DECORATION...: the Models sections of all targets. */
static void follow_models(FltvmInf *inf)
{
    const FltvmInfSection *manufacturer = fltvm_inf_section(inf, "Manufacturer");

    for (guint i = 0; manufacturer && i < manufacturer->entries->len; i++) {
        const FltvmInfEntry *entry = manufacturer->entries->pdata[i];
        for (guint j = 1; j < entry->fields->len; j++) {
            g_autofree char *name = g_strconcat(fltvm_inf_field(entry, 0), ".", fltvm_inf_field(entry, j), NULL);
            FltvmInfSection *models = fltvm_inf_section(inf, name);
            if (models)
                models->used = TRUE;
            else if (fltvm_inf_decoration(fltvm_inf_field(entry, j)) >= 0)
                inf_warning(inf, entry->line, "there is no section [%s]", name);
        }
    }
}

/* Whatever names a section leads to it: also from sections of other targets. */
static void check_led_to(FltvmInf *inf)
{
    follow_models(inf);
    for (guint i = 0; i < inf->sections->len; i++) {
        const FltvmInfSection *section = inf->sections->pdata[i];
        for (guint j = 0; j < section->entries->len; j++) {
            const FltvmInfEntry *entry = section->entries->pdata[j];
            for (guint k = 0; k < entry->fields->len; k++) {
                FltvmInfSection *named = fltvm_inf_section(inf, fltvm_inf_field(entry, k));
                if (named && named != section)
                    named->used = TRUE;
            }
        }
    }
    for (guint i = 0; i < inf->sections->len; i++) {
        const FltvmInfSection *section = inf->sections->pdata[i];
        if (!is_led_to(inf, section))
            inf_warning(inf, section->line, "nothing leads to the section [%s]", section->name);
    }
}

/* --- [Version] and what it belongs to ------------------------------------------------------------------ */

static gboolean is_date(const char *text)
{
    guint month, day, year;
    char rest[2];

    return sscanf(text, "%2u/%2u/%4u%1s", &month, &day, &year, rest) == 3 && month >= 1 && month <= 12 && day >= 1 &&
           day <= 31 && year >= 1980;
}

static gboolean is_version(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 6);
    guint count = g_strv_length(parts);
    guint32 number;

    for (guint i = 0; i < count; i++) {
        if (!fltvm_inf_number(parts[i], &number) || number > 65535)
            return FALSE;
    }
    return count >= 1 && count <= 4;
}

static void check_driver_ver(FltvmInf *inf, const FltvmInfSection *version)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(version, "DriverVer");

    if (!entry || !*fltvm_inf_field(entry, 0))
        inf_warning(inf, entry ? entry->line : version->line, "[Version] has no DriverVer = MM/DD/YYYY,W.X.Y.Z");
    else if (!is_date(fltvm_inf_field(entry, 0)))
        inf_error(inf, entry->line, "DriverVer: '%s' is no date MM/DD/YYYY", fltvm_inf_field(entry, 0));
    else if (*fltvm_inf_field(entry, 1) && !is_version(fltvm_inf_field(entry, 1)))
        inf_error(inf, entry->line, "DriverVer: '%s' is no version W.X.Y.Z of numbers up to 65535",
                  fltvm_inf_field(entry, 1));
}

static void check_class(FltvmInf *inf, const FltvmInfSection *version)
{
    const FltvmInfEntry *guid = fltvm_inf_entry(version, "ClassGuid");
    const char *name = fltvm_inf_value(version, "Class");

    for (gsize i = 0; guid && name && i < G_N_ELEMENTS(groups); i++) {
        if (groups[i].class_name && fltvm_inf_equal(groups[i].class_name, name) &&
            !fltvm_inf_equal(groups[i].guid, fltvm_inf_field(guid, 0)))
            inf_warning(inf, guid->line, "ClassGuid: the class %s has %s", groups[i].class_name, groups[i].guid);
    }
}

static void check_version(FltvmInf *inf)
{
    static const char *const wanted[] = {"Provider", "Class", "ClassGuid", NULL};
    FltvmInfSection *version = fltvm_inf_section(inf, "Version");

    if (!version)
        return;
    check_words(inf, version, version_words);
    for (gsize i = 0; wanted[i]; i++) {
        const char *text = fltvm_inf_value(version, wanted[i]);
        if (!text || !*text)
            inf_warning(inf, version->line, "[Version] has no %s: since Windows 10 1903 a package has to", wanted[i]);
    }
    check_driver_ver(inf, version);
    check_class(inf, version);
}

static void check_default_sections(FltvmInf *inf)
{
    FltvmInfSection *manufacturer = fltvm_inf_section(inf, "Manufacturer");
    gboolean default_install = FALSE;

    for (guint i = 0; i < inf->sections->len; i++) {
        FltvmInfSection *section = inf->sections->pdata[i];
        const char *behind;
        gsize length = strlen(section->name);
        if (g_ascii_strncasecmp(section->name, "DefaultUninstall", 16) == 0 && !strstr(section->name, ".Services") &&
            !fltvm_inf_entry(section, "LegacyUninstall"))
            inf_warning(inf, section->line, "[%s]: since Windows 10 1903 only with LegacyUninstall = 1", section->name);
        if (g_ascii_strncasecmp(section->name, "DefaultInstall", 14) != 0 || !strchr(".", section->name[14]))
            continue;
        behind = section->name + 14;
        default_install = TRUE;
        if (*behind == '\0' || fltvm_inf_equal(behind, ".nt"))
            inf_warning(inf, section->line, "[%s] names no architecture: since Windows 10 1903 it has to ([%s])",
                        section->name, "DefaultInstall.NTamd64");
        else if (fltvm_inf_decoration(behind + 1) < 0 &&
                 !(length > 9 && g_ascii_strcasecmp(section->name + length - 9, ".Services") == 0))
            inf_warning(inf, section->line, "[%s]: '%s' decorates no target that is known", section->name, behind + 1);
    }
    if (default_install && manufacturer)
        inf_warning(inf, manufacturer->line,
                    "[Manufacturer] besides [DefaultInstall]: InfVerif refuses both in one file");
}

/* --- files --------------------------------------------------------------------------------------------- */

static gboolean is_copied(FltvmInf *inf, const FltvmInfSection *install, const char *file)
{
    for (guint i = 0; i < install->entries->len; i++) {
        const FltvmInfEntry *entry = install->entries->pdata[i];
        for (guint j = 0; entry->key && g_ascii_strcasecmp(entry->key, "CopyFiles") == 0 && j < entry->fields->len;
             j++) {
            const char *name = fltvm_inf_field(entry, j);
            FltvmInfSection *list = *name == '@' ? NULL : fltvm_inf_section(inf, name);
            if (*name == '@' && fltvm_inf_equal(name + 1, file))
                return TRUE;
            for (guint k = 0; list && k < list->entries->len; k++) {
                const FltvmInfEntry *line = list->entries->pdata[k];
                if (g_ascii_strcasecmp(fltvm_inf_field(line, 0), file) == 0)
                    return TRUE;
            }
        }
    }
    return FALSE;
}

static void check_copies(FltvmInf *inf)
{
    FltvmInfSection *install = inf->chosen ? fltvm_inf_section(inf, inf->chosen) : NULL;
    FltvmInfSection *places = fltvm_inf_section(inf, "DestinationDirs");

    for (guint i = 0; install && i < install->entries->len; i++) {
        const FltvmInfEntry *entry = install->entries->pdata[i];
        for (guint j = 0; entry->key && g_ascii_strcasecmp(entry->key, "CopyFiles") == 0 && j < entry->fields->len;
             j++) {
            const char *name = fltvm_inf_field(entry, j);
            if (*name && *name != '@' && fltvm_inf_follow(inf, entry, name) &&
                !(places && (fltvm_inf_entry(places, name) || fltvm_inf_entry(places, "DefaultDestDir"))))
                inf_warning(inf, entry->line, "[DestinationDirs] says neither where [%s] goes nor a DefaultDestDir",
                            name);
        }
    }
    for (guint i = 0; install && i < inf->services->len; i++) {
        const FltvmInfService *service = inf->services->pdata[i];
        if (service->file && *service->file && !is_copied(inf, install, service->file))
            inf_warning(inf, service->line, "no CopyFiles of [%s] copies '%s', the image of %s", install->name,
                        service->file, service->name);
    }
}

/* --- minifilters --------------------------------------------------------------------------------------- */

/* One of a service's values, as text; NULL: it is not set, or no text. */
static char *text_value(const FltvmInf *inf, const FltvmInfService *service, const char *subkey, const char *value,
                        guint *line)
{
    g_autofree char *key = g_strconcat(INF_SERVICES, service->name, "\\", subkey, NULL);

    for (guint i = service->behind; i-- > service->first;) {
        const FltvmInfOperation *operation = inf->operations->pdata[i];
        if ((operation->type == 1 || operation->type == 2) && !operation->flags &&
            g_ascii_strcasecmp(operation->key, key) == 0 && g_ascii_strcasecmp(operation->value, value) == 0) {
            *line = operation->line;
            return g_utf16_to_utf8((const gunichar2 *)(gconstpointer)operation->data->data,
                                   (glong)operation->data->len / 2, NULL, NULL, NULL);
        }
    }
    return NULL;
}

/* Digits, and one point among them. */
static gboolean is_altitude(const char *text)
{
    gsize whole = strspn(text, "0123456789"), part = 0;

    if (text[whole] == '.')
        part = strspn(text + whole + 1, "0123456789");
    return whole && text[whole + (text[whole] == '.') + part] == '\0' && (text[whole] != '.' || part);
}

static void check_altitude(FltvmInf *inf, const FltvmInfService *service, guint line, const char *altitude)
{
    guint64 whole = g_ascii_strtoull(altitude, NULL, 10);

    if (!is_altitude(altitude)) {
        inf_error(inf, line, "'%s' is no altitude", altitude);
        return;
    }
    for (gsize i = 0; service->group && i < G_N_ELEMENTS(groups); i++) {
        if (fltvm_inf_equal(groups[i].group, service->group) && (whole < groups[i].lowest || whole > groups[i].highest))
            inf_warning(inf, line, "the altitude %s is outside of %s: %u to %u", altitude, groups[i].group,
                        groups[i].lowest, groups[i].highest);
    }
}

/* Every key below `layout` is an instance. */
static guint check_instances(FltvmInf *inf, const FltvmInfService *service, const char *layout)
{
    g_autofree char *prefix = g_strconcat(INF_SERVICES, service->name, "\\", layout, "\\", NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize length = strlen(prefix);
    guint line;

    for (guint i = service->first; i < service->behind; i++) {
        const FltvmInfOperation *operation = inf->operations->pdata[i];
        g_autofree char *altitude = NULL, *folded = NULL, *subkey = NULL;
        if (g_ascii_strncasecmp(operation->key, prefix, length) != 0 || strchr(operation->key + length, '\\'))
            continue;
        folded = fltvm_inf_fold(operation->key + length);
        if (!g_hash_table_add(seen, g_strdup(folded)))
            continue;
        subkey = g_strconcat(layout, "\\", operation->key + length, NULL);
        altitude = text_value(inf, service, subkey, "Altitude", &line);
        if (altitude)
            check_altitude(inf, service, line, altitude);
        else
            inf_error(inf, operation->line, "the instance '%s' has no Altitude (a REG_SZ)", operation->key + length);
    }
    return g_hash_table_size(seen);
}

static gboolean depends_on_filter_manager(const FltvmInfService *service)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(service->section, "Dependencies");

    for (guint i = 0; entry && i < entry->fields->len; i++) {
        if (g_ascii_strcasecmp(fltvm_inf_field(entry, i), "FltMgr") == 0)
            return TRUE;
    }
    return FALSE;
}

static void check_group(FltvmInf *inf, const FltvmInfService *service)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(service->section, "LoadOrderGroup");
    FltvmInfSection *version = fltvm_inf_section(inf, "Version");
    const char *class_name = version ? fltvm_inf_value(version, "Class") : NULL;

    for (gsize i = 0; entry && i < G_N_ELEMENTS(groups); i++) {
        if (!fltvm_inf_equal(groups[i].group, fltvm_inf_field(entry, 0)))
            continue;
        if (groups[i].class_name && class_name && !fltvm_inf_equal(groups[i].class_name, class_name))
            inf_warning(inf, entry->line, "the group '%s' belongs to Class %s", groups[i].group, groups[i].class_name);
        return;
    }
    inf_warning(inf, entry ? entry->line : service->line,
                "a minifilter has a LoadOrderGroup, such as "
                "\"FSFilter Activity Monitor\"");
}

static void check_minifilter(FltvmInf *inf, const FltvmInfService *service, const char *layout)
{
    guint line = service->line, instances = check_instances(inf, service, layout);
    g_autofree char *chosen = text_value(inf, service, layout, "DefaultInstance", &line);
    g_autofree char *subkey = chosen ? g_strconcat(layout, "\\", chosen, NULL) : NULL, *altitude = NULL;

    if (!instances && !chosen)
        return;
    if (!chosen)
        inf_error(inf, service->line, "%s\\%s has no DefaultInstance (a REG_SZ)", service->name, layout);
    else if (!(altitude = text_value(inf, service, subkey, "Altitude", &line)))
        inf_error(inf, line, "DefaultInstance: there is no instance '%s'", chosen);
    if (service->type != 2)
        inf_warning(inf, service->line, "a minifilter's ServiceType is 2, SERVICE_FILE_SYSTEM_DRIVER");
    if (!depends_on_filter_manager(service))
        inf_warning(inf, service->line, "a minifilter has Dependencies = FltMgr");
    check_group(inf, service);
}

static void check_services(FltvmInf *inf)
{
    for (guint i = 0; i < inf->services->len; i++) {
        const FltvmInfService *service = inf->services->pdata[i];
        check_words(inf, service->section, service_words);
        if (service->start == 4)
            inf_error(inf, service->line, "%s: StartType 4, SERVICE_DISABLED, cannot be installed", service->name);
        check_minifilter(inf, service, "Instances");
        check_minifilter(inf, service, "Parameters\\Instances");
    }
}

void fltvm_inf_check(FltvmInf *inf)
{
    FltvmInfSection *install = inf->chosen ? fltvm_inf_section(inf, inf->chosen) : NULL;

    if (!inf->sections->len)
        return;
    check_version(inf);
    check_default_sections(inf);
    if (install)
        check_words(inf, install, install_words);
    check_copies(inf);
    check_services(inf);
    check_led_to(inf);
}
