#!/bin/sh
# CatBoost with save_snapshot=True, where a training that was complete, or that was ended in the middle, is started again with another
# learning rate. Expected: the snapshot of other settings is refused, as it is for another l2_leaf_reg, depth or seed and for other
# features, or the training begins anew. Seen with 1.2.10: another learning rate, other labels and other weights are not noticed. The
# complete training is returned at once as the new one's, and get_best_score() gives its validation error, also if the labels are others
# now; get_all_params() says the new learning rate. One that was ended goes on: half of its trees are of each rate, which no start from
# nothing gives. So an edit of the learning rate or of the target seems to change nothing, to the last digit. Nothing is said.
# (The documentation asks for the same parameters, and does not say which are compared.)
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check catboost==1.2.10 numpy==2.4.6
cat >"$folder/look.py" <<'PYTHON'
import shutil
import sys

import numpy as np
from catboost import CatBoostError, CatBoostRegressor

random = np.random.default_rng(0)
X = random.normal(size=(600, 8))
y = X[:, 0] * X[:, 1] + X[:, 2] + random.normal(size=600) / 2


def train(folder, learning_rate=0.1, trees=50, features=X, labels=y, weights=None, **settings):
    model = CatBoostRegressor(
        iterations=trees, learning_rate=learning_rate, train_dir=folder, save_snapshot=True, snapshot_file="snapshot",
        snapshot_interval=0, thread_count=1, verbose=False, **settings,
    )
    try:
        model.fit(features[:300], labels[:300], sample_weight=weights, eval_set=(features[300:], labels[300:]))
    except CatBoostError as error:
        return "refused" if "differ" in str(error) else str(error)
    told = model.get_best_score()["validation"]["RMSE"]
    measured = np.sqrt(np.mean((model.predict(features[300:]) - labels[300:]) ** 2))
    return f"rate {model.get_all_params()['learning_rate']:.1f}, error {told:.2f}, measured {measured:.2f}"


def look(name, trees=50, **changes):
    kept, fresh = f"{sys.argv[1]}/kept", f"{sys.argv[1]}/fresh"
    train(kept, trees=trees)
    print(f"{name}: {train(kept, **changes)}; without the snapshot: {train(fresh, **changes)}")
    shutil.rmtree(kept)
    shutil.rmtree(fresh)


look("nothing changed")
look("learning rate", learning_rate=0.3)
look("learning rate, ended after 25 of 50 trees", trees=25, learning_rate=0.3)
look("labels shifted by 5", labels=y + 5)
look("weights", weights=np.arange(300.0))
look("l2_leaf_reg", l2_leaf_reg=9)
look("depth", depth=4)
look("seed", random_seed=1)
look("features", features=X**2)
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder" >"$folder/seen" 2>"$folder/said" || { cat "$folder/said" >&2; exit 1; }
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
nothing changed: rate 0.1, error 0.83, measured 0.83; without the snapshot: rate 0.1, error 0.83, measured 0.83
learning rate: rate 0.3, error 0.83, measured 0.83; without the snapshot: rate 0.3, error 0.82, measured 0.82
learning rate, ended after 25 of 50 trees: rate 0.3, error 0.79, measured 0.79; without the snapshot: rate 0.3, error 0.82, measured 0.82
labels shifted by 5: rate 0.1, error 0.83, measured 4.97; without the snapshot: rate 0.1, error 0.83, measured 0.83
weights: rate 0.1, error 0.83, measured 0.83; without the snapshot: rate 0.1, error 1.00, measured 1.00
l2_leaf_reg: refused; without the snapshot: rate 0.1, error 0.87, measured 0.87
depth: refused; without the snapshot: rate 0.1, error 0.90, measured 0.90
seed: refused; without the snapshot: rate 0.1, error 0.83, measured 0.83
features: refused; without the snapshot: rate 0.1, error 1.38, measured 1.38
SEEN
