/*
 * Preloaded, it lets a process list the folder named REFUSED_FOLDER so many times as REFUSED_BEHIND says, and refuses it from then on.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

DIR *opendir(const char *path) {
    static DIR *(*real)(const char *);
    static long listed = 0;
    if (real == NULL) real = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    const char *folder = getenv("REFUSED_FOLDER");
    const char *behind = getenv("REFUSED_BEHIND");
    if (folder == NULL || behind == NULL || strcmp(path, folder) != 0 || listed++ < atol(behind)) return real(path);
    errno = EACCES;
    return NULL;
}
