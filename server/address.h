/*
 * Addresses to listen on: "127.0.0.1:8080", "[::1]:0" (any port), "localhost:8080", ":8080"
 * (everywhere).
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <sys/socket.h>

#include "lib/base/buf.h"

/* 1 if only this machine reaches the address, 0 if others do too; ERR_INVALID. */
int address_is_local(const char *address);
/* A socket that listens there: its descriptor; ERR_INVALID: no address, ERR_DENIED, ERR_IO. */
int address_listen(const char *address);
/* "127.0.0.1:8080"; appended.  0, ERR_IO. */
int address_format(struct buf *out, const struct sockaddr *a);
int address_of_socket(struct buf *out, int fd);

#endif
