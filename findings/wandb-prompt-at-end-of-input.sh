#!/bin/sh
# wandb.init() without a key, in a program whose terminal is at the end of its input (nobody is there to answer).
# Expected: an error that a program can catch, as with standard input from /dev/null. Seen, 0.31.0: with /dev/null it raises
# UsageError; on the terminal it prints its menu and raises KeyboardInterrupt, which "except Exception" lets through and
# which looks like a Ctrl-C of the user.
# Python 3.11 on Linux 6.18, no network needed. Needs python3 with pip; installs into a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" wandb==0.31.0
cat >"$folder/init.py" <<'END'
import wandb

try:
    wandb.init(project="x")
except BaseException as error:
    print("raised", type(error).__name__)
END
cat >"$folder/terminal.py" <<'END'
import os, pty, subprocess, sys, termios

master, slave = pty.openpty()
mode = termios.tcgetattr(slave)
mode[3] &= ~termios.ICANON
mode[6][termios.VMIN] = mode[6][termios.VTIME] = 0
termios.tcsetattr(slave, termios.TCSANOW, mode)
stdin = slave if sys.argv[1] == "terminal" else subprocess.DEVNULL
child = subprocess.Popen([sys.executable, "init.py"], stdin=stdin, stdout=slave, stderr=slave, start_new_session=True)
os.close(slave)
output = b""
while True:
    try:
        piece = os.read(master, 65536)
    except OSError:
        break
    if not piece:
        break
    output += piece
child.wait()
print(next(line for line in output.decode().split("\n") if "raised" in line).strip())
END
status=0
check() {
  seen=$(cd "$folder" && env -u WANDB_API_KEY -u WANDB_MODE HOME="$folder" PYTHONPATH="$folder/packages" python3 terminal.py "$1")
  echo "input $1: $seen"
  [ "$seen" = "$2" ] || status=1
}
check null 'raised UsageError'
check terminal 'raised KeyboardInterrupt'
exit $status
