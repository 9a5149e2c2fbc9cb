#pragma once
/* Secrets: random ones, how they are written, compared and kept. What is kept of one is
 * its SHA-256, which is enough for what nobody can guess (a password is stretched
 * first: sec/pbkdf2.h). Any thread; nothing allocates. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_BYTES 32u
#define SECRET_HASH 32u

/* From the kernel. 0 or -errno. */
int secret_random(void *p, size_t n);

/* 2 n hexadecimal digits and a NUL. */
void secret_hex(char *out, const void *p, size_t n);
/* Exactly 2 n digits, lower case: 0 or -EINVAL. */
int secret_unhex(void *out, size_t n, const char *text, size_t text_n);

void secret_hash(const void *p, size_t n, uint8_t out[SECRET_HASH]);
/* Takes as long for any contents. */
bool secret_same(const void *a, const void *b, size_t n);
/* Not left out by the compiler. */
void secret_wipe(void *p, size_t n);

/* A code for people to read and type: 60 random bits as XXXX-XXXX-XXXX, of digits and
 * capitals without I, L, O and U. */
#define SECRET_CODE 15u
int secret_code(char out[SECRET_CODE]);
/* The same as written by secret_code(), whatever case, dashes and blanks it was typed
 * with, and with O for 0, I and L for 1: 0 or -EINVAL. */
int secret_code_read(char out[SECRET_CODE], const char *typed);
