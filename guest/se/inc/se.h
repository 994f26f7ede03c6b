/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * se: who acts, and what they may do.
 *
 * Three users exist: LocalSystem, whose token every process has, an administrator and a limited user, as whom a client of
 * the host's may act.  A token does not change once it is made.
 */
#ifndef FLTVM_SE_H
#define FLTVM_SE_H

typedef enum _SE_USER { SeUserSystem, SeUserAdministrator, SeUserLimited, SeUsers } SE_USER;

/* Makes the system token, with one reference, which init gives to the system process.  After ob; IRQL: PASSIVE_LEVEL. */
NTSTATUS SeInitSystem(PACCESS_TOKEN *SystemToken);

/* A token of the user's, to impersonate with or a process's; referenced for the caller.  IRQL: PASSIVE_LEVEL. */
NTSTATUS SeCreateUserToken(SE_USER User, TOKEN_TYPE Type, PACCESS_TOKEN *Token);

/* The descriptor of a device that has none of its own: system and administrators everything, others what a path needs. */
extern PSECURITY_DESCRIPTOR SeDeviceDescriptor;

#endif
