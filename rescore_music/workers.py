"""A worker process that can be stopped: one task at a time, within limits of time and memory.

A task that hangs, takes all memory or kills its process ends alone, as one `LimitError`; the next task gets a new
process. Python cannot end a thread, and a process pool loses all its tasks with one worker, so batch and the readers
that cannot be trusted use this. The process is a new interpreter: neither forked (threads and locks do not survive
it) nor multiprocessing's spawn (which runs the caller's script again). It ends with its parent, however that ends.

Conventions: seconds, of the clock unless processor time is said; bytes. Tasks and answers are pickled; both ends are
this program, nothing that came from a file is ever unpickled. Memory and processor time are limited where the system
has POSIX resource limits, time by the clock everywhere.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from rescore_music.errors import LimitError, printable_logs

T = TypeVar("T")
MIB = 1 << 20
_SERVE = "import sys; sys.path[:] = sys.argv[1:]; from rescore_music.workers import serve; serve()"


class Worker:
    """A process for tasks, started at the first and replaced when it has died.

    Not for several threads at once: each keeps its own.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The running process, if there is one."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def call(
        self,
        function: Callable[..., T],
        *args: Any,
        seconds: float | None = None,
        processor_seconds: float | None = None,
        memory: int | None = None,
    ) -> T:
        """`function(*args)`, done in the process.

        Parameters
        ----------
        function : callable
            Of a module, so that it can be found by name; arguments and result can be pickled.
        seconds : float, optional
            By the clock, beginning when the process is ready.
        processor_seconds : float, optional
        memory : int, optional
            Bytes of address space beyond what the process has when the task begins.

        Raises
        ------
        LimitError
            If the task took longer or more than it may, or its process died.
        Exception
            Whatever the function raises.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop) if seconds is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            _send(process.stdin, (function, args, processor_seconds, memory))
            good, value = _receive(process.stdout)
        except (EOFError, BrokenPipeError, ConnectionError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)  # its pipes are closed before it is gone, and only then is it known how it died
            self.stop()
            if late.is_set():
                raise LimitError(f"time limit: not done after {seconds:g} s") from None
            raise LimitError(_death(process.returncode, processor_seconds)) from None
        except BaseException:  # an interrupt too
            self.stop()  # interrupted in the middle of an answer: the rest of it is of no use
            raise
        finally:
            if timer is not None:
                timer.cancel()
                timer.join()
        if good:
            return value  # type: ignore[no-any-return]
        if isinstance(value, MemoryError):
            limit = f"more than {memory / MIB:g} MiB are needed" if memory else "the machine has no more"
            raise LimitError(f"memory limit: {limit}") from None
        raise value

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    def close(self) -> None:
        """End the process and start no other: for another thread than the one that calls."""
        self._closed = True
        self.stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise LimitError("stopped before it was begun")
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if self._process is None:
            command = [sys.executable, "-c", _SERVE, *(str(Path(entry).absolute()) for entry in sys.path)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                _receive(self._process.stdout)
            except EOFError:
                process = self._process
                self.stop()
                raise LimitError(f"the worker process does not start ({_death(process.returncode, None)})") from None
        return self._process

    def __del__(self) -> None:
        self.stop()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not sent yet has nowhere to go
                pipe.close()


def _death(code: int, processor_seconds: float | None) -> str:
    if code == -getattr(signal, "SIGXCPU", 0) and processor_seconds is not None:
        return f"time limit: not done after {processor_seconds:g} s of processor time"
    name = next((s.name for s in signal.Signals if s == -code), f"exit code {code}")
    more = ", out of memory perhaps" if code == -getattr(signal, "SIGKILL", 0) else ""
    return f"the worker process died ({name}{more})"


def _send(pipe: BinaryIO | Any, value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(8) + data)
    pipe.flush()


def _receive(pipe: BinaryIO | Any) -> Any:
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head)) if len(head) == 8 else b""
    if len(head) < 8 or len(data) < int.from_bytes(head):
        raise EOFError
    return pickle.loads(data)


# -- in the process --------------------------------------------------------------------------------------------------


def serve() -> None:
    """Do one task after another until the parent is gone."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # what libraries print must not get between the answers, and nothing asks the keyboard
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    printable_logs()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_leave_with_parent, args=(requests.fileno(),), daemon=True).start()
    _send(answers, None)
    while True:
        try:
            function, args, processor_seconds, memory = _receive(requests)
        except EOFError:
            return
        _limit(processor_seconds, memory)
        answer = _answer(function, args)
        _limit(None, None)
        _send(answers, answer)


def _answer(function: Callable[..., object], args: tuple[object, ...]) -> tuple[bool, object]:
    """(True, the result) or (False, the exception), certain to be picklable."""
    try:
        answer = (True, function(*args))
        pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        return answer
    except MemoryError:
        return False, MemoryError()
    except Exception as error:  # whatever the function raised is the caller's, in the other process
        error.__traceback__ = None
        try:
            pickle.loads(pickle.dumps(error, pickle.HIGHEST_PROTOCOL))
        except Exception:  # pickling runs the exception's own code, which may raise anything
            return False, RuntimeError(f"{type(error).__name__}: {error}")
        return False, error


def _limit(processor_seconds: float | None, memory: int | None) -> None:
    try:
        import resource
    except ImportError:  # no POSIX: the parent's clock is all there is
        return
    used = time.process_time()
    for kind, value in (
        (resource.RLIMIT_CPU, None if processor_seconds is None else math.ceil(used + processor_seconds)),
        (resource.RLIMIT_AS, None if memory is None else _address_space() + memory),
    ):
        hard = resource.getrlimit(kind)[1]
        soft = hard if value is None else value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (soft, hard))


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 256 * MIB


def _leave_with_parent(requests: int) -> None:
    import select

    if hasattr(select, "poll"):
        ended = select.poll()
        ended.register(requests, 0)  # hang-up is always told
        ended.poll()
        os._exit(1)
