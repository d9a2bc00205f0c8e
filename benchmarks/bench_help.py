"""CPU time of `rescore-music --help` against `python -c pass`: median of child processes' user + system time."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys


def cpu_seconds(command: list[str], runs: int = 21) -> float:
    """Median CPU seconds of a command over `runs` child processes, after one warm-up."""
    seconds = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds[1:])


def main() -> None:
    """Print the table."""
    bare = cpu_seconds([sys.executable, "-c", "pass"])
    shown = cpu_seconds([sys.executable, "-m", "rescore_music.cli", "--help"])
    print("| command | CPU ms | ratio |\n| --- | --- | --- |")
    print(f"| python -c pass | {1e3 * bare:.1f} | 1.0 |")
    print(f"| rescore-music --help | {1e3 * shown:.1f} | {shown / bare:.1f} |")


if __name__ == "__main__":
    main()
