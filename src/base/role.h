#pragma once
/* Who somebody is to this board; each may do what those before it may. Values only, any
 * thread. Zero is none of them, so that who was never asked, and a table that forgot to
 * say, have no rights. */
#include <stdbool.h>

enum role {
    ROLE_NONE = 1, /* anybody */
    ROLE_VIEWER,   /* may look */
    ROLE_ADMIN,    /* may change */
};

/* "viewer"; "none" for what is no role. A constant. */
const char *role_name(unsigned role);
/* The role of that name, of those that somebody can be given; false: it is none. */
bool role_parse(const char *name, enum role *out);
