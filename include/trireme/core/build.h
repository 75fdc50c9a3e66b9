/** Which build of the program this is. */
#ifndef TRIREME_CORE_BUILD_H
#define TRIREME_CORE_BUILD_H

#include <stddef.h>

enum { TRM_BUILD_ID_BYTES = 48 };

/**
 * The linker's build id of the program or library that this code is in, in hexadecimal: equal for
 * equal contents. Where the linker has put none in, a hash of the program's file; "unknown" where
 * that cannot be read either. Not collective.
 */
void trm_build_id(char id[TRM_BUILD_ID_BYTES]);

#endif
