"""Runs a command on a terminal of its own, with a limit, and ends everything that it started."""

import ctypes
import errno
import fcntl
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import termios
import time

ROWS = 50
TICK_SECONDS = 1.0
VERIFY_SECONDS = 5.0
TERM_SECONDS = 0.5
MIB = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)
# A run that filled the disk gives back at least this share of what was free before it.
GIVEN_BACK = 0.7
LEAST_FREE = 16 * MIB
SUBREAPER, PARENT_DEATH_SIGNAL = 36, 1

# The sandbox ends with its first program. That one waits for the others, which have been asked to end as well.
INSIDE = """trap asked=1 TERM; /bin/sh -c "$1"; code=$?
if [ "$asked" ]; then while set -- /proc/[0-9]*; [ $# -gt 2 ]; do sleep 0.05; done; fi; exit $code"""

libc = ctypes.CDLL(None, use_errno=True)


class Stop:
    """The first reason from outside to end the run; None while there is none."""

    def __init__(self, folder):
        self.reason = None
        self.cancel = os.path.join(folder, "cancel")
        self.wake, wake = os.pipe()
        for end in (self.wake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: self.say("terminated"))
        signal.signal(signal.SIGUSR1, lambda *_: self.say("time_limit"))
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def say(self, reason):
        # What Pawl asked for may reach the run as a signal, too.
        self.reason = self.reason or ("cancelled" if os.path.exists(self.cancel) else reason)

    def look(self):
        if os.path.exists(self.cancel):
            self.say("cancelled")
        return self.reason

    def wait(self, descriptors, seconds):
        ready = select.select([*descriptors, self.wake], [], [], seconds)[0]
        if self.wake in ready:
            os.read(self.wake, 512)
        return ready


class Limits:
    """What a run may use of this machine; the disk is that of its folder."""

    def __init__(self, limits, folder):
        self.folder = folder
        self.processes = limits["processes"]
        self.memory = limits["memory_bytes"] or limits["memory_share"] * page_bytes("SC_PHYS_PAGES")
        self.free = limits["free_bytes"]
        self.free_before = self.free_bytes()
        if self.free is None:
            self.free = min(limits["most_free_bytes"], limits["free_share"] * self.free_before)

    def free_bytes(self):
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize

    def has_room(self):
        return self.free_bytes() >= max(self.free, LEAST_FREE)

    def is_filled_by_others(self, ends):
        """Whether the disk was full at one of these ends, and the run has not written what filled it."""
        own = sum(bytes_below(os.path.join(self.folder, name)) for name in ("worktree", "caches", "output.log"))
        is_full = any(end.get("limit") == "disk" for end in ends) or not self.has_room()
        return is_full and own < (1 - GIVEN_BACK) * self.free_before

    def passed(self, pids, resident):
        """The limit that these processes have passed, as an end; None where they keep all."""
        if len(pids) > self.processes:
            return limited("processes", "It had %d processes; the limit is %d." % (len(pids), self.processes))
        # The quick sum counts shared pages once per process; the exact one costs more.
        if resident > self.memory:
            used = sum(proportional_bytes(pid) for pid in pids)
            if used > self.memory:
                sizes = (used / MIB, self.memory / MIB)
                return limited("memory", "Out of memory: it took %d MiB; the limit is %d MiB." % sizes)
        if self.free_bytes() < self.free:
            return limited("disk", "The disk was full: less than %d MiB were free." % (self.free / MIB))
        return None


def bytes_below(path):
    """What a file, or everything in a folder, takes of the disk."""
    places = [path]
    for parent, _, files in os.walk(path):
        places += [os.path.join(parent, name) for name in files]
    found = 0
    for place in places:
        try:
            found += os.lstat(place).st_blocks * 512
        except OSError:
            pass
    return found


def limited(limit, message):
    return {"kind": "limited", "limit": limit, "message": message}


def page_bytes(name):
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")


def proportional_bytes(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid, encoding="utf8") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


