#include "base/role.h"

#include <string.h>

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

bool role_parse(const char *name, enum role *out) {
    for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        if (strcmp(name, role_name(role)) == 0) {
            *out = role;
            return true;
        }
    }
    return false;
}
