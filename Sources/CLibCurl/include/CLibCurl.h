/* curl_easy_setopt and curl_easy_getinfo are variadic, and Swift imports no variadic C function: these are their typed forms. */
#ifndef CLIBCURL_H
#define CLIBCURL_H

#include <curl/curl.h>

CURLcode clibcurl_setopt_long(CURL *handle, CURLoption option, long value);

#endif
