// lookup 4|6|46 COUNT NAME: looks a name up COUNT times by getaddrinfo(3), and prints the first address of each family, a
// line for each lookup: "10.0.0.1 fd00::1", "-" for a family without one. COUNT 0: once, and prints all addresses, a line each.

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void print(const struct addrinfo *address, char end) {
    char text[INET6_ADDRSTRLEN] = "-";
    if (address && address->ai_family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)address->ai_addr)->sin_addr, text, sizeof text);
    if (address && address->ai_family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)address->ai_addr)->sin6_addr, text, sizeof text);
    printf("%s%c", text, end);
}

static const struct addrinfo *first(const struct addrinfo *address, int family) {
    while (address && address->ai_family != family) address = address->ai_next;
    return address;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    if (!strcmp(arguments[1], "4")) hints.ai_family = AF_INET;
    if (!strcmp(arguments[1], "6")) hints.ai_family = AF_INET6;
    int lookups = atoi(arguments[2]);
    for (int left = lookups ? lookups : 1; left > 0; left--) {
        struct addrinfo *addresses = NULL;
        int failure = getaddrinfo(arguments[3], NULL, &hints, &addresses);
        if (failure) {
            fprintf(stderr, "%s\n", gai_strerror(failure));
            return 1;
        }
        for (const struct addrinfo *each = addresses; !lookups && each; each = each->ai_next) print(each, '\n');
        if (lookups) print(first(addresses, AF_INET), ' '), print(first(addresses, AF_INET6), '\n');
        freeaddrinfo(addresses);
    }
}
