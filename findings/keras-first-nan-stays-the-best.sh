#!/bin/sh
# Keras' ModelCheckpoint(save_best_only=True) and EarlyStopping(restore_best_weights=True) where the number that they watch is NaN after the
# first epoch only, as of a metric that is not defined yet. Expected: any number is better, as it was for the file of ModelCheckpoint in
# 3.8.0, and as it is if the NaN comes later. Seen with 3.15.1: the NaN of the first epoch stays the best. ModelCheckpoint writes no other
# epoch, so that the file has the weights of the worst one; EarlyStopping, in 3.8.0 too, ends the training when its patience is over,
# although each epoch is better than the one before, and puts those weights back. Nothing is raised.
# The numbers of the epochs are given to the callbacks as fit() gives them, with NumPy as the backend (of which 3.8.0 needs JAX, too).
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import sys

import keras
import numpy as np

NAN = float("nan")


def look(losses):
    # One weight, which says the epoch.
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    path = sys.argv[1] + "/best.weights.h5"
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    checkpoint = keras.callbacks.ModelCheckpoint(path, "val_loss", save_best_only=True, save_weights_only=True)
    callbacks = keras.callbacks.CallbackList([stopping, checkpoint], model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full((1, 1), epoch)])
        callbacks.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callbacks.on_train_end()
    restored = losses[int(model.get_weights()[0][0, 0])]
    model.load_weights(path)
    saved = losses[int(model.get_weights()[0][0, 0])]
    return f"{losses}: {epoch + 1} epochs, restored {restored}, saved {saved}"


for losses in [0.9, 0.5, 0.4, 0.3, 0.2], [0.9, NAN, 0.4, 0.3, 0.2], [NAN, 0.5, 0.4, 0.3, 0.2]:
    print(look(losses))
PYTHON
check() {
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "keras==$1" numpy==2.4.6 jax==0.10.2
  echo "keras $1:"
  KERAS_BACKEND=numpy KERAS_HOME="$folder" "$folder/$1/bin/python" "$folder/look.py" "$folder" 2>"$folder/said" || { cat "$folder/said" >&2; exit 1; }
}
{
  check 3.8.0
  check 3.15.1
} >"$folder/seen"
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
keras 3.8.0:
[0.9, 0.5, 0.4, 0.3, 0.2]: 5 epochs, restored 0.2, saved 0.2
[0.9, nan, 0.4, 0.3, 0.2]: 5 epochs, restored 0.2, saved 0.2
[nan, 0.5, 0.4, 0.3, 0.2]: 4 epochs, restored nan, saved 0.3
keras 3.15.1:
[0.9, 0.5, 0.4, 0.3, 0.2]: 5 epochs, restored 0.2, saved 0.2
[0.9, nan, 0.4, 0.3, 0.2]: 5 epochs, restored 0.2, saved 0.2
[nan, 0.5, 0.4, 0.3, 0.2]: 4 epochs, restored nan, saved nan
SEEN
