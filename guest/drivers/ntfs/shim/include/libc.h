/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libc.h: the part of a C library that libntfs-3g uses, for code that runs in the guest's kernel.
 *
 * Memory is paged pool, numbers and strings are the kernel's, time is KeQuerySystemTime's.  There are no files, no users,
 * no locale and no output: what the library would print goes nowhere.  errno is one variable: the library is only ever entered with
 * its lock held (glue/library.h).
 */
#ifndef FLTVM_NTFS_LIBC_H
#define FLTVM_NTFS_LIBC_H

#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <limits.h>

typedef int64_t off_t;
typedef int64_t ssize_t;
typedef int64_t time_t;
typedef uint64_t dev_t;
typedef uint64_t ino_t;
typedef uint32_t mode_t;
typedef uint32_t nlink_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef int32_t pid_t;
typedef struct NtfsShimFile FILE;

#define MB_CUR_MAX 4

/* ---- what shim/ implements has names of its own there, for ntifs.h declares some of it too ---- */
#define malloc        NtfsShimMalloc
#define calloc        NtfsShimCalloc
#define realloc       NtfsShimRealloc
#define free          NtfsShimFree
#define strdup        NtfsShimStrdup
#define strerror      NtfsShimStrerror
#define snprintf      NtfsShimSNPrintf
#define ffs           NtfsShimFfs
#define mbtowc        NtfsShimMbToWc
#define wctomb        NtfsShimWcToMb
#define setlocale     NtfsShimSetLocale
#define fprintf       NtfsShimFPrintf
#define vfprintf      NtfsShimVFPrintf
#define fflush        NtfsShimFFlush
#define clock_gettime NtfsShimClockGetTime
#define time          NtfsShimTime
#define getpwnam      NtfsShimGetpwnam
#define getpwuid      NtfsShimGetpwuid
#define getgrnam      NtfsShimGetgrnam
#define getgrgid      NtfsShimGetgrgid
#define getuid        NtfsShimGetuid
#define getgid        NtfsShimGetgid
#define getpid        NtfsShimGetpid
#define open          NtfsShimOpen
#define close         NtfsShimClose
#define read          NtfsShimRead
#define random        NtfsShimRandom
#define srandom       NtfsShimSrandom

/* ---- errno: Linux's numbers, so that what is seen in a debugger is what one knows ---- */
extern int NtfsShimErrno;
#define errno NtfsShimErrno

#define EPERM        1
#define ENOENT       2
#define EINTR        4
#define EIO          5
#define ENXIO        6
#define E2BIG        7
#define ENOEXEC      8
#define EBADF        9
#define EAGAIN       11
#define ENOMEM       12
#define EACCES       13
#define EFAULT       14
#define EBUSY        16
#define EEXIST       17
#define EXDEV        18
#define ENODEV       19
#define ENOTDIR      20
#define EISDIR       21
#define EINVAL       22
#define EFBIG        27
#define ENOSPC       28
#define EROFS        30
#define EMLINK       31
#define EDOM         33
#define ERANGE       34
#define ENAMETOOLONG 36
#define ENOSYS       38
#define ENOTEMPTY    39
#define ELOOP        40
#define ENODATA      61
#define ELIBACC      79
#define ELIBBAD      80
#define EILSEQ       84
#define EOVERFLOW    75
#define EMSGSIZE     90
#define EOPNOTSUPP   95
#define ENOTSUP      95
#define ESPIPE       29

/* ---- memory ---- */
void *malloc(size_t Size);
int NtfsShimReserve(void);
void NtfsShimFreeReserve(void);
void *calloc(size_t Count, size_t Size);
void *realloc(void *Block, size_t Size);
void free(void *Block);

/* ---- strings, the kernel's own ---- */
void *memcpy(void *To, const void *From, size_t Size);
void *memmove(void *To, const void *From, size_t Size);
void *memset(void *To, int Value, size_t Size);
void *memchr(const void *Bytes, int Value, size_t Size);
int memcmp(const void *One, const void *Other, size_t Size);
size_t strlen(const char *Text);
char *strcpy(char *To, const char *From);
char *strcat(char *To, const char *From);
char *strncpy(char *To, const char *From, size_t Size);
char *strchr(const char *Text, int Character);
char *strrchr(const char *Text, int Character);
char *strstr(const char *Text, const char *Part);
int strcmp(const char *One, const char *Other);
int strncmp(const char *One, const char *Other, size_t Size);
int atoi(const char *Text);
int sprintf(char *To, const char *Format, ...);
void qsort(void *Base, size_t Count, size_t Size, int (*Compare)(const void *, const void *));

