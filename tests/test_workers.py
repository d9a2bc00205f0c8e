"""Worker processes: what a task does to its process harms neither the caller nor the next task."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rescore_music.errors import LimitError
from rescore_music.workers import MIB, Worker

LINUX = pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="POSIX limits and /proc")


@pytest.fixture
def worker() -> Iterator[Worker]:
    one = Worker()
    yield one
    one.close()


def test_a_task_is_done_elsewhere_and_the_process_is_kept(worker: Worker) -> None:
    first = worker.call(os.getpid)
    assert first not in (os.getpid(), None)
    assert worker.call(os.getpid) == first == worker.pid


def test_a_task_that_hangs_is_ended_in_time(worker: Worker) -> None:
    worker.call(os.getpid)
    start = time.monotonic()
    with pytest.raises(LimitError, match=r"time limit: not done after 0\.2 s"):
        worker.call(time.sleep, 600, seconds=0.2)
    assert time.monotonic() - start < 60
    assert worker.call(len, "abc") == 3, "the next task gets a new process"


@LINUX
def test_processor_time_is_limited(worker: Worker) -> None:
    with pytest.raises(LimitError, match="not done after 1 s of processor time"):
        worker.call(sum, range(10**12), processor_seconds=1)


@LINUX
def test_memory_is_limited_for_one_task_only(worker: Worker) -> None:
    process = worker.call(os.getpid)
    with pytest.raises(LimitError, match="memory limit: more than 64 MiB are needed"):
        worker.call(bytearray, 256 * MIB, memory=64 * MIB)
    assert len(worker.call(bytearray, 100 * MIB)) == 100 * MIB
    assert worker.pid == process, "what is too large for it does not end it"


def test_a_process_that_dies_is_told_by_how_it_died(worker: Worker) -> None:
    with pytest.raises(LimitError, match=r"the worker process died \(exit code 3\)"):
        worker.call(os._exit, 3)
    with pytest.raises(LimitError, match=r"died \(SIGKILL, out of memory perhaps\)"):
        worker.call(signal.raise_signal, signal.SIGKILL)
    assert worker.call(len, "abc") == 3


def test_what_a_task_raises_is_raised_here(worker: Worker) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        worker.call(int, "x")
    with pytest.raises(TypeError, match="pickle"):
        worker.call(open, os.devnull)  # a result that cannot be sent


def test_what_a_task_prints_does_not_reach_the_answers(worker: Worker) -> None:
    assert worker.call(os.write, 1, b"") == 0
    assert worker.call(print, "a" * 9) is None
    assert worker.call(len, "abc") == 3


def test_a_closed_worker_starts_nothing(worker: Worker) -> None:
    worker.call(os.getpid)
    worker.close()
    assert worker.pid is None
    with pytest.raises(LimitError, match="stopped"):
        worker.call(os.getpid)


def test_limit_errors_travel() -> None:
    error = pickle.loads(pickle.dumps(LimitError("time limit", file="a.mid", cure="wait")))
    assert str(error) == "a.mid: time limit (wait)"


@LINUX
def test_the_process_ends_with_its_parent_in_the_middle_of_a_task() -> None:
    # a script without the guard that multiprocessing needs; it is killed, so nothing of its own can tidy up
    code = (
        "import os, threading, time\nfrom rescore_music.workers import Worker\nworker = Worker()\n"
        "print(worker.call(os.getpid), flush=True)\nworker.call(time.sleep, 600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    ended = time.monotonic() + 30
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < ended:
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}").exists()
