#!/bin/sh
# Orbax's CheckpointManager that keeps the best checkpoint by a loss (best_fn, best_mode="min", max_to_keep=1), in a training whose loss
# becomes NaN. Expected: a checkpoint without a number is the worst, and the best one stays. Seen with orbax-checkpoint 0.12.8: NaN counts
# as better or as worse depending on what it is compared with. After the losses 1, 2, NaN only the checkpoint of NaN is left, and
# best_step() names it; after 1, NaN, 2 that of 2 is left. The best weights are deleted from the disk; nothing is raised.
# With two kept, 1, NaN, 2, 3 leaves 2 and 3.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check orbax-checkpoint==0.12.8 jax==0.10.2
cat >"$folder/look.py" <<'PYTHON'
import logging
import os
import sys

import numpy as np
import orbax.checkpoint as ocp

logging.disable(logging.CRITICAL)
NAN = float("nan")


def look(folder, kept, losses):
    options = ocp.CheckpointManagerOptions(max_to_keep=kept, best_fn=lambda metrics: metrics["loss"], best_mode="min")
    with ocp.CheckpointManager(folder, options=options) as manager:
        for step, loss in enumerate(losses):
            manager.save(step, args=ocp.args.StandardSave({"weights": np.full(2, step)}), metrics={"loss": loss})
            manager.wait_until_finished()
        best = manager.best_step()
    left = sorted(int(name) for name in os.listdir(folder) if name.isdigit())
    return f"losses {losses}, {kept} kept: on the disk {[losses[step] for step in left]}, called the best {losses[best]}"


for index, (kept, losses) in enumerate(
    [(1, [3.0, 1.0, 2.0]), (1, [1.0, 2.0, NAN]), (1, [1.0, NAN, 2.0]), (2, [1.0, NAN, 2.0, 3.0])]
):
    print(look(os.path.join(sys.argv[1], str(index)), kept, losses))
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" "$folder/look.py" "$folder/checkpoints" >"$folder/seen" 2>"$folder/said" || {
  cat "$folder/said"
  exit 1
}
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
losses [3.0, 1.0, 2.0], 1 kept: on the disk [1.0], called the best 1.0
losses [1.0, 2.0, nan], 1 kept: on the disk [nan], called the best nan
losses [1.0, nan, 2.0], 1 kept: on the disk [2.0], called the best 2.0
losses [1.0, nan, 2.0, 3.0], 2 kept: on the disk [2.0, 3.0], called the best 2.0
SEEN
