/* CivetWeb's own messages go to our log. */
static void mg_cry_internal_impl(const struct mg_connection *conn, const char *func,
                                 unsigned line, const char *fmt, va_list ap) {
    (void)line;
    seam_cry(conn, func, fmt, ap);
}
