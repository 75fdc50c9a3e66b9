/* The addresses at which the ranks of a host can be reached. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "watch_internal.h"

/* An interface with an IPv4 address. */
typedef struct interface {
  const char *name;
  uint32_t address; /* host byte order */
} interface;

/* "10.1.0.0/16" */
static bool in_subnet(const char *text, uint32_t address) {
  char dotted[INET_ADDRSTRLEN] = "";
  const char *slash = strchr(text, '/');
  struct in_addr net;
  const size_t length = slash ? (size_t)(slash - text) : 0;
  if (!slash || length >= sizeof dotted) return false;
  memcpy(dotted, text, length);
  const long bits = strtol(slash + 1, NULL, 10);
  if (bits < 1 || bits > 32 || inet_pton(AF_INET, dotted, &net) != 1) return false;
  return (ntohl(net.s_addr) ^ address) >> (32 - bits) == 0;
}

/* Whether a list of names and subnets, as Open MPI takes it, has the interface. */
static bool is_listed(const char *list, const interface *one) {
  while (*list) {
    char word[64] = "";
    const size_t length = strcspn(list, ",");
    if (length < sizeof word) memcpy(word, list, length);
    if (strcmp(word, one->name) == 0 || in_subnet(word, one->address)) return true;
    list += length + (list[length] == ',');
  }
  return false;
}

/* What the user told Open MPI's TCP transport; other libraries are not asked. */
static bool is_meant(const interface *one) {
  const char *include = getenv("OMPI_MCA_btl_tcp_if_include");
  const char *exclude = getenv("OMPI_MCA_btl_tcp_if_exclude");
  if (include && *include) return is_listed(include, one);
  return !exclude || !is_listed(exclude, one);
}

int trm_addresses_list(uint32_t addresses[TRM_MAX_ADDRESSES]) {
  struct ifaddrs *all = NULL;
  int n = 0;
  if (getifaddrs(&all) != 0) return 0;
  for (const struct ifaddrs *a = all; a && n < TRM_MAX_ADDRESSES; a = a->ifa_next) {
    const unsigned up = IFF_UP | IFF_RUNNING;
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET) continue;
    if ((a->ifa_flags & up) != up || (a->ifa_flags & IFF_LOOPBACK)) continue;
    struct sockaddr_in address;
    memcpy(&address, a->ifa_addr, sizeof address);
    const interface one = {.name = a->ifa_name, .address = ntohl(address.sin_addr.s_addr)};
    if (is_meant(&one)) addresses[n++] = address.sin_addr.s_addr;
  }
  freeifaddrs(all);
  return n;
}
