/* SPDX-License-Identifier: MIT */
/* Preloaded, a libheif without the plugins that encode: as Debian 13 has it where only the decoders
 * are installed. */
#include <libheif/heif.h>

struct heif_error
heif_context_get_encoder_for_format(struct heif_context *context,
                                    enum heif_compression_format format,
                                    struct heif_encoder **out_encoder)
{
    (void)context, (void)format, (void)out_encoder;
    return (struct heif_error){heif_error_Unsupported_filetype, heif_suberror_Unspecified,
                               "Unsupported file-type"};
}
