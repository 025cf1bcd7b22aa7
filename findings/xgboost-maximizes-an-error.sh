#!/bin/sh
# Early stopping of XGBoost with a metric of one's own that measures an error. Expected: it is minimized, as a metric named "my_error" is,
# and as XGBRegressor's documentation says of a callable metric. Seen with 3.2.0: the direction goes by how the name begins. "pre", "map",
# "auc" and "ndcg" are taken for precision and the like, so "pred_error", "prediction_loss", "mape_own" and "auc_loss" are maximized: the
# first round, the worst one, is the best, training ends early, and what XGBRegressor predicts is that one tree's. Only the metric "mape"
# itself is excepted. A maximize=False, which XGBRegressor takes only in a callback, helps. Nothing is said.
# (Reported by others of "mape", in 2016 and 2021; it became that exception.)
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
# Without the library for several GPUs that it would bring along.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps xgboost==3.2.0
cat >"$folder/look.py" <<'PYTHON'
import numpy as np
import xgboost

random = np.random.default_rng(0)
X = random.normal(size=(400, 5))
y = X[:, 0] + random.normal(size=400) / 2
train, valid = xgboost.DMatrix(X[:200], y[:200]), xgboost.DMatrix(X[200:], y[200:])


def rmse(true, predicted):
    return float(np.sqrt(np.mean((true - predicted) ** 2)))


def with_train(name, **options):
    history = {}
    booster = xgboost.train(
        {"nthread": 1, "disable_default_eval_metric": 1}, train, 60, evals=[(valid, "valid")], evals_result=history,
        custom_metric=lambda predicted, data: (name, rmse(data.get_label(), predicted)),
        early_stopping_rounds=10, verbose_eval=False, **options,
    )
    errors = history["valid"][name]
    least = int(np.argmin(errors))
    return f"best {booster.best_iteration} of {len(errors)} rounds, least error in {least}"


def with_regressor(name):
    def metric(true, predicted):
        return rmse(true, predicted)

    metric.__name__ = name
    model = xgboost.XGBRegressor(n_estimators=60, eval_metric=metric, early_stopping_rounds=10, n_jobs=1)
    model.fit(X[:200], y[:200], eval_set=[(X[200:], y[200:])], verbose=False)
    return f"best {model.best_iteration}, predicts with an error of {rmse(y[200:], model.predict(X[200:])):.2f}"


for name in "my_error", "pred_error", "prediction_loss", "mape_own", "auc_loss":
    print(f"train, {name}: {with_train(name)}")
print(f"train, pred_error, maximize=False: {with_train('pred_error', maximize=False)}")
for name in "my_error", "pred_error":
    print(f"XGBRegressor, {name}: {with_regressor(name)}")
PYTHON
"$folder/venv/bin/python" "$folder/look.py" >"$folder/seen" 2>"$folder/said" || { cat "$folder/said" >&2; exit 1; }
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
train, my_error: best 4 of 15 rounds, least error in 4
train, pred_error: best 0 of 11 rounds, least error in 4
train, prediction_loss: best 0 of 11 rounds, least error in 4
train, mape_own: best 0 of 11 rounds, least error in 4
train, auc_loss: best 0 of 11 rounds, least error in 4
train, pred_error, maximize=False: best 4 of 15 rounds, least error in 4
XGBRegressor, my_error: best 4, predicts with an error of 0.64
XGBRegressor, pred_error: best 0, predicts with an error of 0.88
SEEN
