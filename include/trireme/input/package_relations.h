/** Relations between packages, as data sets made from a package index keep them below /debian. */
#ifndef TRIREME_INPUT_PACKAGE_RELATIONS_H
#define TRIREME_INPUT_PACKAGE_RELATIONS_H

enum { TRM_N_RELATIONS = 4 };
/** Kinds of package relations, strongest first, as the groups below /debian are called. */
extern const char *const trm_relation_names[TRM_N_RELATIONS];

#endif
