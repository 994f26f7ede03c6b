// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C runtime's paths in pieces, narrow and wide, and the checked forms of what changes a string in place.
 *
 * A piece that is not wanted has neither buffer nor room.  What fails leaves empty strings: EINVAL for parameters that
 * contradict each other, ERANGE for room that is too small.  Any IRQL, when the buffers are resident.
 * Source: the C runtime's pages _splitpath_s, _makepath_s, _strlwr_s, _strupr_s, _strset_s, _strnset_s.
 */
#include "rtlp.h"

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

#define RTLP_IS_SLASH(c) ((c) == '\\' || (c) == '/')

/*
 * The drive is the letter with its colon, the folder all up to the last slash with it, the extension all from the
 * last dot of what follows.
 */
#define RTLP_SPLIT(name, piece, T, len, ncpy_s)                                                                        \
    static errno_t piece(T *To, size_t Room, const T *From, size_t Length)                                             \
    {                                                                                                                  \
        return To != NULL ? ncpy_s(To, Room, From, Length) : 0;                                                        \
    }                                                                                                                  \
    errno_t name(const T *Path, T *Drive, size_t DriveRoom, T *Folder, size_t FolderRoom, T *Name, size_t NameRoom,    \
                 T *Extension, size_t ExtensionRoom)                                                                   \
    {                                                                                                                  \
        size_t Length, First, Start, Dot;                                                                              \
        errno_t Error = RTLP_EINVAL;                                                                                   \
                                                                                                                       \
        if (Path == NULL || (Drive == NULL) != (DriveRoom == 0) || (Folder == NULL) != (FolderRoom == 0) ||            \
            (Name == NULL) != (NameRoom == 0) || (Extension == NULL) != (ExtensionRoom == 0))                          \
            goto Exit;                                                                                                 \
        Length = len(Path);                                                                                            \
        First = Length >= 2 && Path[1] == ':' ? 2 : 0;                                                                 \
        Start = First;                                                                                                 \
        for (size_t At = First; At < Length; At++) {                                                                   \
            if (RTLP_IS_SLASH(Path[At]))                                                                               \
                Start = At + 1;                                                                                        \
        }                                                                                                              \
        Dot = Length;                                                                                                  \
        for (size_t At = Start; At < Length; At++) {                                                                   \
            if (Path[At] == '.')                                                                                       \
                Dot = At;                                                                                              \
        }                                                                                                              \
        if ((Error = piece(Drive, DriveRoom, Path, First)) == 0 &&                                                     \
            (Error = piece(Folder, FolderRoom, Path + First, Start - First)) == 0 &&                                   \
            (Error = piece(Name, NameRoom, Path + Start, Dot - Start)) == 0)                                           \
            Error = piece(Extension, ExtensionRoom, Path + Dot, Length - Dot);                                         \
    Exit:                                                                                                              \
        if (Error != 0) {                                                                                              \
            if (Drive != NULL && DriveRoom > 0)                                                                        \
                Drive[0] = 0;                                                                                          \
            if (Folder != NULL && FolderRoom > 0)                                                                      \
                Folder[0] = 0;                                                                                         \
            if (Name != NULL && NameRoom > 0)                                                                          \
                Name[0] = 0;                                                                                           \
            if (Extension != NULL && ExtensionRoom > 0)                                                                \
                Extension[0] = 0;                                                                                      \
        }                                                                                                              \
        return Error;                                                                                                  \
    }

/* Puts in the colon after the drive, the slash after the folder and the dot before the extension, where they lack. */
#define RTLP_MAKE(name, T, len, cat_s, ncat_s)                                                                         \
    errno_t name(T *Path, size_t Room, const T *Drive, const T *Folder, const T *Name, const T *Extension)             \
    {                                                                                                                  \
        static const T Colon[] = {':', 0}, Slash[] = {'\\', 0}, Dot[] = {'.', 0};                                      \
        errno_t Error = 0;                                                                                             \
                                                                                                                       \
        if (Path == NULL || Room == 0)                                                                                 \
            return RTLP_EINVAL;                                                                                        \
        Path[0] = 0;                                                                                                   \
        if (Drive != NULL && Drive[0] != 0 && (Error = ncat_s(Path, Room, Drive, 1)) == 0)                             \
            Error = cat_s(Path, Room, Colon);                                                                          \
        if (Error == 0 && Folder != NULL && Folder[0] != 0) {                                                          \
            Error = cat_s(Path, Room, Folder);                                                                         \
            if (Error == 0 && !RTLP_IS_SLASH(Folder[len(Folder) - 1]))                                                 \
                Error = cat_s(Path, Room, Slash);                                                                      \
        }                                                                                                              \
        if (Error == 0 && Name != NULL)                                                                                \
            Error = cat_s(Path, Room, Name);                                                                           \
        if (Error == 0 && Extension != NULL && Extension[0] != 0) {                                                    \
            if (Extension[0] != '.')                                                                                   \
                Error = cat_s(Path, Room, Dot);                                                                        \
            if (Error == 0)                                                                                            \
                Error = cat_s(Path, Room, Extension);                                                                  \
        }                                                                                                              \
        return Error;                                                                                                  \
    }

RTLP_SPLIT(_splitpath_s, RtlpPiece, char, strlen, strncpy_s)
RTLP_SPLIT(_wsplitpath_s, RtlpWidePiece, WCHAR, wcslen, wcsncpy_s)
RTLP_MAKE(_makepath_s, char, strlen, strcat_s, strncat_s)
RTLP_MAKE(_wmakepath_s, WCHAR, wcslen, wcscat_s, wcsncat_s)

/* A string that does not end within its room is not one. */
#define RTLP_IN_PLACE(name, nlen, parameters, wrong, change)                                                           \
    errno_t name parameters                                                                                            \
    {                                                                                                                  \
        if (String == NULL || Room == 0)                                                                               \
            return RTLP_EINVAL;                                                                                        \
        if (nlen(String, Room) == Room || (wrong)) {                                                                   \
            String[0] = 0;                                                                                             \
            return RTLP_EINVAL;                                                                                        \
        }                                                                                                              \
        change;                                                                                                        \
        return 0;                                                                                                      \
    }

RTLP_IN_PLACE(_strlwr_s, strnlen, (char *String, size_t Room), FALSE, _strlwr(String))
RTLP_IN_PLACE(_strupr_s, strnlen, (char *String, size_t Room), FALSE, _strupr(String))
RTLP_IN_PLACE(_wcslwr_s, wcsnlen, (WCHAR * String, size_t Room), FALSE, _wcslwr(String))
RTLP_IN_PLACE(_wcsupr_s, wcsnlen, (WCHAR * String, size_t Room), FALSE, _wcsupr(String))
RTLP_IN_PLACE(_strset_s, strnlen, (char *String, size_t Room, int Value), FALSE, _strset(String, Value))
RTLP_IN_PLACE(_wcsset_s, wcsnlen, (WCHAR * String, size_t Room, WCHAR Value), FALSE, _wcsnset(String, Value, Room))
RTLP_IN_PLACE(_strnset_s, strnlen, (char *String, size_t Room, int Value, size_t Count), Count > Room,
              _strnset(String, Value, Count))
RTLP_IN_PLACE(_wcsnset_s, wcsnlen, (WCHAR * String, size_t Room, WCHAR Value, size_t Count), Count > Room,
              _wcsnset(String, Value, Count))
