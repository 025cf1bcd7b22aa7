#!/bin/sh
# OpenEvolve (populations of programs that a model edits) and a program whose score is NaN, as after a training that diverged.
# Expected: NaN is refused, or counts as the worst. Seen with 0.4.1: if the first program, the one to be improved, scores NaN, it stays
# the best, here when 0.5 and 0.9 follow. If a later one does, the best stays right, but get_top_programs(), from which the next prompt
# takes its examples, is no longer in order: of 0.5, NaN, 0.9 it gives 0.5 first, and get_best_program("combined_score") gives 0.5.
# Nothing is raised. (Of 0.5, 0.7, 0.9 the second is not among the best: the third takes its place in the grid of features.)
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder, asks no model, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openevolve==0.4.1
cat >"$folder/look.py" <<'PYTHON'
import logging

from openevolve.config import DatabaseConfig
from openevolve.database import Program, ProgramDatabase

logging.disable(logging.CRITICAL)
NAN = float("nan")


def look(*scores):
    database = ProgramDatabase(DatabaseConfig(num_islands=1, random_seed=0))
    for index, score in enumerate(scores):
        program = Program(id=str(index), code=f"x = {index}", metrics={"combined_score": score})
        database.add(program, iteration=index)
    best = database.get_best_program().metrics["combined_score"]
    by_name = database.get_best_program("combined_score").metrics["combined_score"]
    top = [program.metrics["combined_score"] for program in database.get_top_programs(3)]
    return f"scores {list(scores)}: best {best}, by name {by_name}, top {top}"


print(look(0.5, 0.7, 0.9))
print(look(NAN, 0.5, 0.9))
print(look(0.5, NAN, 0.9))
PYTHON
"$folder/venv/bin/python" "$folder/look.py" >"$folder/seen"
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
scores [0.5, 0.7, 0.9]: best 0.9, by name 0.9, top [0.9, 0.5]
scores [nan, 0.5, 0.9]: best nan, by name nan, top [nan, 0.9]
scores [0.5, nan, 0.9]: best 0.9, by name 0.5, top [0.5, nan, 0.9]
SEEN
