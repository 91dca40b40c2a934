/*
 * A TCP proxy that hands on every chunk after a delay, in order, each direction for itself, any number of chunks under way: a longer wire,
 * not a thinner one. Arguments: the port on 127.0.0.1 to go to, and the delay of one direction in nanoseconds. Prints its own port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 128, CHUNK = 1 << 18, MOST_UNDER_WAY = 1 << 28 };

struct chunk {
    struct chunk *next;
    long long due;
    size_t length, sent;
    char bytes[];
};

/* What goes from one socket to the other. A chunk without bytes is the end. */
struct direction {
    int from, to;
    struct chunk *first, *last;
    size_t under_way;
    int is_read, is_over, is_blocked;
};

struct connection {
    struct direction directions[2];
};

static struct connection *connections[MOST_CONNECTIONS];
static int connection_count;
static long long delay;
static char buffer[CHUNK];

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void prepare(int socket) {
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(socket, F_SETFL, O_NONBLOCK);
}

static void append(struct direction *direction, size_t length) {
    struct chunk *chunk = malloc(sizeof *chunk + length);
    if (chunk == NULL) exit(1);
    *chunk = (struct chunk){.due = now() + delay, .length = length};
    memcpy(chunk->bytes, buffer, length);
    if (direction->last == NULL) direction->first = chunk;
    else direction->last->next = chunk;
    direction->last = chunk;
    direction->under_way += length;
}

static void receive(struct direction *direction) {
    while (!direction->is_read && direction->under_way < MOST_UNDER_WAY) {
        ssize_t length = read(direction->from, buffer, sizeof buffer);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (length <= 0) direction->is_read = 1;
        append(direction, length > 0 ? (size_t)length : 0);
        if (length < CHUNK) return;
    }
}

/* Hands on what is due. */
static void hand_on(struct direction *direction) {
    while (direction->first != NULL && direction->first->due <= now()) {
        struct chunk *chunk = direction->first;
        if (chunk->length == 0) {
            shutdown(direction->to, SHUT_WR);
            direction->is_over = 1;
        }
        while (chunk->sent < chunk->length) {
            ssize_t sent = send(direction->to, chunk->bytes + chunk->sent, chunk->length - chunk->sent, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && errno == EAGAIN) {
                direction->is_blocked = 1;
                return;
            }
            if (sent < 0) {
                direction->is_over = direction->is_read = 1;
                break;
            }
            chunk->sent += (size_t)sent;
        }
        direction->is_blocked = 0;
        direction->under_way -= chunk->length;
        direction->first = chunk->next;
        if (direction->first == NULL) direction->last = NULL;
        free(chunk);
    }
}

static void accept_connection(int listener, struct sockaddr_in target) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) return;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (connection_count == MOST_CONNECTIONS || connect(server, (struct sockaddr *)&target, sizeof target) != 0) {
        close(client);
        close(server);
        return;
    }
    prepare(client);
    prepare(server);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) exit(1);
    connection->directions[0] = (struct direction){.from = client, .to = server};
    connection->directions[1] = (struct direction){.from = server, .to = client};
    connections[connection_count++] = connection;
}

static void close_if_over(int index) {
    struct connection *connection = connections[index];
    if (!connection->directions[0].is_over || !connection->directions[1].is_over) return;
    for (int side = 0; side < 2; side++) {
        close(connection->directions[side].from);
        for (struct chunk *chunk = connection->directions[side].first, *next; chunk != NULL; chunk = next) {
            next = chunk->next;
            free(chunk);
        }
    }
    free(connection);
    connections[index] = connections[--connection_count];
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    delay = atoll(arguments[2]);
    /* A wire does not wait for a processor. */
    setpriority(PRIO_PROCESS, 0, -20);
    prctl(PR_SET_TIMERSLACK, 1000);

    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&own, size) != 0 || listen(listener, 64) != 0) return 1;
    getsockname(listener, (struct sockaddr *)&own, &size);
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);

    for (;;) {
        struct pollfd watched[1 + 2 * MOST_CONNECTIONS] = {{.fd = listener, .events = POLLIN}};
        long long next = -1;
        for (int index = 0; index < connection_count; index++) {
            struct direction *directions = connections[index]->directions;
            for (int side = 0; side < 2; side++) {
                /* The socket that this direction reads is the one that the other direction writes. */
                struct direction *in = &directions[side], *out = &directions[1 - side];
                short events = 0;
                if (!in->is_read && in->under_way < MOST_UNDER_WAY) events |= POLLIN;
                if (out->is_blocked) events |= POLLOUT;
                watched[1 + 2 * index + side] = (struct pollfd){.fd = events == 0 ? -1 : in->from, .events = events};
                if (in->first != NULL && !in->is_blocked && (next < 0 || in->first->due < next)) next = in->first->due;
            }
        }
        struct timespec wait = {0, 0}, *timeout = NULL;
        if (next >= 0) {
            long long left = next - now();
            if (left > 0) wait = (struct timespec){left / 1000000000LL, left % 1000000000LL};
            timeout = &wait;
        }
        int polled = connection_count;
        if (ppoll(watched, 1 + 2 * (nfds_t)polled, timeout, NULL) < 0 && errno != EINTR) return 1;
        for (int index = polled - 1; index >= 0; index--) {
            struct direction *directions = connections[index]->directions;
            for (int side = 0; side < 2; side++) {
                if (watched[1 + 2 * index + side].revents != 0) receive(&directions[side]);
            }
            for (int side = 0; side < 2; side++) hand_on(&directions[side]);
            close_if_over(index);
        }
        if (watched[0].revents != 0) accept_connection(listener, target);
    }
}
