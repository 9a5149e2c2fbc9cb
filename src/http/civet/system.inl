/* System calls that CivetWeb makes, and what it prints, as civet.c wants them. A part
 * of civet.c, which declares these functions before it takes CivetWeb in. */

/* CivetWeb's record of the calling thread; NULL on threads that are not its own. */
static struct mg_workerTLS *self(void) { return pthread_getspecific(sTlsKey); }

/* The accept loop waits without end, guests included, and is woken to stop. Elsewhere a
 * result never carries a stale errno: mg_poll() discards a result over 1 when errno
 * happens to be EAGAIN. And CivetWeb's code that would read from a connection that we
 * took away is told so, where poll(2) would sit its time out. */
static int seam_poll(struct pollfd *fds, nfds_t n, int ms) {
    struct mg_workerTLS *thread = self();
    int rc = -1;
    if (thread && thread->is_master == 1)
        rc = room_poll(&((struct civet *)thread->user_ptr)->room, fds, n);
    else if (n == 1 && fds[0].fd < 0)
        errno = EBADF;
    else
        rc = poll(fds, n, ms);
    if (rc >= 0)
        errno = 0;
    return rc;
}

/* What CivetWeb's produce_socket() does, but the worker is woken after the lock was
 * given up, not to wait for it at once: a fifth more requests per CPU second. */
static void enqueue(struct mg_context *ctx, const struct socket *so) {
    pthread_mutex_lock(&ctx->thread_mutex);
    while (STOP_FLAG_IS_ZERO(&ctx->stop_flag) &&
           ctx->sq_head - ctx->sq_tail >= ctx->sq_size)
        pthread_cond_wait(&ctx->sq_empty, &ctx->thread_mutex);
    bool fits = ctx->sq_head - ctx->sq_tail < ctx->sq_size;
    if (fits)
        ctx->squeue[ctx->sq_head++ % ctx->sq_size] = *so;
    pthread_mutex_unlock(&ctx->thread_mutex);
    if (fits)
        pthread_cond_signal(&ctx->sq_full);
    else
        close(so->sock); /* we stop */
}

/* Queues a ready connection itself and tells CivetWeb that there was none: what it
 * would do to the socket now, in six system calls, has been inherited or done by
 * accept4(2). */
static int seam_accept(int door) {
    struct civet *cv = self()->user_ptr;
    struct mg_context *ctx = cv->ctx;
    struct socket so = {.in_use = 0};
    for (unsigned i = 0; i < ctx->num_listening_sockets; i++) {
        if (ctx->listening_sockets[i].sock == door) {
            so.lsa = ctx->listening_sockets[i].lsa; /* its port is what is used */
            so.is_ssl = ctx->listening_sockets[i].is_ssl;
        }
    }
    socklen_t n = sizeof(so.rsa);
    so.sock = room_accept(&cv->room, door, &so.rsa.sa, &n);
    if (so.sock != INVALID_SOCKET)
        enqueue(ctx, &so);
    return INVALID_SOCKET;
}

/* Accepted sockets inherit all of these from the one that listens. */
static int seam_listen(int fd, int backlog) {
    static const struct {
        int level, name, value;
    } opts[] = {
        /* A connection is accepted together with its first bytes, or after a second. */
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, 1}, {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},      {IPPROTO_TCP, TCP_KEEPIDLE, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 15},   {IPPROTO_TCP, TCP_KEEPCNT, 4},
    };
    for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
        setsockopt(fd, opts[i].level, opts[i].name, &opts[i].value, sizeof(int));
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    return listen(fd, backlog);
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
        unsigned door = conn->phys_ctx->num_listening_sockets;
        if (cv->start_err)
            return;
        cv->start_err = err ? err : EIO;
        if (strcmp(func, "set_ports_option") == 0 && door < cv->o.n_doors)
            snprintf(cv->start_why, sizeof(cv->start_why), "cannot listen on %s: %s",
                     cv->o.doors[door].text, strerror(cv->start_err));
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
