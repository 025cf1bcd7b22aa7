#!/bin/sh
# filelock on a lock file that is a symbolic link (a cache whose files are links to a read-only original).
# Expected: one behaviour. Seen: 3.19.1 locks the link's target, so that two caches that link to one lock share it; 4.3.1
# refuses the link with ELOOP. A cache that is mirrored by links must therefore leave its lock files out.
# Python 3.11 on Linux 6.18. Needs python3 with pip; installs into a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'END'
import errno, fcntl, os, sys
import filelock

folder = sys.argv[1]
target, link = os.path.join(folder, "target.lock"), os.path.join(folder, "link.lock")
open(target, "w").close()
if not os.path.lexists(link):
    os.symlink(target, link)
try:
    with filelock.FileLock(link, timeout=0):
        with open(target, "w") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                print("the link")
            except OSError:
                print("the target")
except OSError as error:
    print(errno.errorcode[error.errno])
END
status=0
check() {
  python3 -m pip install --quiet --disable-pip-version-check --target "$folder/$1" "filelock==$1"
  seen=$(PYTHONPATH="$folder/$1" python3 "$folder/look.py" "$folder")
  echo "filelock $1 takes: $seen"
  [ "$seen" = "$2" ] || status=1
}
check 3.19.1 'the target'
check 4.3.1 ELOOP
exit $status
