/* What Pulseboard changes in mbedTLS's default configuration. */
#pragma once

/* CivetWeb's workers share one random generator. */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

/* Records of ours are small; 16 kB for each session is not. */
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
