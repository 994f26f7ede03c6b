/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which section is for our target, by its decoration:
 *
 *     nt[ARCHITECTURE][.[MAJOR][.[MINOR][.[PRODUCT][.[SUITE][.[BUILD]]]]]]
 *
 * The highest version that is not above the target's wins, then a product or suite that is said, then an
 * architecture that is said.  $ARCH$ is what the WDK's stampinf has not replaced yet, and stands for the
 * architecture it builds for.
 */
#include <string.h>

#include "infp.h"

enum { TARGET_MAJOR = 10, TARGET_MINOR = 0, TARGET_BUILD = 19041, TARGET_PRODUCT = 1, TARGET_SUITE = 0x110 };

enum { NO_DECORATION = -1, OTHER_TARGET = 0 };

static const char *const architectures[] = {"x86", "ia64", "arm64", "arm"};

/* Behind "nt": the architecture; -1 none of them, 0 another, 1 any, 2 ours. */
static int read_architecture(const char **text)
{
    if (g_ascii_strncasecmp(*text, "amd64", 5) == 0 || g_ascii_strncasecmp(*text, "$ARCH$", 6) == 0) {
        *text += **text == '$' ? 6 : 5;
        return 2;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(architectures); i++) {
        if (g_ascii_strncasecmp(*text, architectures[i], strlen(architectures[i])) == 0) {
            *text += strlen(architectures[i]);
            return 0;
        }
    }
    return **text == '.' || **text == '\0' ? 1 : -1;
}

/* The numbers behind it; what is left out is left as it is. */
static gboolean read_numbers(const char *text, guint32 numbers[5], gboolean said[5])
{
    for (guint i = 0; *text == '.'; i++) {
        g_autofree char *number = g_strndup(text + 1, strcspn(text + 1, "."));
        if (i >= 5 || (*number && !fltvm_inf_number(number, &numbers[i])))
            return FALSE;
        said[i] = *number != '\0';
        text += 1 + strlen(number);
    }
    return *text == '\0';
}

gint64 fltvm_inf_decoration(const char *text)
{
    guint32 numbers[5] = {0, 0, 0, 0, 0}; /* major, minor, product, suite, build */
    gboolean said[5] = {FALSE, FALSE, FALSE, FALSE, FALSE};
    gboolean below;
    int architecture;

    if (g_ascii_strncasecmp(text, "nt", 2) != 0)
        return NO_DECORATION;
    text += 2;
    architecture = read_architecture(&text);
    if (architecture < 0 || !read_numbers(text, numbers, said))
        return NO_DECORATION;
    below = numbers[0] < TARGET_MAJOR; /* then a build number says nothing, as documented */
    if (architecture == 0 || numbers[0] > TARGET_MAJOR || (!below && numbers[1] > TARGET_MINOR) ||
        (!below && numbers[4] > TARGET_BUILD))
        return OTHER_TARGET;
    if ((said[2] && numbers[2] != TARGET_PRODUCT) || (said[3] && (numbers[3] & TARGET_SUITE) != numbers[3]))
        return OTHER_TARGET;
    return 1 + (gint64)architecture + 4 * (said[2] + said[3]) +
           16 * ((gint64)MIN(numbers[4], 0xFFFFF) + ((gint64)MIN(numbers[1], 0xFF) << 20) +
                 ((gint64)MIN(numbers[0], 0xFF) << 28));
}

FltvmInfSection *fltvm_inf_best(FltvmInf *inf, const char *name)
{
    FltvmInfSection *best = fltvm_inf_section(inf, name);
    gsize length = strlen(name);
    gint64 worth = 0;

    for (guint i = 0; i < inf->sections->len; i++) {
        FltvmInfSection *section = inf->sections->pdata[i];
        gint64 here;
        if (g_ascii_strncasecmp(section->name, name, length) != 0 || section->name[length] != '.')
            continue;
        here = fltvm_inf_decoration(section->name + length + 1);
        if (here > worth) {
            worth = here;
            best = section;
        }
    }
    return best;
}
