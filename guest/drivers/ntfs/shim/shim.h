/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shim.h: the C library's functions that shim/ implements, as the kernel's side sees them.  libc.h, which declares the same for
 * libntfs-3g, cannot be included together with ntifs.h.
 */
#ifndef FLTVM_NTFS_SHIM_H
#define FLTVM_NTFS_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

extern int NtfsShimErrno;

#define NTFS_SHIM_ENOENT 2
#define NTFS_SHIM_ENOMEM 12
#define NTFS_SHIM_ENOSYS 38

struct NtfsShimTime {
    int64_t Seconds;
    long Nanoseconds;
};

void *NtfsShimMalloc(size_t Size);
void *NtfsShimCalloc(size_t Count, size_t Size);
void *NtfsShimRealloc(void *Block, size_t Size);
void NtfsShimFree(void *Block);
/* Memory that an operation which has begun can count on; 0, or NTFS_SHIM_ENOMEM. */
int NtfsShimReserve(void);
void NtfsShimFreeReserve(void);
char *NtfsShimStrdup(const char *Text);
char *NtfsShimStrerror(int Error);
int NtfsShimSNPrintf(char *To, size_t Size, const char *Format, ...);
int NtfsShimFfs(int Value);
int NtfsShimMbToWc(wchar_t *To, const char *Text, size_t Size);
int NtfsShimWcToMb(char *To, wchar_t Character);
char *NtfsShimSetLocale(int Category, const char *Locale);
int NtfsShimFPrintf(void *To, const char *Format, ...);
int NtfsShimVFPrintf(void *To, const char *Format, va_list Arguments);
int NtfsShimFFlush(void *To);
int NtfsShimClockGetTime(int Clock, struct NtfsShimTime *Time);
int64_t NtfsShimTime(int64_t *Time);
void *NtfsShimGetpwnam(const char *Name);
void *NtfsShimGetpwuid(uint32_t User);
void *NtfsShimGetgrnam(const char *Name);
void *NtfsShimGetgrgid(uint32_t Group);
uint32_t NtfsShimGetuid(void);
uint32_t NtfsShimGetgid(void);
int32_t NtfsShimGetpid(void);
int NtfsShimOpen(const char *Path, int Flags, ...);
int NtfsShimClose(int File);
int64_t NtfsShimRead(int File, void *To, size_t Size);
long NtfsShimRandom(void);
void NtfsShimSrandom(unsigned int Seed);

#endif