class Tree:
    """Every process below this one: as their subreaper it stays above those that leave their parent."""

    def __init__(self):
        if libc.prctl(SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError("The kernel lets no process adopt orphans.")
        self.spared = set()
        self.peak_bytes = 0

    def list(self):
        """Processes that live: their names and parents by number, and the memory of all."""
        found, page = {}, os.sysconf("SC_PAGE_SIZE")
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open("/proc/%s/stat" % entry, encoding="utf8", errors="replace") as file:
                        head, tail = file.read().rsplit(")", 1)
                except OSError:
                    continue
                fields = tail.split()
                found[int(entry)] = (int(fields[1]), fields[0], head.split("(", 1)[1], int(fields[21]) * page)
        below = {os.getpid()}
        grown = True
        while grown:
            more = {pid for pid, (parent, *_) in found.items() if parent in below and pid not in below}
            more -= self.spared
            grown = bool(more)
            below |= more
        alive = {pid: found[pid] for pid in below - {os.getpid()} if pid in found and found[pid][1] not in "ZX"}
        return {pid: (name, parent) for pid, (parent, _, name, _) in alive.items()}, sum(rss for *_, rss in alive.values())

    def sample(self):
        pids, resident = self.list()
        self.peak_bytes = max(self.peak_bytes, resident)
        return pids, resident

    def end(self, ask_seconds):
        """Asks every process to end, waits, kills what is left; returns what could not be ended."""
        asked = set()
        self.repeat(ask_seconds, lambda pids: self.ask(pids, asked))
        self.repeat(VERIFY_SECONDS, lambda pids: [send(pid, signal.SIGKILL) for pid in pids])
        return sorted(self.list()[0])

    def ask(self, pids, asked):
        before = set(asked)
        for pid, (name, parent) in pids.items():
            # What a process starts after it was asked may be how it ends: a handler that copies its checkpoint, for example.
            # bubblewrap would end at once, and with it everything inside before that could act.
            if pid not in before and parent not in before and name != "bwrap":
                asked.add(pid)
                send(pid, signal.SIGTERM)
                send(pid, signal.SIGCONT)

    def repeat(self, seconds, act):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reap(self.spared)
            pids = self.list()[0]
            if not pids:
                return
            act(pids)
            time.sleep(0.02)


def send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


def reap(spared):
    """Takes leave of ended children, so that their times count."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid in spared:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:
            return


def open_terminal(columns):
    """Programs print their progress as on a terminal, and as they wrote it; who reads from it finds the end at once."""
    master, slave = pty.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    attributes[6][termios.VMIN] = attributes[6][termios.VTIME] = 0
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    os.set_blocking(master, False)
    return master, slave


def run_phase(job, phase, log, place, stop, tree):
    """Runs one command to its end and everything it started with it."""
    sandbox, environment, worktree, limits = place
    inside = [*sandbox, "/bin/sh", "-c", INSIDE, "pawl"] if sandbox else ["/bin/sh", "-c"]
    master, slave = open_terminal(job["columns"])
    tree.peak_bytes = 0
    used, kills, began = resource.getrusage(resource.RUSAGE_CHILDREN), oom_kills(), time.monotonic()
    written, end, ticked = 0, None, began
    is_full = False
    with open(log, "wb", buffering=0) as file:

        def drain():
            nonlocal written, is_full
            while written <= job["output_bytes"] and not is_full:
                try:
                    data = os.read(master, 65_536)
                except OSError:
                    return
                if not data:
                    return
                try:
                    # The last write that fits may be a part of it.
                    while data:
                        count = file.write(data)
                        written, data = written + count, data[count:]
                except OSError as failure:
                    if failure.errno not in FULL:
                        raise
                    is_full = True

        child = subprocess.Popen(
            [*inside, phase["command"]],
            **{"stdin": subprocess.DEVNULL, "stdout": slave, "stderr": slave, "cwd": worktree},
            **{"env": environment, "start_new_session": True},
            preexec_fn=lambda: libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0),
        )
        os.close(slave)
        is_open = True
        while end is None:
            left = began + phase["seconds"] - time.monotonic()
            ready = stop.wait([master] if is_open else [], max(0.0, min(left, TICK_SECONDS)))
            before = written
            drain()
            # Once nothing holds the other side, the terminal is always ready and has nothing to say.
            is_open = master not in ready or written > before
            now = time.monotonic()
            # Slurm tells every process of a job that it is to end, and the command may be the first to do so.
            if child.poll() == -signal.SIGTERM or child.returncode == 128 + signal.SIGTERM:
                # The end of a child ends a wait, too.
                while stop.reason is None and time.monotonic() < now + TERM_SECONDS:
                    stop.wait([], TERM_SECONDS)
            if stop.reason:
                end = {"kind": stop.reason}
            elif is_full:
                end = limited("disk", "The disk was full: its output could not be written.")
            elif child.returncode is not None:
                end = end_of(child.returncode)
            elif written > job["output_bytes"]:
                end = {"kind": "flooded"}
            elif now >= began + phase["seconds"]:
                end = {"kind": "timeout"}
            if now - ticked >= TICK_SECONDS:
                ticked = now
                sample = tree.sample()
                # What has ended by itself has kept its limits, and is not ended by anybody.
                end = end or limits.passed(*sample) or (stop.look() and {"kind": stop.reason})
        seconds = time.monotonic() - began
        by_itself = child.returncode is not None
        survivors = tree.end(0 if by_itself else job["ask_seconds"])
        child.poll()
        drain()
        os.close(master)
        os.fsync(file.fileno())
    reap(tree.spared)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {
        **{"end": end, "seconds": seconds, "cpu_seconds": cpu, "output_bytes": written, "survivors": survivors},
        "peak_rss_bytes": max(tree.peak_bytes, after.ru_maxrss * 1024),
        "out_of_memory": oom_kills() > kills,
    }


def end_of(code):
    """A shell reports a command that died by signal n as 128 + n, and there are 64 signals."""
    number = -code if code < 0 else code - 128
    return {"kind": "signal", "signal": number} if 0 < number <= 64 else {"kind": "exit", "code": code}


def oom_kills():
    """How often the kernel has ended a process of this control group for want of memory."""
    try:
        with open("/proc/self/cgroup", encoding="utf8") as file:
            groups = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return 0
    for _, controllers, path in groups:
        if controllers == "":
            name = "/sys/fs/cgroup%s/memory.events" % path
        elif "memory" in controllers.split(","):
            name = "/sys/fs/cgroup/memory%s/memory.oom_control" % path
        else:
            continue
        try:
            with open(name, encoding="utf8") as file:
                counts = dict(line.split() for line in file)
        except (OSError, ValueError):
            continue
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return 0
