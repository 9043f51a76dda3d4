/* SPDX-License-Identifier: MIT */
#include "run/item.h"

#include "base/clock.h"

/* What a worker chooses between where the result does not have the source's own format. */
static const BtFormat choices[] = {BT_FORMAT_JPEG, BT_FORMAT_PNG};

static const struct {
    const char *code, *why;
} states[] = {
    [BT_STORE_NEW] = {"new", "it has no result"},
    [BT_STORE_CHANGED] = {"changed", "it changed since its result was made"},
    [BT_STORE_SETTINGS] = {"settings", "its result was made with other settings"},
    [BT_STORE_BROKEN] = {"broken", "its result is damaged: its size has changed"},
    [BT_STORE_FORCED] = {"forced", "--force"},
    [BT_STORE_FOREIGN] = {"foreign",
                          "a file that was not made by blurthumb has the name of its result"},
    [BT_STORE_FRESH] = {"fresh", "its result is up to date"},
};

const char *
bt_item_state_code(BtStoreState state)
{
    return states[state].code;
}

const char *
bt_item_state_why(BtStoreState state)
{
    return states[state].why;
}

BtItem *
bt_item_new(const BtRunOptions *options, BtSource *source, GError **error)
{
    g_autoptr(BtItem) self = g_new0(BtItem, 1);
    BtFormat format = options->format;

    self->source = source;
    self->in_fd = self->out_fd = -1;
    if (format == BT_FORMAT_NONE && source->format == BT_FORMAT_RAW)
        format = BT_FORMAT_JPEG;
    if (format == BT_FORMAT_NONE && (source->format != BT_FORMAT_HEIC || options->keeps_heic) &&
        bt_image_can_write(source->format, options->image.allowed))
        format = source->format;
    for (size_t i = 0; i < (format != BT_FORMAT_NONE ? 1 : G_N_ELEMENTS(choices)); i++) {
        self->names[i] = bt_naming_result(&options->naming, source->name, source->format,
                                          format != BT_FORMAT_NONE ? format : choices[i], error);
        if (self->names[i] == NULL)
            return NULL;
    }
    self->name = self->names[0];
    self->work = (BtWork){.format = format,
                          .raw = source->format == BT_FORMAT_RAW && options->mode != BT_RUN_VERIFY,
                          .check = options->mode == BT_RUN_VERIFY};
    return g_steal_pointer(&self);
}

void
bt_item_free(BtItem *self)
{
    if (self == NULL)
        return;
    bt_source_free(self->source);
    bt_fd_clear(&self->in_fd);
    bt_worker_result_clear(&self->out_fd);
    for (size_t i = 0; i < G_N_ELEMENTS(self->names); i++)
        g_free(self->names[i]);
    g_free(self);
}

void
bt_item_look(BtItem *self, BtStore *store)
{
    self->state =
        bt_store_look(store, self->name = self->names[0], &self->source->stat, &self->result);
    if (self->names[1] != NULL && self->state != BT_STORE_FRESH) {
        struct stat other;

        if (bt_store_look(store, self->names[1], &self->source->stat, &other) == BT_STORE_FRESH) {
            self->name = self->names[1];
            self->state = BT_STORE_FRESH;
            self->result = other;
        }
    }
}

bool
bt_item_choose(BtItem *self, BtFormat format)
{
    self->name = self->names[self->names[1] != NULL && format == BT_FORMAT_PNG];
    return self->names[1] != NULL ? format == BT_FORMAT_JPEG || format == BT_FORMAT_PNG
                                  : format == self->work.format;
}

BtReportPicture
bt_item_describe(const BtItem *self, const BtRunOptions *options, const BtOutcome *outcome,
                 char **out_result)
{
    static const BtOutcome nothing;
    static const char *const left_out[BT_LEFT_OUT_ALL + 1] = {
        [BT_LEFT_OUT_GAIN_MAP] = "gain-map",
        [BT_LEFT_OUT_VIDEO] = "video",
        [BT_LEFT_OUT_ALL] = "gain-map,video",
    };
    const BtOutcome *o = outcome != NULL ? outcome : &nothing;

    *out_result = bt_run_result_path(options, self->name);
    return (BtReportPicture){
        .path = self->source->path,
        .result = *out_result,
        .source_bytes = (uint64_t)self->source->stat.st_size,
        .result_bytes = (uint64_t)self->result.st_size,
        .source_time = self->source->stat.st_mtim.tv_sec,
        .source_width = o->source_width,
        .source_height = o->source_height,
        .width = o->out_width,
        .height = o->out_height,
        .shrink = o->shrink,
        .n_pages = o->n_pages,
        .left_out = left_out[o->left_out],
        .decoder = o->loader,
        .format = outcome != NULL ? bt_format_name(o->format) : NULL,
        .thumbhash = o->thumbhash[0] != '\0' ? o->thumbhash : NULL,
        .preview = o->preview,
        .preview_bytes = o->preview_bytes,
        .decode_ns = o->decode_ns,
        .kernel_ns = o->kernel_ns,
        .encode_ns = o->encode_ns,
        .elapsed_ns = self->start_ns > 0 ? bt_clock_now_ns() - self->start_ns : 0,
    };
}
