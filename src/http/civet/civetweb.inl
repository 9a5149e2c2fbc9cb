/* Its warnings are not ours. (As a system header by its folder, gcc would resolve the link that
 * it is reached by, and not find the files that stand here.) */
#pragma GCC system_header
#include "civetweb.c"
