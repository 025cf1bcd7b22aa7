"""Trains one commit on this machine and records how that ended: pawl_run.py FOLDER.

FOLDER belongs to this run alone. `job.json` in it says what to do. What is left there: `state.json`
once the run waits for a GPU, once the set-up or the training begins, and again between the two, `output.log`, `metric.log`, `check-1.log`,
`gpu.csv`, `artifacts/`, and at the end `outcome.json`. A run is trained once: a second start in the same folder trains nothing. A file
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
    bring_compiled,
    environment_of,
    find_sandbox,
    make_worktree,
    processor_model,
    take_devices,
)
from pawl_processes import FULL, Limits, Stop, Tree, run_phase

LONG_AGO = 978_307_200
# Kept for the outcome of a run on a full disk.
RESERVE_BYTES = 256 * 1024
WAIT_SECONDS = 1.0
# By then a run beside this one that has filled the disk was ended, and its files are removed.
ROOM_SECONDS = 15.0
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


def files_of(worktree):
    found = set()
    for parent, names, files in os.walk(worktree):
        names[:] = [name for name in names if name != ".git"]
        found.update(os.path.relpath(os.path.join(parent, name), worktree) for name in files)
    return found


def stamps(worktree, paths):
    """Which file it is, and when it was written last; None where it is gone."""
    found = {}
    for path in paths:
        try:
            status = os.lstat(os.path.join(worktree, path))
            found[path] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        except OSError:
            found[path] = None
    return found


def watch_folders(job, worktree):
    """When the folders of the commit changed last, which is made long ago: some file systems store times to the second."""
    folders = set()
    for path in job["observed"]:
        folder = os.path.dirname(path)
        # Python makes one wherever it imports from.
        if folder and path.endswith(".py"):
            os.makedirs(os.path.join(worktree, folder, "__pycache__"), exist_ok=True)
        while folder:
            folders.add(folder)
            folder = os.path.dirname(folder)
    for folder in sorted(folders):
        os.utime(os.path.join(worktree, folder), (LONG_AGO, LONG_AGO))
    return {folder: mtime(worktree, folder) for folder in folders}


def mtime(worktree, path):
    try:
        return os.lstat(os.path.join(worktree, path)).st_mtime_ns
    except OSError:
        return None


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


def disk_full(folder):
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize / 1024 / 1024
    where = (os.path.dirname(os.path.dirname(folder)), socket.gethostname(), free)
    return "The disk that holds %s on %s is full: %d MiB are free. Make room there, then resume the study." % where


def limits_with_room(job, folder, stop):
    """The limits of a run that is about to begin, once the disk has room for it."""
    deadline = time.monotonic() + ROOM_SECONDS
    while True:
        limits = Limits(job["limits"], folder)
        if limits.has_room():
            return limits
        if stop.look() or time.monotonic() >= deadline:
            raise NotStarted("disk", disk_full(folder))
        stop.wait([], WAIT_SECONDS)


def keep_reserve(folder):
    with open(os.path.join(folder, "reserve"), "wb") as file:
        file.write(bytes(RESERVE_BYTES))


def clear(folder):
    """Removes what only the run needed."""
    shutil.rmtree(os.path.join(folder, "worktree"), ignore_errors=True)
    shutil.rmtree(os.path.join(folder, "caches"), ignore_errors=True)
    try:
        os.remove(os.path.join(folder, "reserve"))
    except OSError:
        pass


def leave(folder, outcome, stop):
    """Writes the outcome. Without it the run was for nothing, so this waits for room on a full disk, unless it is cancelled."""
    while True:
        try:
            return write_whole(os.path.join(folder, "outcome.json"), outcome)
        except OSError as failure:
            if failure.errno not in FULL:
                raise
        clear(folder)
        if os.path.exists(stop.cancel):
            return None
        stop.wait([], WAIT_SECONDS)


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
    try:
        with open(os.path.join(folder, "state.json"), encoding="utf8") as file:
            has_begun = "waits_for" not in json.load(file)
    except FileNotFoundError:
        has_begun = False
    return not has_begun, {"kind": "requeued"} if has_begun else None


def explain_end(path):
    """Somebody ended the first start, and now it is known what for."""
    with open(path, encoding="utf8") as file:
        outcome = json.load(file)
    if outcome["end"] == {"kind": "terminated"}:
        write_whole(path, {**outcome, "end": {"kind": "requeued"}})


def train(job, folder, me, outcome, stop, tree):
    limits = limits_with_room(job, folder, stop)
    worktree = make_worktree(job, folder)
    sandbox, environment = find_sandbox(job, folder, worktree, environment_of(job, worktree))
    gpus = Gpus(folder, environment)
    outcome.update(contained=bool(sandbox), gpus=gpus.found)
    keep_reserve(folder)
    place = (sandbox, environment, worktree, limits)
    phases = {}

    def run(name, log, phase):
        if stop.look():
            phases[name] = {"end": {"kind": stop.reason}, "seconds": 0.0, "output_bytes": 0, "survivors": []}
        else:
            phases[name] = run_phase(job, phase, os.path.join(folder, log), place, stop, tree)
        outcome["survivors"] += phases[name]["survivors"]
        return phases[name]["end"] == {"kind": "exit", "code": 0}

    def told(name):
        return {part: phases[name][part] for part in ("end", "seconds", "output_bytes")}

    def say(is_setting_up):
        state = {**outcome, "started_at": time.time(), "setting_up": is_setting_up}
        write_whole(os.path.join(folder, "state.json"), state)

    say(bool(job["setup"]))
    committed = files_of(worktree)
    bring_compiled(job, folder, worktree)
    if job["setup"]:
        if not run("setup", "setup.log", job["setup"]):
            end = phases["setup"]["end"]
            if stop.reason is None:
                raise NotStarted("setup", "The set-up command failed: %s" % json.dumps(end))
            outcome["end"] = end
            return
        say(False)
    # What the set-up has made, the training may not change.
    opened = [re.compile(pattern) for pattern in job["writes"]]
    made = sorted(files_of(worktree) - committed) if sandbox else []
    kept = [path for path in made if not any(pattern.match(path) for pattern in opened)]
    before = {**fingerprints(worktree, job["locked"]), **stamps(worktree, kept)}
    seen, folders = fingerprints(worktree, job["observed"]), watch_folders(job, worktree)
    gpus.start(tree)
    is_done = is_well = run("train", "output.log", job["train"])
    gpus.stop(tree)
    if is_done and job["metric"]:
        is_well = run("metric", "metric.log", job["metric"])
    checks = []
    for check in job["checks"]:
        if is_well:
            checks.append("check-%d" % (len(checks) + 1))
            is_well = run(checks[-1], checks[-1] + ".log", check)
    after = {**fingerprints(worktree, job["locked"]), **stamps(worktree, kept)}
    again = fingerprints(worktree, job["observed"])
    done = phases["train"]
    outcome.update(
        {name: done[name] for name in MEASURED},
        gpu=gpus.summary() if gpus.found else None,
        touched=[path for path in before if before[path] != after[path]],
        metric=told("metric") if "metric" in phases else None,
        checks=[told(name) for name in checks],
    )
    if job["observed"]:
        outcome["written"] = [path for path in seen if seen[path] != again[path]]
        outcome["written_folders"] = sorted(path for path in folders if folders[path] != mtime(worktree, path))
    if is_done:
        outcome["artifacts"], outcome["left_out"] = keep_artifacts(job, folder, worktree)
    # A full disk says nothing about the commit, unless the run has filled it.
    ends = [phases[name]["end"] for name in phases]
    if not is_well and stop.reason is None and limits.is_filled_by_others(ends):
        outcome["end"] = {"kind": "disk_taken"}


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
        **{"metric": None, "checks": [], "gpu": None, "touched": [], "artifacts": [], "left_out": []},
    }
    stop = Stop(folder)
    try:

        def say_waiting(device):
            write_whole(os.path.join(folder, "state.json"), {**outcome, "waits_for": device})

        _devices = take_devices(job, folder, stop, say_waiting) if is_ours else []
        if is_ours and stop.look():
            outcome["end"] = {"kind": stop.reason}
        elif is_ours:
            train(job, folder, me, outcome, stop, Tree())
    except NotStarted as failure:
        told = {"kind": "not_started", "why": failure.why, "message": str(failure)[:2_000]}
        outcome["end"] = {"kind": stop.reason} if stop.reason else told
    except Exception as failure:  # Whatever happened has to be told.
        is_full = isinstance(failure, OSError) and failure.errno in FULL
        message = "%s: %s" % (type(failure).__name__, failure)
        told = {"kind": "not_started", "why": "internal", "message": message[:2_000]}
        outcome["end"] = {"kind": "disk_taken"} if is_full else told
    leave(folder, outcome, stop)
    clear(folder)


if __name__ == "__main__":
    main()
