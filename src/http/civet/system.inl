/* System calls that CivetWeb makes, and what it prints, as civet.c wants them. A part
 * of civet.c, which declares these functions before it takes CivetWeb in. */

/* CivetWeb's record of the calling thread; NULL on threads that are not its own. */
static struct mg_workerTLS *self(void) { return pthread_getspecific(sTlsKey); }

/* Its accept loop has nothing to accept and sleeps until we stop. Elsewhere a result
 * never carries a stale errno: mg_poll() discards a result over 1 when errno happens to
 * be EAGAIN. And CivetWeb's code that would read from a connection that is not its own
 * is told so, where poll(2) would sit its time out. */
static int seam_poll(struct pollfd *fds, nfds_t n, int ms) {
    struct mg_workerTLS *thread = self();
    int rc = -1;
    if (thread && thread->is_master == 1) {
        struct pollfd p = {.fd = ((struct civet *)thread->user_ptr)->stop_fd,
                           .events = POLLIN};
        poll(&p, 1, -1);
        rc = 0;
    } else if (n == 1 && fds[0].fd < 0)
        errno = EBADF;
    else
        rc = poll(fds, n, ms);
    if (rc >= 0)
        errno = 0;
    return rc;
}

/* The socket that it listens on is made before it starts: it stands in the place of its
 * own, its number in the place of a path. Without one CivetWeb's stays unbound. */
static int seam_bind(int fd, const struct sockaddr *at, socklen_t n) {
    const struct sockaddr_un *un = (const void *)at;
    (void)n;
    return un->sun_path[0] == '\0' || dup2(atoi(un->sun_path), fd) == fd ? 0 : -1;
}

/* Nothing to do: it listens, or it never shall. */
static int seam_listen(int fd, int backlog) {
    (void)fd;
    (void)backlog;
    return 0;
}

/* While starting, the first message is the reason for failure. Later there is nothing
 * that it would complain about but a fault of ours: it touches no connection. */
static void seam_cry(const struct mg_connection *conn, const char *func,
                     const char *fmt, va_list ap) {
    int err = errno;
    char text[256], quoted[300];
    struct civet *cv = conn && conn->phys_ctx ? conn->phys_ctx->user_data : NULL;
    vsnprintf(text, sizeof(text), fmt, ap);
    if (cv && cv->starting && strcmp(func, "worker_thread_run") != 0) {
        if (cv->start_err)
            return;
        cv->start_err = err ? err : EIO;
        snprintf(cv->start_why, sizeof(cv->start_why), "%s", text);
        return;
    }
    log_error("civetweb", "func=%s message=%s", func,
              log_quote(quoted, sizeof(quoted), text));
}

static int seam_print(const char *fmt, ...) {
    char text[256], quoted[300];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_debug("civetweb", "message=%s", log_quote(quoted, sizeof(quoted), text));
    return n;
}
