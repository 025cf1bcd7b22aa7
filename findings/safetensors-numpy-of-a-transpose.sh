#!/bin/sh
# A transposed array saved with safetensors.numpy and read again, as when the weights of a layer are converted from one library to
# another. Expected: its values, as 0.7.0 gives them, or an error, as safetensors.torch raises. Seen with 0.8.0: another array of that
# shape, the numbers in the order in which they lie in memory; the same for Fortran's order, which scikit-learn and SciPy often return.
# Nothing is raised, neither on saving nor on loading. (The documentation says that arrays need to be contiguous. Reported to the
# authors by others in August 2026; 0.8.0 was still the newest in November.)
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

array = np.arange(6).reshape(2, 3)
path = sys.argv[1] + "/array.safetensors"
for name, one in [("as it is", array), ("transposed", array.T), ("in Fortran's order", np.asfortranarray(array))]:
    save_file({"weights": one}, path)
    print(f"{name}: saved {one.tolist()}, read {load_file(path)['weights'].tolist()}")
PYTHON
status=0
check() {
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "safetensors==$1" numpy==2.4.6
  "$folder/$1/bin/python" "$folder/look.py" "$folder" >"$folder/seen"
  echo "safetensors $1:"
  cat "$folder/seen"
  printf '%s\n' "as it is: saved [[0, 1, 2], [3, 4, 5]], read [[0, 1, 2], [3, 4, 5]]" \
    "transposed: saved [[0, 3], [1, 4], [2, 5]], read $2" \
    "in Fortran's order: saved [[0, 1, 2], [3, 4, 5]], read $3" | diff "$folder/seen" - || status=1
}
check 0.7.0 '[[0, 3], [1, 4], [2, 5]]' '[[0, 1, 2], [3, 4, 5]]'
check 0.8.0 '[[0, 1], [2, 3], [4, 5]]' '[[0, 3, 1], [4, 2, 5]]'
exit $status
