/* curl_easy_setopt and curl_easy_getinfo are variadic, and Swift imports no variadic C function: these are their typed forms. */
#ifndef CLIBCURL_H
#define CLIBCURL_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

CURLcode clibcurl_global_init(void);

CURLcode clibcurl_setopt_long(CURL *handle, CURLoption option, long value);
CURLcode clibcurl_setopt_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode clibcurl_setopt_string(CURL *handle, CURLoption option, const char *value);
CURLcode clibcurl_setopt_pointer(CURL *handle, CURLoption option, void *value);
CURLcode clibcurl_setopt_list(CURL *handle, CURLoption option, struct curl_slist *value);

/* Each callback together with the pointer it is called with. */
CURLcode clibcurl_setopt_read(CURL *handle, curl_read_callback callback, void *context);
CURLcode clibcurl_setopt_write(CURL *handle, curl_write_callback callback, void *context);
CURLcode clibcurl_setopt_header(CURL *handle, curl_write_callback callback, void *context);
CURLcode clibcurl_setopt_prerequest(CURL *handle, curl_prereq_callback callback, void *context);

CURLMcode clibcurl_multi_setopt_long(CURLM *multi, CURLMoption option, long value);

/* A share that holds cookies; used by handles of one thread, so it needs no lock functions. NULL when out of memory. */
CURLSH *clibcurl_share_of_cookies(void);

/* gzip in one piece (deflateInit2 is a macro). The bound is enough for any input of that size; the result is the number of
 * bytes written, 0 when out of memory. */
size_t clibcurl_gzip_bound(size_t count);
size_t clibcurl_gzip(const uint8_t *bytes, size_t count, uint8_t *into, size_t capacity);

#endif
