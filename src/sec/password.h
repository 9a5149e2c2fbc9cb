#pragma once
/* Which passwords an owner may choose: long enough, and none of those that are tried
 * first. No other rule: those that ask for a digit and a capital get Password1. Pure,
 * any thread. */
#include <stddef.h>

#define PASSWORD_MIN 8u   /* characters */
#define PASSWORD_MAX 128u /* bytes */

enum password_rc { PASSWORD_OK, PASSWORD_SHORT, PASSWORD_LONG, PASSWORD_COMMON };

/* s: UTF-8. */
enum password_rc password_check(const char *s);
/* A sentence for the owner. */
const char *password_why(enum password_rc rc);
