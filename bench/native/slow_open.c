/*
 * Preloaded, it makes every opening of a session file take DELAY_NS longer, as a file server that far away does. A session file is told
 * by its name, for it may be opened below a descriptor: werkzeug_<sid>.sess or <sid>, of 40 or more letters, digits, - and _.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

static int is_session(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (strncmp(name, "werkzeug_", 9) == 0) name += 9;
    size_t length = 0;
    while (isalnum((unsigned char)name[length]) || name[length] == '-' || name[length] == '_') length++;
    return length >= 40 && (name[length] == 0 || strcmp(name + length, ".sess") == 0);
}

static void wait_if_session(const char *path) {
    if (path == NULL || !is_session(path)) return;
    struct timespec delay = {0, DELAY_NS};
    nanosleep(&delay, NULL);
}

static mode_t mode_of(int flags, va_list more) {
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(more, int) : 0;
}

#define SLOW_OPEN(name)                                                                 \
    int name(const char *path, int flags, ...) {                                        \
        static int (*real)(const char *, int, ...);                                     \
        if (real == NULL) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        mode_t mode = mode_of(flags, more);                                             \
        va_end(more);                                                                   \
        wait_if_session(path);                                                          \
        return real(path, flags, mode);                                                 \
    }

#define SLOW_OPENAT(name)                                                               \
    int name(int folder, const char *path, int flags, ...) {                            \
        static int (*real)(int, const char *, int, ...);                                \
        if (real == NULL) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        mode_t mode = mode_of(flags, more);                                             \
        va_end(more);                                                                   \
        wait_if_session(path);                                                          \
        return real(folder, path, flags, mode);                                         \
    }

SLOW_OPEN(open)
SLOW_OPEN(open64)
SLOW_OPENAT(openat)
SLOW_OPENAT(openat64)
