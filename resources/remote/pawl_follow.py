"""Tells what a run leaves in its folder, as it comes: pawl_follow.py FOLDER OFFSET.

Each line is an object: `log`, bytes of the output from OFFSET on; `state` and `outcome`, the text of
those files; `alive`, whether the run is still there. It ends with the outcome, once the whole output
has been told, and when nobody reads any more.
"""

import base64
import json
import os
import sys
import time

CHUNK_BYTES = 192 * 1024
MIN_PAUSE, MAX_PAUSE = 0.1, 1.0
TELL_SECONDS = 5.0
# A run that has just been started may not have said that it is there.
START_SECONDS = 30.0


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def text_of(name):
    try:
        with open(name, encoding="utf8") as file:
            return file.read()
    except OSError:
        return None


def is_alive():
    """Whether the process that claimed the run lives; None where none has yet."""
    claim = text_of("claim")
    if not claim:
        return None
    try:
        with open("/proc/%d/cmdline" % int(claim.rpartition(":")[2]), "rb") as file:
            return b"pawl_run.py" in file.read()
    except (OSError, ValueError):
        return False


def tell_log(offset):
    try:
        with open("output.log", "rb") as file:
            file.seek(offset)
            data = file.read(CHUNK_BYTES)
    except OSError:
        return 0
    if data:
        tell(log=base64.b64encode(data).decode())
    return len(data)


def follow(offset):
    pause, began, told, known = MIN_PAUSE, time.monotonic(), float("-inf"), None
    while True:
        # Whether it lives is looked at before its outcome: it may end in between.
        alive = is_alive()
        outcome = text_of("outcome.json")
        new = tell_log(offset)
        offset += new
        state = text_of("state.json")
        if state != known:
            known = state
            tell(state=state)
        if outcome is not None and new == 0:
            tell(outcome=outcome)
            return
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            tell(alive=alive if alive is not None else time.monotonic() - began < START_SECONDS)
        pause = MIN_PAUSE if new else min(2 * pause, MAX_PAUSE)
        if new < CHUNK_BYTES:
            time.sleep(pause)


if __name__ == "__main__":
    os.chdir(os.path.expanduser(sys.argv[1]))
    try:
        follow(int(sys.argv[2]))
    except BrokenPipeError:
        os._exit(0)
