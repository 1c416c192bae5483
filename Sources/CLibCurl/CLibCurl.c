#include "CLibCurl.h"

CURLcode
clibcurl_setopt_long(CURL *handle, CURLoption option, long value)
{
    return curl_easy_setopt(handle, option, value);
}
