/* httpd logs requests itself. */
static void log_access(const struct mg_connection *conn) { (void)conn; }
