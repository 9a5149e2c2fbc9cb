#include "app/first_boot.h"

#include <arpa/inet.h>
#include <cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"

#define CLAIM_SYMBOLS 12u /* of a claim code (sec/secret.h) */
#define DNS_LABEL_MAX 63u
#define SSID_MAX 32u /* IEEE 802.11: bytes, of any value */
#define WPA_MIN 8u   /* IEEE 802.11i: a passphrase is 8 to 63 printable characters */
#define WPA_MAX 63u
#define SSH_KEY_MAX 800u

struct reader {
    const char *path;
    FILE *out, *say;
    unsigned problems;
};

static void wrong(struct reader *r, const char *key, const char *why) {
    fprintf(r->say, "%s: ", r->path);
    /* A key may hold anything: a line stays one line. */
    for (const char *p = key; *p; p++)
        fputc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, r->say);
    fprintf(r->say, ": %s\n", why);
    r->problems++;
}

/* In single quotes nothing means anything to a shell, but a single quote. */
static void setting(struct reader *r, const char *name, const char *value) {
    fprintf(r->out, "%s='", name);
    for (; *value; value++) {
        if (*value == '\'')
            fputs("'\\''", r->out);
        else
            fputc(*value, r->out);
    }
    fputs("'\n", r->out);
}

/* ---- one value each: what is wrong with it, or NULL ---- */

static bool printable(const char *s) {
    for (; *s; s++) {
        if (*s < 0x20 || *s > 0x7e)
            return false;
    }
    return true;
}

/* RFC 1123 2.1: letters, digits and inner hyphens. */
static const char *wrong_hostname(const char *s) {
    size_t n = strlen(s);
    bool ok = n >= 1 && n <= DNS_LABEL_MAX && s[0] != '-' && s[n - 1] != '-';
    for (size_t i = 0; ok && i < n; i++)
        ok = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
             (s[i] >= '0' && s[i] <= '9') || s[i] == '-';
    return ok ? NULL : "wants 1 to 63 letters, digits and inner hyphens";
}

static const char *wrong_claim(const char *s) {
    unsigned n = 0;
    for (; *s; s++) {
        if (*s == '-' || *s == ' ')
            continue;
        if (!isalnum((unsigned char)*s) || *s == 'u' || *s == 'U')
            return "wants letters without U, and digits";
        n++;
    }
    return n == CLAIM_SYMBOLS ? NULL : "wants 12 letters and digits";
}

static const char *wrong_ssid(const char *s) {
    size_t n = strlen(s);
    return n >= 1 && n <= SSID_MAX ? NULL : "wants 1 to 32 bytes";
}

/* "": a network without one. */
static const char *wrong_passphrase(const char *s) {
    size_t n = strlen(s);
    if (n != 0 && (n < WPA_MIN || n > WPA_MAX || !printable(s)))
        return "wants 8 to 63 printable ASCII characters";
    /* wpa_supplicant takes that for a comment (wpa_config_get_line). */
    const char *quote = strchr(s, '"');
    return quote && strchr(quote, '#') ? "may not have a # behind a \"" : NULL;
}

static const char *wrong_country(const char *s) {
    bool ok =
        strlen(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z';
    return ok ? NULL : "wants two capitals (ISO 3166), as in DE";
}

static bool host_address(const char *s, struct in_addr *a) {
    if (inet_pton(AF_INET, s, a) != 1)
        return false;
    uint32_t host = ntohl(a->s_addr);
    /* Not "this" network, loopback, multicast or reserved: RFC 6890. */
    return host >> 24 != 0 && host >> 24 != 127 && host >> 28 < 0xe;
}

static const char *wrong_gateway(const char *s) {
    struct in_addr a;
    return host_address(s, &a) ? NULL : "is no address that a machine can have";
}

/* "192.168.1.20/24", of a host: neither the network's own address nor its broadcast. */
static const char *wrong_address(const char *s) {
    static const char form[] = "wants ADDRESS/BITS, as in 192.168.1.20/24";
    char text[INET_ADDRSTRLEN];
    const char *slash = strchr(s, '/');
    struct in_addr a;
    if (!slash || (size_t)(slash - s) >= sizeof text)
        return form;
    memcpy(text, s, (size_t)(slash - s));
    text[slash - s] = '\0';
    unsigned bits = 0;
    const char *p = slash + 1;
    for (; *p >= '0' && *p <= '9' && bits <= 32; p++)
        bits = bits * 10 + (unsigned)(*p - '0');
    if (p == slash + 1 || *p || bits < 8 || bits > 30)
        return "wants 8 to 30 network bits behind the slash";
    if (!host_address(text, &a))
        return "is no address that a machine can have";
    uint32_t mask = UINT32_MAX >> bits, host = ntohl(a.s_addr) & mask;
    return host != 0 && host != mask ? NULL : "is the address of a whole network";
}

static const char *wrong_ssh_key(const char *s) {
    bool known = strncmp(s, "ssh-", 4) == 0 || strncmp(s, "ecdsa-sha2-", 11) == 0;
    return known && strlen(s) <= SSH_KEY_MAX && printable(s)
               ? NULL
               : "wants one public key, as in ssh-ed25519 AAAA...";
}

/* ---- the file ---- */

static void print_plain(struct reader *r, const char *name, const char *value) {
    setting(r, name, value);
}

/* wpa_supplicant takes bytes of any value in hexadecimal. */
static void print_hex(struct reader *r, const char *name, const char *value) {
    fprintf(r->out, "%s='", name);
    for (; *value; value++)
        fprintf(r->out, "%02x", (unsigned char)*value);
    fputs("'\n", r->out);
}

/* It reads a passphrase up to the last quote of the line. */
static void print_quoted(struct reader *r, const char *name, const char *value) {
    char text[WPA_MAX + 3];
    snprintf(text, sizeof text, *value ? "\"%s\"" : "%s", value);
    setting(r, name, text);
}

static const struct row {
    const char *section; /* "": the top */
    const char *key;
    const char *name; /* in the shell */
    const char *(*wrong)(const char *value);
    void (*print)(struct reader *r, const char *name, const char *value);
} rows[] = {
    {"", "hostname", "PB_HOSTNAME", wrong_hostname, print_plain},
    {"", "claim_code", "PB_CLAIM_CODE", wrong_claim, print_plain},
    {"", "ssh_key", "PB_SSH_KEY", wrong_ssh_key, print_plain},
    {"wifi", "ssid", "PB_WIFI_SSID", wrong_ssid, print_hex},
    {"wifi", "password", "PB_WIFI_PSK", wrong_passphrase, print_quoted},
    {"wifi", "country", "PB_WIFI_COUNTRY", wrong_country, print_plain},
    {"network", "address", "PB_ADDRESS", wrong_address, print_plain},
    {"network", "gateway", "PB_GATEWAY", wrong_gateway, print_plain},
    {"network", "dns", "PB_DNS", wrong_gateway, print_plain},
};
#define ROWS (sizeof rows / sizeof rows[0])

static const struct row *find(const char *section, const char *key) {
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
            return &rows[i];
    }
    return NULL;
}

