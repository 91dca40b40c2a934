/*
 * Preloaded, it makes directories tell of no name what stands under it, as NFS and an XFS without ftype do, once a process has listed
 * UNTOLD_BEHIND names. Files and empty folders whose names begin with UNTOLD_GONE are removed just behind their listing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell_nothing(DIR *directory, const char *name, unsigned char *type) {
    static long listed = 0;
    const char *behind = getenv("UNTOLD_BEHIND");
    if (listed++ >= (behind == NULL ? 0 : atol(behind))) *type = DT_UNKNOWN;
    const char *gone = getenv("UNTOLD_GONE");
    if (gone == NULL || strncmp(name, gone, strlen(gone)) != 0) return;
    if (unlinkat(dirfd(directory), name, 0) != 0) unlinkat(dirfd(directory), name, AT_REMOVEDIR);
}

#define UNTOLD_READDIR(name, entry_type)                                                \
    struct entry_type *name(DIR *directory) {                                           \
        static struct entry_type *(*real)(DIR *);                                       \
        if (real == NULL) real = (struct entry_type * (*)(DIR *)) dlsym(RTLD_NEXT, #name); \
        struct entry_type *entry = real(directory);                                     \
        if (entry != NULL) tell_nothing(directory, entry->d_name, &entry->d_type);      \
        return entry;                                                                   \
    }

UNTOLD_READDIR(readdir, dirent)
UNTOLD_READDIR(readdir64, dirent64)
