/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file's bytes to text.  Windows reads UTF-16 (little-endian, with a byte-order mark) and the system's
 * 8-bit code page, and UTF-8 behind its mark.  Without a mark UTF-8 is tried before Windows-1252: published
 * files are UTF-8 more often, and a copyright sign in a comment of an old one is no reason to refuse it.
 */
#include <string.h>

#include "infp.h"

/* Windows-1252 where it differs from Latin-1; what it leaves open is taken for the control character. */
static const guint16 code_page[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
};

static guint line_of(const char *text, const char *place)
{
    guint line = 1;

    for (; text < place; text++)
        line += *text == '\n';
    return line;
}

/* Characters that no line of text has; the first is told. */
static gboolean check_text(FltvmInf *inf, const GString *text)
{
    for (gsize i = 0; i < text->len; i++) {
        guchar byte = (guchar)text->str[i];
        if ((byte < 0x20 && !strchr("\t\n\f\x1a", byte)) || byte == 0 || byte == 0x7F) {
            inf_error(inf, line_of(text->str, text->str + i),
                      "a control character (0x%02x): this is no text, or text in another encoding", byte);
            return FALSE;
        }
    }
    return TRUE;
}

/* CR LF and CR become LF; a Ctrl-Z ends the text, as it did in DOS. */
static void settle_lines(GString *text)
{
    gsize to = 0;

    for (gsize i = 0; i < text->len && text->str[i] != 0x1a; i++) {
        if (text->str[i] != '\r')
            text->str[to++] = text->str[i];
        else if (i + 1 == text->len || text->str[i + 1] != '\n')
            text->str[to++] = '\n';
    }
    g_string_truncate(text, to);
    if (to && text->str[to - 1] != '\n')
        g_string_append_c(text, '\n');
}

static void from_utf16(FltvmInf *inf, GString *text, const guint8 *bytes, gsize length)
{
    guint line = 1;

    if (length % 2)
        inf_error(inf, 0, "UTF-16 of an odd number of bytes: the file is cut short");
    for (gsize i = 0; i + 1 < length; i += 2) {
        gunichar unit = bytes[i] | (gunichar)bytes[i + 1] << 8;
        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < length && (bytes[i + 3] & 0xFC) == 0xDC) {
            unit = 0x10000 + ((unit & 0x3FF) << 10) + ((bytes[i + 2] | (gunichar)bytes[i + 3] << 8) & 0x3FF);
            i += 2;
        } else if (unit >= 0xD800 && unit < 0xE000) {
            inf_error(inf, line, "half of a UTF-16 surrogate pair");
            unit = 0xFFFD;
        }
        line += unit == '\n';
        g_string_append_unichar(text, unit);
    }
}

static void from_code_page(GString *text, const guint8 *bytes, gsize length)
{
    for (gsize i = 0; i < length; i++)
        g_string_append_unichar(text, bytes[i] >= 0x80 && bytes[i] < 0xA0 ? code_page[bytes[i] - 0x80] : bytes[i]);
}

/* UTF-16 without a mark: every other byte of plain text is 0. */
static gboolean looks_wide(const guint8 *bytes, gsize length)
{
    gsize zeros = 0, seen = MIN(length, 256);

    for (gsize i = 0; i < seen; i++)
        zeros += bytes[i] == 0;
    return length >= 8 && zeros >= seen / 3;
}

char *fltvm_inf_decode(FltvmInf *inf, const guint8 *bytes, gsize length)
{
    g_autoptr(GString) text = g_string_sized_new(length);
    const char *end;

    if (length >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE) {
        from_utf16(inf, text, bytes + 2, length - 2);
    } else if (length >= 2 && bytes[0] == 0xFE && bytes[1] == 0xFF) {
        inf_error(inf, 0, "UTF-16 in big-endian order: Windows reads the little-endian one");
        return NULL;
    } else if (looks_wide(bytes, length)) {
        inf_error(inf, 0, "looks like UTF-16, but has no byte-order mark: Windows takes it for 8-bit text");
        return NULL;
    } else {
        gboolean marked = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
        const char *start = (const char *)bytes + (marked ? 3 : 0);
        gsize rest = length - (marked ? 3 : 0);
        if (g_utf8_validate_len(start, rest, &end)) {
            g_string_append_len(text, start, (gssize)rest);
        } else if (marked) {
            inf_error(inf, line_of(start, end), "not UTF-8, although the file's mark says so");
            return NULL;
        } else if (!memchr(start, 0, rest)) {
            inf_warning(inf, line_of(start, end), "not UTF-8: taken for Windows code page 1252");
            from_code_page(text, bytes, length);
        } else {
            inf_error(inf, line_of(start, end), "a NUL byte: this is no text, or text in another encoding");
            return NULL;
        }
    }
    settle_lines(text);
    return check_text(inf, text) ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