static bool is_section(const char *key) {
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].section[0] && strcmp(rows[i].section, key) == 0)
            return true;
    }
    return false;
}

static void take_object(struct reader *r, const char *section, const cJSON *object);

static void take(struct reader *r, const char *section, const cJSON *v) {
    const struct row *row = find(section, v->string);
    char key[128];
    snprintf(key, sizeof key, "%s%s%s", section, section[0] ? "." : "", v->string);
    if (!row && !section[0] && is_section(v->string)) {
        if (cJSON_IsObject(v))
            take_object(r, v->string, v);
        else
            wrong(r, key, "wants an object, { ... }");
        return;
    }
    const char *why = !row                 ? "is no setting; it may be misspelt"
                      : !cJSON_IsString(v) ? "wants a text in quotes"
                                           : row->wrong(v->valuestring);
    if (why)
        wrong(r, key, why);
    else
        row->print(r, row->name, v->valuestring);
}

static void take_object(struct reader *r, const char *section, const cJSON *object) {
    const cJSON *v, *earlier;
    cJSON_ArrayForEach(v, object) {
        bool again = false;
        for (earlier = object->child; earlier != v; earlier = earlier->next)
            again = again || strcmp(earlier->string, v->string) == 0;
        if (again)
            wrong(r, v->string, "stands there twice; the first holds");
        else
            take(r, section, v);
    }
}

/* ", }" becomes "  }". Comments are gone already. */
static void forgive_commas(char *text, size_t n) {
    char *comma = NULL;
    bool string = false;
    for (char *p = text; p < text + n; p++) {
        if (string) {
            if (*p == '\\')
                p++;
            else
                string = *p != '"';
            continue;
        }
        if ((*p == '}' || *p == ']') && comma)
            *comma = ' ';
        string = *p == '"';
        if (*p == ',')
            comma = p;
        else if (!isspace((unsigned char)*p))
            comma = NULL;
    }
}

static void not_json(struct reader *r, const char *text, const char *at) {
    unsigned line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    fprintf(r->say,
            "%s:%u: this is not JSON from here on; nothing in the file was used\n",
            r->path, line);
    r->problems++;
}

unsigned first_boot_text(const char *path, char *text, size_t n, FILE *out, FILE *say) {
    struct reader r = {.path = path, .out = out, .say = say};
    text[n] = '\0';
    /* Editors of other systems put a mark before the text. */
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        memset(text, ' ', 3);
    const char *at = json_without_comments(text, n);
    forgive_commas(text, n);
    if (!at)
        at = json_fault(text, n);
    cJSON *root = at ? NULL : cJSON_ParseWithLength(text, n);
    if (at)
        not_json(&r, text, at);
    else if (!cJSON_IsObject(root))
        wrong(&r, "the file", "wants an object, { ... }");
    else
        take_object(&r, "", root);
    cJSON_Delete(root);
    return r.problems;
}

int first_boot_run(const char *path) {
    static char text[FIRST_BOOT_MAX + 2];
    FILE *f = fopen(path, "re");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    size_t n = fread(text, 1, FIRST_BOOT_MAX + 1, f);
    fclose(f);
    if (n > FIRST_BOOT_MAX) {
        fprintf(stderr, "%s: is longer than %u bytes\n", path, FIRST_BOOT_MAX);
        return EXIT_FAILURE;
    }
    return first_boot_text(path, text, n, stdout, stderr) ? EXIT_FAILURE : EXIT_SUCCESS;
}
