#!/bin/sh
# The logs of a training that died after step 5 and was started again at its checkpoint of step 3, in the same folder, as
# SummaryWriter(folder) leaves them. Expected: TensorBoard shows the same points however it loads them, and its Python class
# EventAccumulator, which scripts use, gives those too. Seen with tensorboard 2.21.0 and tensorboard-data-server 0.7.2: the loader that
# the option --load_fast=auto takes (written in Rust) drops each older point whose step is not below that of a newer one of the same
# name: steps 0 1 2 3 4, the value of step 5 gone although nothing replaced it. --load_fast=false and EventAccumulator give
# 0 1 2 3 4 5 3 4. So the best value of a run is another one in the browser than in a script.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody but a server of its own.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorboard==2.21.0 tensorboard-data-server==0.7.2 tensorboardX==2.6.5 'setuptools<81'
cat >"$folder/write.py" <<'PYTHON'
import sys

from tensorboardX import SummaryWriter

for name, steps, base in [("1", range(6), 2.0), ("2", range(3, 5), 1.0)]:
    writer = SummaryWriter(sys.argv[1] + "/run", filename_suffix="." + name)
    for step in steps:
        writer.add_scalar("loss", base - step / 8, step)
    writer.close()
PYTHON
cat >"$folder/script.py" <<'PYTHON'
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1] + "/run").Reload().Scalars("loss")
print("EventAccumulator:", *(event.step for event in events))
PYTHON
cat >"$folder/browser.py" <<'PYTHON'
import json
import re
import sys
import urllib.request

# TensorBoard says its address as soon as it serves, and may not have read the logs yet.
for line in sys.stdin:
    found = re.search(r"http://\S+?:(\d+)/", line)
    if found:
        break
address = f"http://127.0.0.1:{found[1]}/data/plugin/scalars/scalars?tag=loss&run=run"
points = []
while not points:
    try:
        points = json.load(urllib.request.urlopen(address))
    except urllib.error.HTTPError:
        pass
print(f"--load_fast={sys.argv[1]}:", *(step for _, step, _ in points))
PYTHON
python="$folder/venv/bin/python"
"$python" "$folder/write.py" "$folder/logs"
"$python" "$folder/script.py" "$folder/logs" >"$folder/seen" 2>"$folder/said"
for fast in auto false; do
  mkfifo "$folder/$fast"
  "$folder/venv/bin/tensorboard" --logdir "$folder/logs" --load_fast "$fast" --port 0 --reload_interval 1 >"$folder/$fast" 2>&1 &
  server=$!
  timeout 120 "$python" "$folder/browser.py" "$fast" <"$folder/$fast" >>"$folder/seen"
  kill "$server"
  wait "$server" || true
  server=
done
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
EventAccumulator: 0 1 2 3 4 5 3 4
--load_fast=auto: 0 1 2 3 4
--load_fast=false: 0 1 2 3 4 5 3 4
SEEN
