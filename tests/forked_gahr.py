"""`gahr` for scripts, without the seconds in which each process loads the libraries.

A process loads them once, and runs each command in a fork of itself, which is told the command's arguments,
folder, environment and files. What must start as users start it, such as another backend, does.

python forked_gahr.py serve SOCKET       the process; it says when it is ready, and ends with its input
python forked_gahr.py ask SOCKET ...     the program that scripts call: `gahr ...`
"""

import atexit
import contextlib
import gc
import json
import os
import select
import shlex
import socket
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def serving(folder):
    """Within it `folder` has a program `gahr`, to be put on the path; its commands take turns."""
    address, program = str(folder / "socket"), folder / "gahr"
    command = [sys.executable, __file__, "serve", address]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as server:
        assert server.stdout.readline() == b"ready\n"
        # What takes a hundredth of a second to start.
        ask = [sys.executable, "-I", "-S", __file__, "ask", address]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(ask)} "$@"\n')
        program.chmod(0o755)
        yield


def ask(address, *arguments):
    """Lets the process at an address run a command, and returns its exit code."""
    backend = os.environ.get("KERAS_BACKEND")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        loaded = connection.recv(100).decode()
        if "--backend" in arguments or backend != loaded:
            os.execv(sys.executable, [sys.executable, str(ROOT / "cli.py"), *arguments])
        told = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()
        socket.send_fds(connection, [len(told).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(told)
        return int(connection.recv(100))


def serve(address):
    """Runs commands in forks until the input ends."""
    import keras

    from keras_gahr.commands.front import main

    load_libraries()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    while True:
        if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
            return
        connection, _ = listener.accept()
        with connection:
            connection.sendall(keras.backend.backend().encode())
            size, files, _, _ = socket.recv_fds(connection, 4, 3)
            if not size:
                continue
            with connection.makefile("rb") as stream:
                told = json.loads(stream.read(int.from_bytes(size, "big")))
            child = os.fork()
            if child == 0:
                become(*told, files)
                end(main)
            for file in files:
                os.close(file)
            status = os.waitpid(child, 0)[1]
            connection.sendall(str(os.waitstatus_to_exitcode(status) % 256).encode())


def load_libraries():
    """Imports what else commands use, and computes nothing: what has computed cannot be forked."""
    import keras_gahr.analysis
    import keras_gahr.plot
    import keras_gahr.reproduction.reproduction
    import keras_gahr.sampling
    import keras_gahr.training  # noqa: F401

    # Keras looks into it, where it is, whenever a model is saved.
    with contextlib.suppress(ImportError):
        import tensorflow  # noqa: F401
    # Else each fork has a copy of all of it as soon as Python collects garbage.
    gc.freeze()


def become(arguments, folder, environment, files):
    """Makes this process one that was started so."""
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    # Those there are would take these files to be of the kind that the old ones were.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(*each, 1) for each in enumerate("rww"))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["gahr", *arguments]


def end(main):
    """Ends this process with a function's exit code, and without freeing all that a fork shares."""
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    action, *rest = sys.argv[1:]
    sys.exit({"serve": serve, "ask": ask}[action](*rest))
