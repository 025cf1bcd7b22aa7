"""TPE (Optuna) and CMA-ES (cmaes) for the bench of the search, which says what they are asked in.

Arguments: the strategy, a seed, and for each axis its number of categories, 0 for a number.
Prints a line of JSON, the offsets from the start (of a category its place), reads what was
measured there, null for a crash, and so on until the input ends.
"""

import json
import sys

strategy, seed, categories = sys.argv[1], int(sys.argv[2]), [int(word) for word in sys.argv[3:]]
NEAR = 3.0  # how far from the start TPE looks, in the units of the axes


def measure(offsets):
    print(json.dumps(offsets), flush=True)
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def tpe():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True))
    study.enqueue_trial({str(place): 0 if count == 0 else None for place, count in enumerate(categories) if count == 0})
    while True:
        trial = study.ask()
        value = measure([
            trial.suggest_float(str(place), -NEAR, NEAR) if count == 0 else trial.suggest_int(str(place), 0, count - 1)
            for place, count in enumerate(categories)
        ])
        if value is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, value)


def cma():
    import cmaes
    import numpy

    optimizer = cmaes.CMA(mean=numpy.zeros(len(categories)), sigma=0.5, seed=seed)
    worst = 0.0
    while True:
        told = []
        for _ in range(optimizer.population_size):
            point = optimizer.ask()
            value = measure([
                float(at) if count == 0 else int(round(at)) % count for at, count in zip(point, categories)
            ])
            worst = worst if value is None else max(worst, value)
            told.append((point, value))
        optimizer.tell([(point, 2 * abs(worst) if value is None else value) for point, value in told])


tpe() if strategy == "TPE" else cma()
