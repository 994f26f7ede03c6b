/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cc: the cache manager.  What the public headers declare (Cc*) is implemented here and not repeated. */
#ifndef FLTVM_CC_H
#define FLTVM_CC_H

/* Start-up, before file systems.  PASSIVE_LEVEL. */
VOID CcInitSystem(VOID);

#endif
