#pragma once
/* What auth.c (who asks) and auth_change.c (changes) share; nobody else's. */
#include "app/auth.h"

/* Credentials of logins are above those of tokens, which are their ids. */
#define AUTH_FIRST_LOGIN (UINT64_C(1) << 32)

/* With the lock held. Some credentials hold no more: auth_due() tells. */
void auth_turned(struct auth *a);
/* With the lock held: a new login, and its cookie. 0 or -errno. */
int auth_admit(struct auth *a, enum role role, bool secure, uint64_t now_ms,
               struct auth_session *out);
/* With the lock held: ends the logins of this role, but for one. */
void auth_end_logins(struct auth *a, enum role role, uint64_t but);
