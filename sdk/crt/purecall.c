/* SPDX-License-Identifier: MIT */
/* A pure virtual function was called: there is nothing to go on with. */
#include <ntddk.h>

int _purecall(void);

int _purecall(void)
{
    ExRaiseStatus(STATUS_NOT_IMPLEMENTED);
}
