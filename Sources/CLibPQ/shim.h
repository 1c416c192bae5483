/* libpq's public interface; the include path comes from pkg-config. */
#include <libpq-fe.h>
