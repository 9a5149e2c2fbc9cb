/* Its warnings are not ours. (As a system header by its folder, gcc would resolve the link that
 * it is reached by, and with it find the wrong mod_mbedtls.inl.) */
#pragma GCC system_header
#include "civetweb.c"
