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

/* Only who may act as we do gets in: unix(7), the file takes the mode of the socket.
 * Without a path it stays unbound. */
static int seam_bind(int fd, const struct sockaddr *at, socklen_t n) {
    const struct sockaddr_un *un = (const void *)at;
    if (at->sa_family == AF_UNIX && un->sun_path[0] == '\0')
        return 0;
    return fchmod(fd, S_IRUSR | S_IWUSR) == 0 ? bind(fd, at, n) : -1;
}

/* What has no name cannot listen (EINVAL), and need not. */
static int seam_listen(int fd, int backlog) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    return listen(fd, backlog) == 0 || errno == EINVAL ? 0 : -1;
}

/* Does anybody answer there? 1, 0: nobody; or -errno. */
static int answers(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int rc = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? 1 : -errno;
    close(fd);
    return rc == -EAGAIN ? 1 : rc == -ECONNREFUSED ? 0 : rc;
}

/* A socket whose server has died is in the way of the next one. */
static int clear_stale(const char *path, char *why, size_t cap) {
    struct stat st;
    int rc = 0;
    if (strlen(path) > CIVET_PATH_MAX || strchr(path, ','))
        rc = -ENAMETOOLONG;
    else if (lstat(path, &st) != 0)
        rc = errno == ENOENT ? 0 : -errno;
    else if (!S_ISSOCK(st.st_mode))
        rc = -EEXIST;
    else
        rc = answers(path);
    if (rc == 0 && unlink(path) != 0 && errno != ENOENT)
        rc = -errno;
    if (rc == 1)
        rc = -EADDRINUSE;
    if (rc != 0)
        snprintf(why, cap, "cannot listen on %s: %s", path,
                 rc == -EADDRINUSE ? "another one answers there" : strerror(-rc));
    return rc;
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
        if (strcmp(func, "set_ports_option") == 0)
            snprintf(cv->start_why, sizeof(cv->start_why), "cannot listen on %s: %s",
                     cv->o.socket ? cv->o.socket : "a socket", strerror(cv->start_err));
        else
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
