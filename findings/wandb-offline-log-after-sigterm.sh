#!/bin/sh
# An offline run of Weights & Biases that is ended by SIGTERM, as by a job's time limit. Expected: its log (run-*.wandb) holds what was
# logged up to then, for each run.log() has returned, the log is one that is appended to record by record, and it is written by a process
# of its own (wandb-core) that outlives the training. Seen with 0.31.0: the log holds whole blocks of 32 KiB and nothing of the last,
# unfinished one. A run that logged less, 50 times here, leaves the 7 bytes of the file's header: not even its name; that it waits five
# seconds before the signal does not help. At the 300 bytes that a small run.log() takes here, a training that logs once a minute and
# meets the time limit of its job loses up to its last hour and three quarters.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" wandb==0.31.0
cat >"$folder/train.py" <<'PYTHON'
import os, signal, sys, time

import wandb

folder, count, ending = sys.argv[1], int(sys.argv[2]), sys.argv[3]
run = wandb.init(mode="offline", dir=folder, project="killed", settings=wandb.Settings(silent=True, console="off", x_disable_stats=True))
for step in range(count):
    run.log({"loss": 1 / (1 + step)})
time.sleep(5)
if ending == "finish":
    run.finish()
else:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
PYTHON
status=0
check() {
  mkdir "$folder/$1-$2"
  (cd "$folder" && PYTHONPATH="$folder/packages" python3 train.py "$folder/$1-$2" "$1" "$2") >"$folder/said" 2>&1 || true
  # wandb-core ends after the training.
  sleep 5
  bytes=$(cat "$folder/$1-$2"/wandb/offline-run-*/run-*.wandb | wc -c)
  echo "$1 times logged, then $2: $bytes bytes"
  case $3 in
    whole) [ "$bytes" -gt 7 ] || status=1 ;;
    header) [ "$bytes" = 7 ] || status=1 ;;
    blocks) [ "$bytes" -gt 7 ] && [ $((bytes % 32768)) = 0 ] || status=1 ;;
  esac
}
check 50 finish whole
check 50 SIGTERM header
check 500 SIGTERM blocks
[ "$status" = 0 ] || cat "$folder/said"
exit "$status"
