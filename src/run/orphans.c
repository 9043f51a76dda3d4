/* SPDX-License-Identifier: MIT */
#include "run/orphans.h"

#include "base/hash.h"

#include <sys/stat.h>

struct BtOrphans {
    BtScan *scan;
    GHashTable *places; /* of all sources */
    uint64_t kept;      /* the root whose results were said to be kept; 0: none */
};

BtOrphans *
bt_orphans_new(BtScan *scan)
{
    BtOrphans *self = g_new0(BtOrphans, 1);

    self->scan = scan;
    self->places = g_hash_table_new(NULL, NULL);
    return self;
}

void
bt_orphans_free(BtOrphans *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->places);
    g_free(self);
}

uint32_t
bt_orphans_place(uint64_t root_id, const char *name)
{
    return (uint32_t)(root_id ^ bt_hash_text(name));
}

void
bt_orphans_see(BtOrphans *self, const BtSource *source)
{
    if (self != NULL)
        g_hash_table_add(self->places,
                         GUINT_TO_POINTER(bt_orphans_place(
                             bt_scan_root_id(self->scan, source->root), source->name)));
}

/* Which of the folders given a result's source was found in. False where it was in none. */
static bool
find_root(const BtOrphans *self, uint32_t id, BtScanRoot *out_root)
{
    for (int i = 0; bt_scan_root(self->scan, i, out_root); i++)
        if (out_root->is_whole_folder && (uint32_t)out_root->id == id)
            return true;
    return false;
}

/* Whether there is a file that the result may have been made of, though this run did not take it: a
 * hidden one, say. */
static bool
has_source(const BtScanRoot *root, const char *name)
{
    g_autofree char *path = g_build_filename(root->path, name, NULL);
    struct stat what;
    char *dot;

    if (stat(path, &what) == 0)
        return true;
    dot = strrchr(path, '.');
    if (dot != NULL)
        *dot = '\0';
    return stat(path, &what) == 0;
}

/* Sources that are not there may come back: with a disk that is not mounted, say. */
static void
tell_kept(const BtScanRoot *root, BtReport *report)
{
    g_autofree char *sentence = g_strdup_printf(
        root->n_problems > 0 ? "%s could not be read completely: all its results are kept"
                             : "%s has no pictures now: its results are kept",
        root->path);

    bt_report_notice(report, sentence);
}

static bool
judge_result(BtOrphans *self, BtStore *store, const BtRunOptions *options, BtReport *report,
             const char *name, GError **error)
{
    bool remove = options->prune && options->mode == BT_RUN_PROCESS;
    g_autofree char *path = bt_run_result_path(options, name);
    uint32_t root_id, place;
    BtScanRoot root;

    if (!bt_store_origin(store, name, &root_id, &place) || !find_root(self, root_id, &root) ||
        g_hash_table_contains(self->places, GUINT_TO_POINTER(place)) || has_source(&root, name))
        return true;
    if (root.n_sources == 0 || root.n_problems > 0) {
        if (self->kept != root.id)
            tell_kept(&root, report);
        self->kept = root.id;
        return true;
    }
    if (remove && !bt_store_remove(store, name, error))
        return false;
    bt_report_orphan(report, path, remove);
    return true;
}

bool
bt_orphans_find(BtOrphans *self, BtStore *store, const BtRunOptions *options, BtReport *report,
                GError **error)
{
    g_autoptr(BtScan) results = bt_scan_new();
    g_autoptr(GError) problem = NULL;
    BtSource *result;
    dev_t device;
    ino_t inode;

    if (!bt_store_identity(store, &device, &inode))
        return true;
    bt_scan_configure(results, &(BtScanOptions){.hidden = true});
    bt_scan_add(results, options->output);
    for (BtScanKind kind; (kind = bt_scan_next(results, &result, &problem)) != BT_SCAN_END;) {
        g_autoptr(BtSource) found = kind == BT_SCAN_SOURCE ? result : NULL;

        g_clear_error(&problem);
        if (found != NULL && !judge_result(self, store, options, report, found->name, error))
            return false;
    }
    return true;
}
