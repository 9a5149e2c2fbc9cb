#pragma once
/* Who somebody is to this board; each may do what those before it may. Values only, any
 * thread. Zero is none of them, so that who was never asked, and a table that forgot to
 * say, have no rights. */
enum role {
    ROLE_NONE = 1, /* anybody */
    ROLE_VIEWER,   /* may look */
    ROLE_ADMIN,    /* may change */
};

/* "viewer"; "none" for what is no role. A constant. */
const char *role_name(unsigned role);
