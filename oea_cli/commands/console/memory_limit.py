"""A limit of memory (`ulimit -v`): its end is one line, whatever the library that meets it does.

Some raise MemoryError or an ImportError; others abort the process, leave it, or raise SIGINT. Under
a limit the work is therefore done by a child, and this process says what became of it.
"""

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

HINT = "a larger limit (ulimit -v), or a smaller encoder or input, may help"
PARENT_DIES = 1  # PR_SET_PDEATHSIG
SMALL = 8 << 30  # bytes below which a library's threads are not worth their memory
FEW_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",  # it raises SIGINT where it gets no more: as if by Ctrl-C
    "_RJEM_MALLOC_CONF": "background_thread:false",  # polars' jemalloc
}
HALF_IMPORTED = 1 << 30  # bytes below which libraries carry on after what they could not import
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LEFT = 128  # exit codes above it are those of an interrupt, after which nothing is waited for
ABORTED = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP)
WORDS = (
    "annot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "bad_alloc",
    "bad allocation",
    "failed to map segment",
    "not enough memory",
    "out of memory",
    "Resource temporarily unavailable",  # a thread
    "Unable to allocate",
    "ThreadPoolBuildError",
)


def limit_bytes() -> int | None:
    """The limit of this process; None without one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ended, in the words of whichever library met it."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if (limit := limit_bytes()) is not None:
            if any(word in str(error) for word in WORDS):
                return True
            if limit < HALF_IMPORTED and isinstance(error, NameError | ImportError | SystemError):
                return True
        error = error.__cause__ or error.__context__
    return False


def is_scarce() -> bool:
    """Whether memory is so limited that what nobody expected is most likely its end."""
    limit = limit_bytes()
    return limit is not None and limit < HALF_IMPORTED


def in_words() -> str:
    """What is said of it."""
    limit = limit_bytes()
    under = "" if limit is None else f" under the limit of {limit >> 20} MB"
    return f"not enough memory{under}; {HINT}"


def guarded(work: Callable[[], None]) -> None:
    """Do the work, in a child where a limit is set; raises SystemExit as the work does."""
    limit = limit_bytes()
    if limit is None or sys.platform != "linux":
        work()
        return
    if limit < SMALL:
        for name, value in FEW_THREADS.items():
            os.environ.setdefault(name, value)
    parent, heard, told = os.getpid(), *os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDS, signal.SIGCHLD})
    if not (child := os.fork()):
        os.close(heard)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _end_with(parent)
        if limit < SMALL:
            _silence_libraries()
        _work_as_child(work, told)
        return
    os.close(told)
    status = _watched(child)
    with os.fdopen(heard, "rb") as stream:
        came_to_its_end = stream.read(1) == b"."
    _leave(os.waitstatus_to_exitcode(status), came_to_its_end)


def _end_with(parent: int) -> None:
    """Have the system end this process with its parent."""
    with suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(PARENT_DIES, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _silence_libraries() -> None:
    """Keep descriptor 2, where they complain of memory by the hundred lines, from a person.

    `sys.stderr`, in which this program speaks, moves to another descriptor.
    """
    with suppress(OSError):  # stderr is closed
        own, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        encoding = sys.stderr.encoding
        sys.stderr = open(own, "w", 1, encoding, "backslashreplace")  # noqa: SIM115, PTH123
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _work_as_child(work: Callable[[], None], told: int) -> None:
    """Do the work and tell the parent that it came to its end, in words if there were any.

    Not told where a library ends the process, or where not even the words had memory.
    """
    try:
        work()
    except Exception as error:
        if is_out_of_memory(error):
            os._exit(1)
        raise
    finally:
        os.write(told, b".")


def _watched(child: int) -> int:
    """Wait for the child and pass on what is sent to this process only; returns its status."""
    while True:
        info = signal.sigwaitinfo({*ENDS, signal.SIGCHLD})
        if info.si_signo == signal.SIGCHLD:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return status
        elif info.si_code <= 0:  # a process sent it; the terminal's Ctrl-C reaches the child itself
            os.kill(child, info.si_signo)


def _leave(code: int, came_to_its_end: bool) -> None:
    if code < 0 and -code not in ABORTED:
        signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        os.kill(os.getpid(), -code)
    if code > LEFT or (came_to_its_end and code >= 0):
        sys.exit(code)
    with suppress(OSError):
        os.write(2, _line().encode())
    sys.exit(1)


def _line() -> str:
    """What is said, in the form asked for; plain where there is no memory even for that."""
    text = f"oea: {in_words()}"
    try:
        from oea_cli.commands.console.messages import Message, in_form

        return in_form(Message(text, level="error", code=1, is_whole=True))
    except Exception:
        return f"{text}\n"
