#include "CLibCurl.h"

CURLcode
clibcurl_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURLcode
clibcurl_setopt_long(CURL *handle, CURLoption option, long value)
{
    return curl_easy_setopt(handle, option, value);
}

CURLcode
clibcurl_setopt_offset(CURL *handle, CURLoption option, curl_off_t value)
{
    return curl_easy_setopt(handle, option, value);
}

CURLcode
clibcurl_setopt_string(CURL *handle, CURLoption option, const char *value)
{
    return curl_easy_setopt(handle, option, value);
}

CURLcode
clibcurl_setopt_pointer(CURL *handle, CURLoption option, void *value)
{
    return curl_easy_setopt(handle, option, value);
}

CURLcode
clibcurl_setopt_list(CURL *handle, CURLoption option, struct curl_slist *value)
{
    return curl_easy_setopt(handle, option, value);
}

CURLcode
clibcurl_setopt_read(CURL *handle, curl_read_callback callback, void *context)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, callback);

    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_READDATA, context);
}

CURLcode
clibcurl_setopt_write(CURL *handle, curl_write_callback callback, void *context)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);

    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

CURLcode
clibcurl_setopt_header(CURL *handle, curl_write_callback callback, void *context)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, callback);

    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
}

CURLcode
clibcurl_setopt_prerequest(CURL *handle, curl_prereq_callback callback, void *context)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);

    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
}

CURLMcode
clibcurl_multi_setopt_long(CURLM *multi, CURLMoption option, long value)
{
    return curl_multi_setopt(multi, option, value);
}

CURLSH *
clibcurl_share_of_cookies(void)
{
    CURLSH *share = curl_share_init();

    if (share != NULL && curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) != CURLSHE_OK)
    {
        curl_share_cleanup(share);
        return NULL;
    }
    return share;
}
