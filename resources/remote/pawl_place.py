"""Where a commit is trained: its worktree, the sandbox around it, its environment, and its GPUs."""

import errno
import fcntl
import glob
import os
import re
import shutil
import socket
import subprocess

TRIAL_SECONDS = 20
SMI_SECONDS = 15
SAMPLE_MS = 2_000
TAKE_SECONDS = 0.2

# bubblewrap reads its filter of system calls from here, once: it is opened again for each command.
FILTERED = 'exec "$@" 9<"$0"'
PYTHONS = re.compile(r"^(?:python(?:\d(?:\.\d+)?)?|uvx?|node|julia)$")
PACKAGE_FOLDER = re.compile(r"""(['"])([\w.]+)\1\s*:\s*(['"])(.*?)\3""")
DEVICES = re.compile(r"^(?:nvidia|nvhost|nvmap|nvgpu)|^(?:dri|kfd|dxg)$")
READ_VARIABLES = (
    "VIRTUAL_ENV CONDA_PREFIX PYENV_ROOT PYTHONHOME PYTHONPATH LD_LIBRARY_PATH CUDA_HOME CUDA_PATH"
    " UV_PROJECT_ENVIRONMENT UV_PYTHON_INSTALL_DIR SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE"
).split()


class NotStarted(Exception):
    """The run could not begin; `why` is one word for programs."""

    def __init__(self, why, message):
        super().__init__(message)
        self.why = why


