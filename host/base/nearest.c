/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nearest word: see nearest.h. */
#include "nearest.h"

#include <string.h>

#define LONGEST 64

/* Edits from one to the other: a letter more, less, or another, or two that changed places; case does not count. */
static guint distance(const char *a, const char *b)
{
    guint rows[3][LONGEST + 1];
    guint length = (guint)strlen(b);

    for (guint j = 0; j <= length; j++)
        rows[0][j] = j;
    for (guint i = 1; a[i - 1]; i++) {
        guint *row = rows[i % 3], *above = rows[(i - 1) % 3], *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (guint j = 1; j <= length; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            row[j] = MIN(MIN(row[j - 1], above[j]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]))
                row[j] = MIN(row[j], twice[j - 2] + 1);
        }
    }
    return rows[strlen(a) % 3][length];
}

const char *fltvm_nearest(const char *word, const char *const *candidates)
{
    gsize length = strlen(word);
    guint least = (guint)MIN(length, 9) / 3 + 1; /* so many edits are too many: of three letters, two */
    const char *best = NULL;

    least = MAX(least, 2);
    if (length > LONGEST)
        return NULL;
    for (; *candidates; candidates++) {
        guint edits = strlen(*candidates) > LONGEST ? G_MAXUINT : distance(word, *candidates);
        if (edits < least || (!best && length >= 4 && g_str_has_prefix(*candidates, word))) {
            least = MIN(edits, least);
            best = *candidates;
        }
    }
    return best;
}

char *fltvm_nearest_hint(const char *word, const char *const *candidates)
{
    const char *nearest = fltvm_nearest(word, candidates);

    return nearest ? g_strdup_printf(" (did you mean '%s'?)", nearest) : g_strdup("");
}
