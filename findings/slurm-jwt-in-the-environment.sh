#!/bin/sh
# Slurm's programs with SLURM_JWT in their environment, on a cluster that signs in by munge.
# Expected: the token is of no use there and is left alone. Seen: 22.05.8 looks for auth/jwt, finds no such plugin, and
# refuses to ask anything. A caller that hands on an environment must leave that variable out.
# Slurm 22.05.8 of Debian 12. Needs a cluster that answers: SLURM_CONF, where that is not the usual one.
set -eu
sinfo --noheader >/dev/null || { echo 'no cluster answers'; exit 1; }
if said=$(SLURM_JWT=x sinfo --noheader 2>&1); then
  echo 'sinfo answers with SLURM_JWT set'
  exit 1
fi
echo "$said" | head -n 1
