#!/bin/sh
# What Transformers' Trainer prints of a metric, with a progress bar and without. Expected: the number that evaluate() returns, as 4.57.6
# prints it. Seen with 5.24.0: four significant digits, as text: 3.66804 and 3.66836 are both '3.668', 12345.678 is '1.235e+04'. So two
# trainings that differ by less are equal for whoever compares them by what they printed, by grep or in a loop that keeps what is better.
# The Trainer prints through the two callbacks that are called here; they need no PyTorch.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
from types import SimpleNamespace

from transformers.trainer_callback import PrinterCallback, ProgressCallback, TrainerControl, TrainerState

state = TrainerState(max_steps=3, is_local_process_zero=True, is_world_process_zero=True)
arguments, control = SimpleNamespace(), TrainerControl()
for callback in PrinterCallback(), ProgressCallback():
    callback.on_train_begin(arguments, state, control)
    for loss in 3.66804, 3.66836, 12345.678:
        callback.on_log(arguments, state, control, logs={"eval_loss": loss})
    callback.on_train_end(arguments, state, control)
PYTHON
status=0
check() {
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "transformers==$1"
  # The bar goes to stderr; it leaves blanks where it was.
  "$folder/$1/bin/python" "$folder/look.py" 2>"$folder/bar" | tr '\r' '\n' | grep eval_loss >"$folder/seen"
  echo "transformers $1 prints, without a bar and with one:"
  cat "$folder/seen"
  printf '%s\n' "$2" "$3" "$4" "$2" "$3" "$4" | diff "$folder/seen" - || status=1
}
check 4.57.6 "{'eval_loss': 3.66804}" "{'eval_loss': 3.66836}" "{'eval_loss': 12345.678}"
check 5.24.0 "{'eval_loss': '3.668'}" "{'eval_loss': '3.668'}" "{'eval_loss': '1.235e+04'}"
exit $status
