/*
 * What a server's refusal is to us (see lfs_status.h): whether to try again, to go another way, or
 * to tell the user, is decided by these.
 */
#include "transfer/lfs/lfs_status.h"
#include "lib/base/err.h"

int lfs_status_error(int status)
{
	switch (status) {
	case 401:
	case 403:
	case 407:
		return ERR_DENIED;
	case 404:
	case 410:
		return ERR_NOTFOUND;
	case 409:
		return ERR_EXISTS;
	case 413:
	case 507:
	case 509:
		return ERR_LIMIT;
	case 405:
	case 501:
		return ERR_UNSUPPORTED;
	case 408:
	case 429:
		return ERR_REMOTE;
	default:
		return status >= 500 ? ERR_REMOTE : ERR_INVALID;
	}
}
