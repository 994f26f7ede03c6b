/* SPDX-License-Identifier: MIT */
/* procgrp.h: a library of routines on processor groups, for drivers that also run on older Windows. */
#ifndef FLTVM_PROCGRP_H
#define FLTVM_PROCGRP_H

#include <wdm.h>
#include <fltvm_procgrp.h>

#endif
