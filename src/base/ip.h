#pragma once
/* IP addresses as they are kept: 16 bytes, IPv4 mapped (RFC 4291 2.5.5.2); all zeros:
 * of no network. Pure, any thread. */
#include <stdbool.h>
#include <stdint.h>

/* four: its bytes as they are sent. */
void ip_from_four(uint8_t ip[16], const uint8_t four[4]);
bool ip_is_four(const uint8_t ip[16]);
/* Equal for addresses that one host may have: of IPv4 the address itself, of IPv6 its
 * /64, which one host can fill. */
uint64_t ip_host(const uint8_t ip[16]);
