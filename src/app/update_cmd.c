#include "app/update_cmd.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/json.h"
#include "update/updclient.h"
#include "update/updfile.h"

/* A file on its way. */
struct sending {
    struct updclient *c;
    int fd;
    uint64_t size, sent;
    int shown; /* percent; -1: nobody looks */
};

static int complain(const char *what, const char *why) {
    fprintf(stderr, "pulseboard: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

/* The updater's words, or the kernel's when it said none. */
static int failed(const struct updclient *c, const char *what, int rc) {
    return complain(what, c->text[0] ? c->text : strerror(-rc));
}

static void show(struct sending *s) {
    int percent = s->size ? (int)(s->sent * 100 / s->size) : 0;
    if (s->shown < 0 || percent == s->shown)
        return;
    s->shown = percent;
    fprintf(stderr, "\rwritten: %3d %%", percent);
    if (percent == 100)
        fputs("\nreading it back\n", stderr);
}

/* cap bytes, or what there is until the end. */
static ssize_t fill(int fd, uint8_t *buf, size_t cap) {
    size_t n = 0;
    while (n < cap) {
        ssize_t got = read(fd, buf + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static int send_head(struct sending *s, bool force) {
    uint8_t head[UPDFILE_HEAD_MAX];
    struct updfile f;
    ssize_t n = fill(s->fd, head, sizeof head);
    if (n < 0)
        return (int)n;
    ssize_t whole = updfile_head(head, (size_t)n, &f);
    if (whole <= 0)
        whole = n;
    s->sent = (uint64_t)whole;
    if (lseek(s->fd, whole, SEEK_SET) < 0)
        return -errno;
    return updclient_begin(s->c, force, head, (size_t)whole);
}

static int send_file(struct sending *s, bool force) {
    static uint8_t part[UPDMSG_DATA_MAX];
    int rc = send_head(s, force);
    while (rc == 0) {
        ssize_t n = fill(s->fd, part, sizeof part);
        if (n <= 0)
            return n < 0 ? (int)n : updclient_end(s->c);
        rc = updclient_data(s->c, part, (size_t)n);
        s->sent += (uint64_t)n;
        show(s);
    }
    return rc;
}

static int update(struct updclient *c, const struct update_args *a) {
    struct stat st;
    struct sending s = {.c = c, .shown = isatty(STDERR_FILENO) ? 0 : -1};
    s.fd = open(a->file, O_RDONLY | O_CLOEXEC);
    if (s.fd < 0 || fstat(s.fd, &st) != 0)
        return complain(a->file, strerror(errno));
    s.size = (uint64_t)st.st_size;
    int rc = send_file(&s, a->force);
    close(s.fd);
    if (s.shown > 0 && s.shown < 100)
        fputc('\n', stderr);
    if (rc != 0)
        return failed(c, a->file, rc);
    puts("written and read back: the board restarts, and the new system is on trial");
    return EXIT_SUCCESS;
}

static const char *text_of(const cJSON *tree, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(tree, key);
    return cJSON_IsString(v) ? v->valuestring : "";
}

static int status(struct updclient *c) {
    int rc = updclient_status(c, UPDCLIENT_PATIENT_S);
    if (rc != 0)
        return failed(c, "status", rc);
    cJSON *t = json_parse(c->text, c->n);
    if (!t)
        return complain("status", "the answer is not JSON");
    printf("running   %s, slot %s, on %s\n", text_of(t, "version"), text_of(t, "slot"),
           text_of(t, "board"));
    printf("state     %s\n", text_of(t, "state"));
    if (text_of(t, "update")[0])
        printf("update    %s\n", text_of(t, "update"));
    if (text_of(t, "why")[0])
        printf("why       %s\n", text_of(t, "why"));
    cJSON_Delete(t);
    return EXIT_SUCCESS;
}

int update_cmd(const struct update_args *a) {
    static struct updclient c;
    int rc = updclient_open(&c, a->socket, UPDCLIENT_PATIENT_S), code;
    if (rc != 0)
        return complain(a->socket, strerror(-rc));
    if (a->file)
        code = update(&c, a);
    else if (a->rollback && (rc = updclient_rollback(&c)) != 0)
        code = failed(&c, "rollback", rc);
    else if (a->reboot && (rc = updclient_reboot(&c)) != 0)
        code = failed(&c, "reboot", rc);
    else
        code = status(&c);
    updclient_close(&c);
    return code;
}
