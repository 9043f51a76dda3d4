/* SPDX-License-Identifier: MIT */
#include "image/codecs.h"

#include <dlfcn.h>

#define MODULE "blurthumb-vips.so" /* found by the program's run path */

static const BtCodecs *loaded;

const BtCodecs *
bt_codecs_load(GError **error)
{
    void *module;
    const BtCodecs *codecs;

    if (loaded != NULL)
        return loaded;
    if ((module = dlopen(MODULE, RTLD_LAZY | RTLD_LOCAL)) == NULL ||
        (codecs = dlsym(module, BT_CODECS_SYMBOL)) == NULL) {
        bt_error_set(error, BT_ERROR_FAILED, "libvips cannot be loaded: %s", dlerror());
        return NULL;
    }
    if (!codecs->start(error))
        return NULL;
    return loaded = codecs;
}

const BtCodecs *
bt_codecs_loaded(void)
{
    return loaded;
}