/* ---- strings that the kernel has not ---- */
char *strdup(const char *Text);
char *strerror(int Error);
char *strsep(char **Text, const char *Delimiters);
int strcasecmp(const char *One, const char *Other);
int snprintf(char *To, size_t Size, const char *Format, ...);
unsigned long strtoul(const char *Text, char **End, int Base);
int ffs(int Value);
int abs(int Value);
long random(void);
void srandom(unsigned int Seed);
long long atoll(const char *Text);

/* ---- multi-byte characters: UTF-8, which the library converts itself; these refuse ---- */
int mbtowc(wchar_t *To, const char *Text, size_t Size);
int wctomb(char *To, wchar_t Character);
size_t mbstowcs(wchar_t *To, const char *Text, size_t Size);
size_t mbrtowc(wchar_t *To, const char *Text, size_t Size, void *State);
size_t wcrtomb(char *To, wchar_t Character, void *State);
int mbsinit(const void *State);
char *setlocale(int Category, const char *Locale);
#define LC_ALL 0

/* ---- output ---- */
#define stdout ((FILE *)0)
#define stderr ((FILE *)0)
int fprintf(FILE *To, const char *Format, ...);
int vfprintf(FILE *To, const char *Format, va_list Arguments);
int printf(const char *Format, ...);
int fflush(FILE *To);
#define EOF (-1)

/* ---- time ---- */
struct timespec {
    time_t tv_sec;
    long tv_nsec;
};
#define __timespec_defined 1
#define CLOCK_REALTIME     0
int clock_gettime(int Clock, struct timespec *Time);
time_t time(time_t *Time);

/* ---- files: what the library knows of them ---- */
struct stat {
    dev_t st_dev;
    ino_t st_ino;
    mode_t st_mode;
    nlink_t st_nlink;
    uid_t st_uid;
    gid_t st_gid;
    dev_t st_rdev;
    off_t st_size;
    int64_t st_blksize;
    int64_t st_blocks;
    struct timespec st_atim, st_mtim, st_ctim;
};
#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFCHR  0020000
#define S_IFIFO  0010000
#define S_ISUID  04000
#define S_ISGID  02000
#define S_ISVTX  01000
#define S_IRWXU  0700
#define S_IRUSR  0400
#define S_IWUSR  0200
#define S_IXUSR  0100
#define S_IRWXG  070
#define S_IRGRP  040
#define S_IWGRP  020
#define S_IXGRP  010
#define S_IRWXO  07
#define S_IROTH  04
#define S_IWOTH  02
#define S_IXOTH  01
#define S_IREAD  S_IRUSR
#define S_IWRITE S_IWUSR
#define S_IEXEC  S_IXUSR

#define S_ISREG(Mode)  (((Mode) & S_IFMT) == S_IFREG)
#define S_ISDIR(Mode)  (((Mode) & S_IFMT) == S_IFDIR)
#define S_ISLNK(Mode)  (((Mode) & S_IFMT) == S_IFLNK)
#define S_ISBLK(Mode)  (((Mode) & S_IFMT) == S_IFBLK)
#define S_ISCHR(Mode)  (((Mode) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(Mode) (((Mode) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(Mode) (((Mode) & S_IFMT) == S_IFSOCK)

#define O_RDONLY 0
#define O_RDWR   2
#define O_EXCL   0200
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define R_OK     4
#define W_OK     2
#define X_OK     1
#define F_OK     0

#define makedev(Major, Minor) ((dev_t)(((dev_t)(Major) << 20) | (dev_t)(Minor)))
#define major(Device)         ((unsigned int)((Device) >> 20))
#define minor(Device)         ((unsigned int)((Device) & 0xFFFFF))

/* ---- users: there are none ---- */
struct passwd {
    char *pw_name;
    uid_t pw_uid;
    gid_t pw_gid;
};
struct group {
    char *gr_name;
    gid_t gr_gid;
    char **gr_mem;
};
struct passwd *getpwnam(const char *Name);
struct passwd *getpwuid(uid_t User);
struct group *getgrnam(const char *Name);
struct group *getgrgid(gid_t Group);
uid_t getuid(void);
gid_t getgid(void);
pid_t getpid(void);
int open(const char *Path, int Flags, ...);
int close(int File);
ssize_t read(int File, void *To, size_t Size);

void abort(void) __attribute__((noreturn));

#endif
