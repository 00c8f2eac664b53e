/*
 * `git dvx init --ccds`: what a project by Cookiecutter Data Science needs.
 */
#ifndef COMMANDS_INIT_CCDS_H
#define COMMANDS_INIT_CCDS_H

#include "lib/repo/repo.h"

/* Let data/ and models/ be pointers, but for Git's own files there; guard data/raw and .env; take
 * away the ignore rule that hides data/.  May be run again.  Prints what it did unless `quiet`. */
int init_ccds(const struct repo *repo, int quiet);

#endif
