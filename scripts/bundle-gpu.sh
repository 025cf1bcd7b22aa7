#!/bin/sh
# Stands at the top of the bundle that scripts/bundle-gpu.mjs makes, as check-gpu.sh and as pawl.sh: starts the program of its
# own name with the Node beside it, and passes the arguments on.
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
here=$(CDPATH='' cd -- "$here" && pwd -P) || exit 1
# What the machine has comes before what was brought along, but for Node.
PATH=$here/node/bin:${PATH:-/usr/bin:/bin}:$here/tools/bin
export PATH

# As src/engine/git/git-binary.ts asks.
is_recent_git() {
  version=$(git --version 2>/dev/null) || return 1
  version=${version#git version }
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  [ "$major" -gt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -ge 38 ]; }
}

if [ -z "${LOCAL_GIT_DIRECTORY:-}" ] && [ -x "$here/git/bin/git" ] && ! is_recent_git; then
  LOCAL_GIT_DIRECTORY=$here/git
  GIT_EXEC_PATH=$here/git/libexec/git-core
  export LOCAL_GIT_DIRECTORY GIT_EXEC_PATH
fi
name=${0##*/}
exec node "$here/app/built/js/${name%.sh}.js" "$@"
