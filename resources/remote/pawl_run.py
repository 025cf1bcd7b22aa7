"""Trains one commit on this machine and records how that ended: pawl_run.py FOLDER.

FOLDER belongs to this run alone. `job.json` in it says what to do. What is left there: `state.json`
once the set-up or the training begins, and again between the two, `output.log`, `metric.log`, `gpu.csv`, `artifacts/`, and at the end
`outcome.json`. A run is trained once: a second start in the same folder trains nothing. A file
named `cancel` ends the run, and so do SIGTERM and SIGUSR1. Linux, Python 3.8 or later.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import stat
import sys
import time

from pawl_place import (
    Gpus,
    NotStarted,
    environment_of,
    find_sandbox,
    make_worktree,
    processor_model,
    take_devices,
)
from pawl_processes import Stop, Tree, run_phase

MEASURED = ("end", "seconds", "cpu_seconds", "peak_rss_bytes", "output_bytes", "out_of_memory")


def fingerprints(worktree, paths):
    """What a file is, by its content and rights; None where it is gone."""
    found = {}
    for path in paths:
        place = os.path.join(worktree, path)
        try:
            mode = os.lstat(place).st_mode
            if stat.S_ISLNK(mode):
                found[path] = os.readlink(place)
                continue
            with open(place, "rb") as file:
                found[path] = (mode, hashlib.sha256(file.read()).hexdigest())
        except OSError:
            found[path] = None
    return found


def keep_artifacts(job, folder, worktree):
    """Copies the files that the scorer wants, links left out, as far as they fit; says which did not."""
    patterns = [re.compile(pattern) for pattern in job["artifacts"]]
    kept, room, left_out = [], job["artifact_bytes"], []
    for parent, names, files in os.walk(worktree) if patterns else []:
        names[:] = [name for name in names if name != ".git"]
        for name in files:
            place = os.path.join(parent, name)
            path = os.path.relpath(place, worktree)
            status = os.lstat(place)
            if not stat.S_ISREG(status.st_mode) or not any(pattern.match(path) for pattern in patterns):
                continue
            if status.st_size > room:
                left_out.append(path)
                continue
            room -= status.st_size
            target = os.path.join(folder, "artifacts", path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(place, target, follow_symlinks=False)
            kept.append({"path": path, "bytes": status.st_size})
    return kept, left_out


def write_whole(path, value):
    """Nobody ever sees a part of it, not even after a power cut."""
    part = path + ".part"
    with open(part, "w", encoding="utf8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def claim(folder, me):
    """Whether this start is the one that trains; what the outcome is, where the one that did is not coming back."""
    path = os.path.join(folder, "claim")
    try:
        claimed = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(claimed, me.encode())
        os.close(claimed)
        return True, None
    except FileExistsError:
        with open(path, encoding="utf8") as file:
            is_mine = file.read() == me
    if is_mine and os.path.exists(os.path.join(folder, "outcome.json")):
        explain_end(os.path.join(folder, "outcome.json"))
        return False, None
    if not is_mine:
        return False, None
    # Slurm starts a requeued job again under its number. What had begun to train is not trained a second time.
    has_begun = os.path.exists(os.path.join(folder, "state.json"))
    return not has_begun, {"kind": "requeued"} if has_begun else None


def explain_end(path):
    """Somebody ended the first start, and now it is known what for."""
    with open(path, encoding="utf8") as file:
        outcome = json.load(file)
    if outcome["end"] == {"kind": "terminated"}:
        write_whole(path, {**outcome, "end": {"kind": "requeued"}})


def train(job, folder, me, outcome, stop, tree):
    worktree = make_worktree(job, folder)
    sandbox, environment = find_sandbox(job, folder, worktree, environment_of(job))
    gpus = Gpus(folder, environment)
    outcome.update(contained=bool(sandbox), gpus=gpus.found)
    place = (sandbox, environment, worktree)
    phases = {}

    def run(name, log):
        phases[name] = run_phase(job, job[name], os.path.join(folder, log), place, stop, tree)
        outcome["survivors"] += phases[name]["survivors"]
        return phases[name]["end"] == {"kind": "exit", "code": 0}

    def say(is_setting_up):
        state = {**outcome, "started_at": time.time(), "setting_up": is_setting_up}
        write_whole(os.path.join(folder, "state.json"), state)

    say(bool(job["setup"]))
    if job["setup"]:
        if not run("setup", "setup.log"):
            end = phases["setup"]["end"]
            if stop.reason is None:
                raise NotStarted("setup", "The set-up command failed: %s" % json.dumps(end))
            outcome["end"] = end
            return
        say(False)
    before = fingerprints(worktree, job["locked"])
    gpus.start(tree)
    is_done = run("train", "output.log")
    gpus.stop(tree)
    if is_done and job["metric"] and not stop.look():
        run("metric", "metric.log")
    after = fingerprints(worktree, job["locked"])
    done = phases["train"]
    outcome.update(
        {name: done[name] for name in MEASURED},
        gpu=gpus.summary() if gpus.found else None,
        touched=[path for path in job["locked"] if before[path] != after[path]],
        metric={name: phases["metric"][name] for name in ("end", "seconds", "output_bytes")}
        if "metric" in phases
        else None,
    )
    if is_done:
        outcome["artifacts"], outcome["left_out"] = keep_artifacts(job, folder, worktree)


def main():
    folder = os.path.realpath(sys.argv[1])
    with open(os.path.join(folder, "job.json"), encoding="utf8") as file:
        job = json.load(file)
    job["repository"] = os.path.expanduser(job["repository"])
    os.umask(0o077)
    me = os.environ.get("SLURM_JOB_ID") or "%s:%d" % (socket.gethostname(), os.getpid())
    is_ours, end = claim(folder, me)
    if not is_ours and end is None:
        print("Another job has this run.", flush=True)
        return
    outcome = {
        **{"version": 1, "marker": job["marker"], "job": me, "end": end, "contained": False, "gpus": []},
        **{"node": os.environ.get("SLURMD_NODENAME") or socket.gethostname(), "survivors": []},
        **{"processor": processor_model()},
        **{"seconds": 0.0, "cpu_seconds": None, "peak_rss_bytes": None, "output_bytes": 0, "out_of_memory": False},
        **{"metric": None, "gpu": None, "touched": [], "artifacts": [], "left_out": []},
    }
    stop = Stop(folder)
    try:
        _devices = take_devices(job, folder, stop) if is_ours else []
        if is_ours and stop.look():
            outcome["end"] = {"kind": stop.reason}
        elif is_ours:
            train(job, folder, me, outcome, stop, Tree())
    except NotStarted as failure:
        outcome["end"] = {"kind": "not_started", "why": failure.why, "message": str(failure)[:2_000]}
    except Exception as failure:  # Whatever happened has to be told.
        message = "%s: %s" % (type(failure).__name__, failure)
        outcome["end"] = {"kind": "not_started", "why": "internal", "message": message[:2_000]}
    write_whole(os.path.join(folder, "outcome.json"), outcome)
    shutil.rmtree(os.path.join(folder, "worktree"), ignore_errors=True)
    shutil.rmtree(os.path.join(folder, "caches"), ignore_errors=True)


if __name__ == "__main__":
    main()
