#include "base/role.h"

const char *role_name(unsigned role) {
    switch ((enum role)role) {
    case ROLE_NONE:
        break;
    case ROLE_VIEWER:
        return "viewer";
    case ROLE_ADMIN:
        return "admin";
    }
    return "none";
}
