#!/bin/sh
# How often two search libraries draw the first and the last of the integers 1 to 4, when asked for whole numbers between these bounds.
# Expected: one time in four each, as from hyperopt's own randint, from scikit-optimize and from Python. Seen with hyperopt 0.3.0
# (hp.uniformint) and nevergrad 1.0.12 (Scalar(lower=1, upper=4).set_integer_casting(), in RandomSearch): one time in six, and the
# inner ones one in three: both draw a real number between the bounds and round it. So the smallest and the largest model, depth or
# exponent of a batch size is tried half as often as the others, and of 1 to 3 the middle one as often as both.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  hyperopt==0.3.0 nevergrad==1.0.12 scikit-optimize==0.10.2 'setuptools<81'
cat >"$folder/look.py" <<'PYTHON'
import warnings
from collections import Counter

warnings.simplefilter("ignore")
import nevergrad
import numpy
from hyperopt import fmin, hp, rand
from skopt.space import Integer

DRAWS = 3000


def by_hyperopt(space):
    drawn = []
    generator = numpy.random.default_rng(0)
    # The function must return a number.
    fmin(lambda x: drawn.append(x) or 0.0, space, rand.suggest, DRAWS, rstate=generator, verbose=False)
    return drawn


def by_nevergrad():
    space = nevergrad.p.Scalar(lower=1, upper=4).set_integer_casting()
    space.random_state.seed(0)
    optimizer = nevergrad.optimizers.RandomSearch(parametrization=space, budget=DRAWS)
    return [optimizer.ask().value for _ in range(DRAWS)]


def look(name, drawn):
    count = Counter(int(number) for number in drawn)
    # Twelfths: the deviations of 3000 draws are far smaller than half of one.
    print(f"{name}:", *(f"{round(12 * count[number] / DRAWS)}/12" for number in (1, 2, 3, 4)))


look("hyperopt uniformint", by_hyperopt(hp.uniformint("x", 1, 4)))
look("hyperopt randint", by_hyperopt(hp.randint("x", 1, 5)))
look("nevergrad", by_nevergrad())
look("scikit-optimize", Integer(1, 4).rvs(DRAWS, random_state=0))
PYTHON
"$folder/venv/bin/python" "$folder/look.py" >"$folder/seen" 2>"$folder/said" || {
  cat "$folder/said"
  exit 1
}
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
hyperopt uniformint: 2/12 4/12 4/12 2/12
hyperopt randint: 3/12 3/12 3/12 3/12
nevergrad: 2/12 4/12 4/12 2/12
scikit-optimize: 3/12 3/12 3/12 3/12
SEEN
