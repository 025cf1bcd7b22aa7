#!/bin/bash
# Upstream's protocol as a bare loop on the git command line: edit, commit, train, read the number, keep or reset,
# append to results.tsv. It keeps nothing durable, records no diff of a discard and watches no process: the floor.
# Usage: reference-loop.sh <repository> <experiments>; train.sh must hold a line LR=<number>.
set -eu
cd "$1"
printf 'commit\tval_bpb\tmemory_gb\tstatus\tdescription\n' > results.tsv
best=999999
for n in $(seq 1 "$2"); do
  sed -i "s/^LR=.*/LR=$n/" train.sh
  git commit --quiet --all --message="Set LR to $n"
  sh train.sh > run.log 2>&1
  value=$(grep '^val_bpb:' run.log | sed 's/[^0-9]//g')
  memory=$(grep '^peak_vram_mb:' run.log | sed 's/.*: *//')
  commit=$(git rev-parse --short=7 HEAD)
  if [ "$value" -lt "$best" ]; then
    best=$value
    status=keep
  else
    git reset --quiet --hard HEAD~1
    status=discard
  fi
  printf '%s\t%s\t%s\t%s\tSet LR to %s\n' "$commit" "$value" "$memory" "$status" "$n" >> results.tsv
done