def take_devices(job, folder, stop, say):
    """Binds this run to its cores, and keeps other runs of the same user from them and from its GPUs until this process ends.

    Waits as long as another run has them, unless it is told to stop; `say` is told what it waits for. Returns what has to
    be kept until the end.
    """
    # Several hosts may have this home in common.
    cores = ["%s-core-%d" % (socket.gethostname(), core) for core in job["cores"]]
    names = sorted(job["gpus"] + cores)
    locks = os.path.join(os.path.dirname(os.path.dirname(folder)), "locks")
    taken = []
    for name in names:
        os.makedirs(locks, mode=0o700, exist_ok=True)
        taken.append(open(os.path.join(locks, name.replace("/", "_")), "w", encoding="utf8"))
        is_said = False
        while stop.look() is None:
            try:
                fcntl.flock(taken[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not is_said:
                    say(name if name in job["gpus"] else "core " + name.rpartition("-")[2])
                    is_said = True
                stop.wait([], TAKE_SECONDS)
    if job["cores"]:
        os.sched_setaffinity(0, job["cores"])
    return taken


def processor_model():
    """The model of this machine's processors; None where the kernel does not name it."""
    try:
        with open("/proc/cpuinfo", encoding="utf8", errors="replace") as file:
            found = re.search(r"^model name\s*: *(.{1,200})$", file.read(), re.MULTILINE)
    except OSError:
        return None
    return found and found[1].strip()


def make_worktree(job, folder):
    """The files of the commit, and a git folder of their own that borrows the shared repository's objects."""
    worktree = os.path.join(folder, "worktree")
    shutil.rmtree(worktree, ignore_errors=True)
    # Neither hooks nor filters of anybody's configuration run here.
    environment = {
        **{"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C"},
        **{"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"},
    }
    settings = "core.hooksPath=/dev/null core.fsmonitor=false core.autocrlf=false gc.auto=0 safe.directory=*"

    def git(*args):
        options = [part for setting in settings.split() for part in ("-c", setting)]
        done = subprocess.run(
            ["git", *options, *args], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        said = done.stderr.decode("utf8", "replace").strip()
        if done.returncode != 0 and os.strerror(errno.ENOSPC) in said:
            raise OSError(errno.ENOSPC, said)
        if done.returncode != 0:
            raise NotStarted("worktree", "git %s: %s" % (args[-1], said))

    form = ["--object-format=sha256"] if len(job["commit"]) == 64 else []
    try:
        git("init", "--quiet", "--template=", *form, worktree)
        objects = os.path.join(worktree, ".git", "objects")
        os.makedirs(os.path.join(objects, "info"), exist_ok=True)
        with open(os.path.join(objects, "info", "alternates"), "w", encoding="utf8") as file:
            file.write(os.path.join(job["repository"], "objects") + "\n")
        git("-C", worktree, "checkout", "--quiet", "--force", "--detach", job["commit"])
    except FileNotFoundError:
        raise NotStarted("worktree", "git was not found on %s." % socket.gethostname()) from None
    return worktree


def bring_compiled(job, folder, worktree):
    """Adds what was compiled in the user's checkout, for machines of the same kind."""
    paths, kind = job["compiled"]["paths"], job["compiled"]["kind"]
    own = "%s %s" % (os.uname().sysname, os.uname().machine)
    if paths and kind != own:
        message = "%s was compiled for %s, and %s is %s: let contract.setup compile it, or train in other lanes."
        raise NotStarted("compiled", message % (paths[0], kind, socket.gethostname(), own))
    for path in paths:
        shutil.copyfile(os.path.join(folder, "compiled", path), os.path.join(worktree, path))


def depth(path):
    return len([part for part in path.split("/") if part])


def below(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def installation(folder):
    """What a folder of programs belongs to, where that is known to be nothing but an installation."""
    parent = os.path.dirname(folder)
    marks = ("pyvenv.cfg", "conda-meta", "shims", "versions", "include")
    is_own = os.path.basename(folder) in ("bin", "shims", "condabin") and os.path.basename(parent) != ".local"
    return parent if is_own and any(os.path.exists(os.path.join(parent, mark)) for mark in marks) else folder


def shown_in_home(job, environment, home):
    """Programs on the PATH, what they are links to, what variables name, and what the contract lets in."""
    wanted = [os.path.expanduser(path) for path in job["reads"]]
    folders = environment.get("PATH", "").split(":")
    for name in READ_VARIABLES:
        value = environment.get(name, "")
        wanted += value.split(":")
        folders.append(os.path.join(value, "bin"))
    for folder in filter(os.path.isabs, folders):
        wanted.append(installation(folder))
        try:
            names = os.listdir(folder) if below(os.path.realpath(folder), [home, "/home", "/root"]) else []
        except OSError:
            names = []
        for name in filter(PYTHONS.match, names):
            target = os.path.realpath(os.path.join(folder, name))
            wanted.append(installation(os.path.dirname(target)))
    wanted += [os.path.join(home, ".local/share/uv"), os.path.join(home, ".local/lib")]
    real = {os.path.realpath(path) for path in wanted if os.path.isabs(path) and os.path.exists(path)}
    # A whole home is never shown, whoever names it.
    return [path for path in real if not below(home, [path]) and os.path.dirname(path) != "/home"]


def sandbox_arguments(job, folder, worktree, environment):
    """What a contained run sees: the system read-only, no home, no other run, and its own worktree."""
    home = os.path.realpath(environment.get("HOME", "/root"))
    jobs = os.path.dirname(folder)
    hidden = {path for path in map(os.path.realpath, ("/home", "/root", home, jobs)) if path != "/"}
    emptied = {os.path.realpath(path) for path in ("/tmp", "/run", "/var/tmp") if os.path.isdir(path)}
    objects = os.path.join(job["repository"], "objects")
    readable = [objects, *(path for path in shown_in_home(job, environment, home) if below(path, hidden | emptied))]
    places = [(path, ["--tmpfs", path]) for path in hidden | emptied if os.path.isdir(path)]
    places += [(path, ["--ro-bind-try", path, path]) for path in readable]
    if job["network"]:
        places += [(p, ["--ro-bind-try", p, p]) for p in ("/run/systemd/resolve", "/run/NetworkManager/resolv.conf")]
    caches = os.path.join(folder, "caches")
    os.makedirs(caches, exist_ok=True)
    args = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
    for name in filter(DEVICES.match, os.listdir("/dev")):
        args += ["--dev-bind-try", "/dev/" + name, "/dev/" + name]
    for _, options in sorted(places, key=lambda place: depth(place[0])):
        args += options
    for path in ("/proc/keys", "/proc/key-users", "/etc/shadow", "/etc/gshadow"):
        if os.path.exists(path):
            args += ["--ro-bind", "/dev/null", path]
    args += ["--bind", worktree, worktree, "--bind", caches, caches]
    for path in job["sealed"]:
        sealed = os.path.join(worktree, path)
        # A mount on a link would be one on what it points to.
        if os.path.realpath(sealed) == sealed and os.path.exists(sealed):
            args += ["--ro-bind", sealed, sealed]
    args += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--unshare-user-try"]
    return args + ([] if job["network"] else ["--unshare-net"]) + [
        *["--cap-drop", "ALL", "--die-with-parent", "--chdir", worktree]
    ]


def find_sandbox(job, folder, worktree, environment):
    """Program and arguments to run a command behind, none where the job may run without; and its environment."""
    if job["containment"] == "off":
        return [], environment
    caches = os.path.join(folder, "caches")
    contained = {
        **environment,
        **job["contained_environment"],
        **{"XDG_CACHE_HOME": caches, "TORCHINDUCTOR_CACHE_DIR": os.path.join(caches, "torchinductor")},
        **{"TRITON_CACHE_DIR": os.path.join(caches, "triton"), "TMPDIR": "/tmp"},
    }
    program = shutil.which("bwrap")
    why = "bubblewrap is not installed"
    if program:
        sandbox = [program, *sandbox_arguments(job, folder, worktree, environment), "--"]
        kind = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, "")
        system_calls = os.path.join(folder, kind + ".bpf")
        if os.path.exists(system_calls):
            sandbox = ["/bin/sh", "-c", FILTERED, system_calls, *sandbox[:-1], "--seccomp", "9", "--"]
        try:
            trial = subprocess.run(
                [*sandbox, "/bin/sh", "-c", "exit 0"],
                **{"env": contained, "stdin": subprocess.DEVNULL, "capture_output": True},
                **{"timeout": TRIAL_SECONDS, "check": False},
            )
            if trial.returncode == 0:
                return sandbox, contained
            why = "bubblewrap does not work: " + trial.stderr.decode("utf8", "replace").strip()[-300:]
        except subprocess.TimeoutExpired:
            why = "bubblewrap does not answer"
    if job["containment"] == "required":
        raise NotStarted("no_sandbox", "%s: %s" % (socket.gethostname(), why))
    return [], environment


def editable_folders(environment, checkout):
    """Folders of the checkout that an environment of this machine imports from.

    Sources: the `site` module on `.pth` files, a path a line; setuptools on editable installs, where a finder names the folder of
    each package.
    """
    roots = [environment[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environment.get(name)]
    paths = []
    for root in roots:
        for place in sorted(glob.glob(os.path.join(glob.escape(root), "lib/python*/site-packages/*"))):
            is_finder = re.match(r"__editable__.*\.py$", os.path.basename(place))
            if not is_finder and not place.endswith(".pth"):
                continue
            with open(place, encoding="utf8", errors="replace") as file:
                text = file.read()
            if not is_finder:
                paths += text.splitlines()
                continue
            for _, module, _, path in PACKAGE_FOLDER.findall(text):
                folder, ending = re.sub(r"\.py$", "", path), "/" + module.replace(".", "/")
                paths += [folder[: -len(ending)]] if folder.endswith(ending) else []
    return [path for path in map(os.path.realpath, filter(os.path.isabs, paths)) if below(path, [checkout])]


def environment_of(job, worktree):
    """What the commands see: what this machine has of the names that may pass, and over it what the job says."""
    names, prefixes = set(job["inherit"]["names"]), tuple(job["inherit"]["prefixes"])
    never = re.compile(job["inherit"]["never"], re.IGNORECASE)
    environment = {
        name: value
        for name, value in os.environ.items()
        if (name in names or name.startswith(prefixes)) and not never.search(name)
    }
    for name, value in job["environment"].items():
        value = value.replace(job["worktree"], worktree) if name == "PYTHONPATH" else value
        own = environment.get(name)
        # Modules and the prelude have put their own folders in front; those of the user are found after them.
        is_list = name in ("PATH", "LD_LIBRARY_PATH") and own
        environment[name] = ":".join(dict.fromkeys((own + ":" + value).split(":"))) if is_list else value
    # What an environment that only this machine knows imports from the checkout is not the attempt's code.
    checkout = os.path.realpath(job["checkout"])
    folders = editable_folders(environment, checkout)
    if folders:
        own = environment.get("PYTHONPATH", "").split(":")
        instead = [os.path.normpath(os.path.join(worktree, os.path.relpath(path, checkout))) for path in folders]
        environment["PYTHONPATH"] = ":".join(dict.fromkeys([*instead, *filter(None, own)]))
    # The environment of the user's checkout is here only where this machine shares their home. Otherwise uv makes one in the
    # worktree.
    uv = environment.get("UV_PROJECT_ENVIRONMENT")
    if uv and environment.get("UV_NO_SYNC") == "1" and not os.path.exists(os.path.join(uv, "pyvenv.cfg")):
        del environment["UV_PROJECT_ENVIRONMENT"], environment["UV_NO_SYNC"]
    return environment


class Gpus:
    """The GPUs this run was given, sampled by nvidia-smi while it trains; none where that does not answer."""

    def __init__(self, folder, environment):
        self.table = os.path.join(folder, "gpu.csv")
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        devices = [name for name in (visible or "").split(",") if name]
        self.which = ["--id=" + ",".join(devices)] if devices else []
        self.sampler = None
        self.found = []
        # Named as none, it has none, whatever the machine has.
        for line in [] if visible == "" else self.ask("--query-gpu=name,uuid").splitlines():
            name, _, uuid = line.rpartition(", ")
            if name:
                self.found.append({"name": name[:200], "uuid": uuid[:200]})

    def ask(self, query):
        command = ["nvidia-smi", query, "--format=csv,noheader,nounits", *self.which]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SMI_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf8", "replace") if done.returncode == 0 else ""

    def start(self, tree):
        if not self.found:
            return
        query = "--query-gpu=uuid,utilization.gpu,memory.used,power.draw"
        command = ["nvidia-smi", query, "--format=csv,noheader,nounits", "--loop-ms=%d" % SAMPLE_MS, *self.which]
        with open(self.table, "wb") as table:
            self.sampler = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=table, stderr=subprocess.DEVNULL, start_new_session=True
            )
        tree.spared.add(self.sampler.pid)

    def stop(self, tree):
        if self.sampler:
            self.sampler.kill()
            self.sampler.wait()
            tree.spared.discard(self.sampler.pid)
            self.sampler = None

    def summary(self):
        rows = []
        try:
            with open(self.table, encoding="utf8", errors="replace") as table:
                rows = [[number(cell) for cell in line.split(", ")[1:]] for line in table]
        except OSError:
            pass
        columns = [[row[at] for row in rows if len(row) == 3 and row[at] is not None] for at in range(3)]
        mean = [sum(column) / len(column) if column else None for column in columns]
        peak = max(columns[1]) if columns[1] else None
        return {"samples": len(rows), "utilization_percent": mean[0], "memory_mib": peak, "power_watts": mean[2]}


def number(text):
    try:
        return float(text)
    except ValueError:
        return None
