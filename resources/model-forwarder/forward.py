"""Hands connections to a port of the loopback on to a unix socket: forward.py SOCKET PORT.

For a sandbox without a network, whose programs know a model by an address. Returns as soon as
it listens and goes on in the background, until the sandbox ends. Python 3.6 or later.
"""

import os
import signal
import socket
import sys
import threading

CONNECTIONS = 128
IDLE_SECONDS = 3_600


def pump(source, sink):
    """Copy until the source ends, then end the sink; what is broken ends both."""
    try:
        while True:
            data = source.recv(65_536)
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(data)
    except OSError:
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def carry(client, path, room):
    engine = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(IDLE_SECONDS)
        engine.settimeout(IDLE_SECONDS)
        engine.connect(path)
        back = threading.Thread(target=pump, args=(engine, client), daemon=True)
        back.start()
        pump(client, engine)
        back.join()
    except (OSError, RuntimeError):
        pass
    finally:
        client.close()
        engine.close()
        room.release()


def main():
    path, port = sys.argv[1], int(sys.argv[2])
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(CONNECTIONS)
    if os.fork() > 0:
        os._exit(0)
    # Whoever started this may not listen to it, and this shall end when it is asked to.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    room = threading.BoundedSemaphore(CONNECTIONS)
    while True:
        room.acquire()
        client, _ = listener.accept()
        try:
            threading.Thread(target=carry, args=(client, path, room), daemon=True).start()
        except RuntimeError:
            # The run has as many processes as it may.
            client.close()
            room.release()


if __name__ == "__main__":
    main()
