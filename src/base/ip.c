#include "base/ip.h"

#include <string.h>

#include "base/bytes.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

void ip_from_four(uint8_t ip[16], const uint8_t four[4]) {
    memcpy(ip, mapped, sizeof(mapped));
    memcpy(ip + 12, four, 4);
}

bool ip_is_four(const uint8_t ip[16]) {
    return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

uint64_t ip_host(const uint8_t ip[16]) {
    return bytes_get64(ip + (ip_is_four(ip) ? 8 : 0));
}
