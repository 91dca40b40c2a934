/*
 * Preloaded, it makes directories tell of no name what stands under it, as NFS and an XFS without ftype do, once a process has listed
 * UNTOLD_BEHIND names; where that is from the first one on, the file system says that it is NFS. Files and empty folders whose names begin with UNTOLD_GONE are removed just behind their listing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static long told(void) {
    const char *behind = getenv("UNTOLD_BEHIND");
    return behind == NULL ? 0 : atol(behind);
}

static void tell_nothing(DIR *directory, const char *name, unsigned char *type) {
    static long listed = 0;
    if (listed++ >= told()) *type = DT_UNKNOWN;
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

#define NFS_SUPER_MAGIC 0x6969
#define UNTOLD_STATFS(name)                                                              \
    int name(const char *path, struct name *facts) {                                     \
        static int (*real)(const char *, struct name *);                                 \
        if (real == NULL) real = (int (*)(const char *, struct name *)) dlsym(RTLD_NEXT, #name); \
        int result = real(path, facts);                                                  \
        if (result == 0 && told() == 0) facts->f_type = NFS_SUPER_MAGIC;                 \
        return result;                                                                   \
    }

UNTOLD_STATFS(statfs)
UNTOLD_STATFS(statfs64)
