"""Processes with a terminal of their own."""

import os
import subprocess


def start_in_terminal(command, **options):
    """Starts a program.

    Args:
        command: a list of strings.
        options: of `subprocess.Popen`.

    Returns:
        The process and the other end of its terminal, a descriptor: closing it closes the terminal.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # Opened by the leader of a session, it becomes the terminal of the session.
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        **options,
    )
    os.close(theirs)
    return process, ours
