/* What Pulseboard changes in mbedTLS's default configuration (mbedtls_config.h of 3.6).
 * A server for TLS 1.2 and 1.3 with AEAD suites and ephemeral keys; X.509 as a device
 * that is its own CA needs it; PSA as TLS 1.3 does. Everything else is left out: it
 * would be code on a board that nobody runs. */
#pragma once

/* The lobby and the hub share one random generator, tickets and the PSA key store with
 * whoever makes certificates. */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

/* Its memory is bounded and counted: sec/tls_heap.h. */
#define MBEDTLS_PLATFORM_MEMORY

/* X25519 from HACL*, verified and ten times as fast: most of what a handshake costs. */
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED

/* Where there is no getrandom() for it (musl), it reads this, again and again for as
 * long as it runs: whoever gives up rights keeps this one (app/confine). */
#define MBEDTLS_PLATFORM_DEV_RANDOM "/dev/urandom"

/* Records of ours are small; 16 kB for each session is not. What comes in may be 16 kB,
 * a length that browsers do not negotiate (RFC 8449), so that buffer stays. A
 * certificate chain must fit in one record: tls_ctx refuses a longer one when it is
 * loaded. */
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096

/* No parties but us: a server over TCP. */
#undef MBEDTLS_SSL_CLI_C
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_COOKIE_C
#undef MBEDTLS_SSL_CACHE_C
#undef MBEDTLS_SSL_CONTEXT_SERIALIZATION
#undef MBEDTLS_SSL_KEYING_MATERIAL_EXPORT
#undef MBEDTLS_SSL_SERVER_NAME_INDICATION
#undef MBEDTLS_SSL_RENEGOTIATION
#undef MBEDTLS_SSL_ENCRYPT_THEN_MAC
#undef MBEDTLS_NET_C
#undef MBEDTLS_TIMING_C

/* Key exchange: ECDHE with a certificate, nothing else. */
#undef MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_RSA_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_ECDSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_RSA_ENABLED
#undef MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_ENABLED
#undef MBEDTLS_DHM_C
#undef MBEDTLS_ECJPAKE_C

/* Ciphers: AES-GCM and ChaCha20-Poly1305. */
#undef MBEDTLS_CIPHER_MODE_CBC
#undef MBEDTLS_CIPHER_MODE_CFB
#undef MBEDTLS_CIPHER_MODE_OFB
#undef MBEDTLS_CIPHER_MODE_XTS
#undef MBEDTLS_CIPHER_PADDING_PKCS7
#undef MBEDTLS_CIPHER_PADDING_ONE_AND_ZEROS
#undef MBEDTLS_CIPHER_PADDING_ZEROS_AND_LEN
#undef MBEDTLS_CIPHER_PADDING_ZEROS
#undef MBEDTLS_ARIA_C
#undef MBEDTLS_CAMELLIA_C
#undef MBEDTLS_CCM_C
#undef MBEDTLS_CMAC_C
#undef MBEDTLS_DES_C
#undef MBEDTLS_NIST_KW_C
#undef MBEDTLS_MD5_C
#undef MBEDTLS_RIPEMD160_C
#undef MBEDTLS_SHA3_C
#undef MBEDTLS_PADLOCK_C

/* Curves: X25519 and P-256 to agree on keys; P-384 occurs in certificate chains. */
#undef MBEDTLS_ECP_DP_SECP192R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP224R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP521R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP192K1_ENABLED
#undef MBEDTLS_ECP_DP_SECP224K1_ENABLED
#undef MBEDTLS_ECP_DP_SECP256K1_ENABLED
#undef MBEDTLS_ECP_DP_BP256R1_ENABLED
#undef MBEDTLS_ECP_DP_BP384R1_ENABLED
#undef MBEDTLS_ECP_DP_BP512R1_ENABLED
#undef MBEDTLS_ECP_DP_CURVE448_ENABLED

/* Formats and helpers without a user here. Keys and certificates come as PEM in memory.
 */
#undef MBEDTLS_FS_IO
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_PKCS5_C
#undef MBEDTLS_PKCS7_C
#undef MBEDTLS_PKCS12_C
#undef MBEDTLS_LMS_C
#undef MBEDTLS_X509_CRL_PARSE_C
#undef MBEDTLS_X509_CSR_PARSE_C
#undef MBEDTLS_X509_CSR_WRITE_C
#undef MBEDTLS_PK_RSA_ALT_SUPPORT
#undef MBEDTLS_GENPRIME
#undef MBEDTLS_DEBUG_C
#undef MBEDTLS_ERROR_C
#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_VERSION_C
#undef MBEDTLS_VERSION_FEATURES
#define MBEDTLS_X509_REMOVE_INFO
