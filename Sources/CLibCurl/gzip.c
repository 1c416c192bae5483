#include "CLibCurl.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

/* Added to the window size, it asks zlib for the gzip wrapper. */
#define GZIP_WRAPPER 16
#define DEFAULT_MEMORY_LEVEL 8
/* Header and trailer of RFC 1952 without optional fields. */
#define GZIP_FRAME 18

size_t
clibcurl_gzip_bound(size_t count)
{
    return compressBound(count) + GZIP_FRAME;
}

size_t
clibcurl_gzip(const uint8_t *bytes, size_t count, uint8_t *into, size_t capacity)
{
    z_stream stream;
    size_t written = 0;

    if (count > UINT_MAX || capacity > UINT_MAX)
        return 0;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER,
                     DEFAULT_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    stream.next_in = (Bytef *) bytes;
    stream.avail_in = (uInt) count;
    stream.next_out = into;
    stream.avail_out = (uInt) capacity;
    if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
        written = stream.total_out;
    deflateEnd(&stream);
    return written;
}
