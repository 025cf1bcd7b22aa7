#!/bin/sh
# Orbax's CheckpointManager in a training that goes back: it has checkpoints of steps 100, 200 and 300, restores that of step 100 and
# trains on from there, as after a loss that diverged. Expected: save() replaces the later steps, or raises an error. Seen with
# orbax-checkpoint 0.12.8: save() returns False and writes nothing until the step is above 300, step 150 included, which does not exist
# yet. Under 200 the weights of the abandoned training stay, and if the new one is killed before step 301, latest_step() gives 300: it
# resumes from the weights that it had left. save(force=True) writes 150, but raises StepAlreadyExistsError for 200 and 300.
# (That False may be returned is documented, not when. Asked by others in 2023.)
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check orbax-checkpoint==0.12.8 jax==0.10.2
cat >"$folder/look.py" <<'PYTHON'
import logging
import sys

import numpy as np
import orbax.checkpoint as ocp

logging.disable(logging.CRITICAL)
TEMPLATE = {"weights": np.zeros(2)}


def save(manager, step, weights, **options):
    try:
        saved = manager.save(step, args=ocp.args.StandardSave({"weights": np.full(2, weights)}), **options)
    except Exception as error:
        return type(error).__name__
    manager.wait_until_finished()
    return saved


def read(manager, step):
    return int(manager.restore(step, args=ocp.args.StandardRestore(TEMPLATE))["weights"][0])


for force in False, True:
    folder = f"{sys.argv[1]}/{force}"
    with ocp.CheckpointManager(folder) as manager:
        for step in 100, 200, 300:
            save(manager, step, 1.0)
    with ocp.CheckpointManager(folder) as manager:
        read(manager, 100)
        said = {step: save(manager, step, 2.0, force=force) for step in (150, 200, 250, 300)}
        print(f"force={force}: saved {said}, latest step {manager.latest_step()}")
        print("  weights by training:", {step: read(manager, step) for step in sorted(manager.all_steps())})
        print(f"  step 350: {save(manager, 350, 2.0, force=force)}")
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" "$folder/look.py" "$folder/checkpoints" >"$folder/seen" 2>"$folder/said" || {
  cat "$folder/said"
  exit 1
}
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
force=False: saved {150: False, 200: False, 250: False, 300: False}, latest step 300
  weights by training: {100: 1, 200: 1, 300: 1}
  step 350: True
force=True: saved {150: True, 200: 'StepAlreadyExistsError', 250: True, 300: 'StepAlreadyExistsError'}, latest step 250
  weights by training: {100: 1, 150: 2, 200: 1, 250: 2, 300: 1}
  step 350: True
SEEN
