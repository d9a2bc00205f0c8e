"""Hostile files found by what they reach: atheris keeps each file that runs a new line of a reader, and mutates it on.

    pip install atheris                                            # not among the packages this project asks for
    python benchmarks/fuzz_coverage.py --seconds 600 --kind .mid

Without atheris it says so and is done: benchmarks/fuzz.py needs nothing, and finds its files by knowing the formats.
The readers of MIDI and MusicXML are instrumented, as are templates; the whole files of fuzz_mutations.py are where it
starts. A file that raises anything but a `RescoreError`, or takes over 10 s, ends the run and is kept in out/fuzz.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

KEPT = Path("out/fuzz")


def reader(kind: str, folder: Path) -> Callable[[bytes], object]:
    """What reads files of a kind from bytes; imported inside, so that atheris can instrument it."""
    if kind == ".mid":
        from rescore_music.io.midi.read import read_midi

        return lambda data: read_midi(data, salvage=True)
    if kind == ".musicxml":
        from rescore_music.io.musicxml.read import read_musicxml

        return read_musicxml
    from rescore_music.template import load_template

    numbers = iter(range(10**9))

    def load(data: bytes) -> object:
        path = folder / f"{next(numbers)}.yaml"  # a new name each time: template files are remembered
        path.write_bytes(data)
        try:
            return load_template(path)
        finally:
            path.unlink()

    return load


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=120, help="for each kind (default %(default)s)")
    options.add_argument("--kind", choices=[".mid", ".musicxml", ".yaml"], help="one kind only")
    args = options.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: no search guided by coverage (pip install atheris)")
        return 0
    if args.kind is None:  # libFuzzer ends its process: one for each kind
        import subprocess

        command = [sys.executable, __file__, "--seconds", str(args.seconds), "--kind"]
        return max(subprocess.call([*command, kind]) for kind in (".mid", ".musicxml", ".yaml"))
    return search(args.kind, args.seconds)


def search(kind: str, seconds: int) -> int:
    """One kind of file, until the time is over or a file fails."""
    import atheris

    from rescore_music.errors import RescoreError

    with tempfile.TemporaryDirectory(prefix="rescore-fuzz-") as at:
        folder = Path(at)
        with atheris.instrument_imports(include=["rescore_music"]):
            read = reader(kind, folder)
            (folder / "corpus").mkdir()
            from fuzz_mutations import seeds

        for name, content in seeds(kind, None):
            (folder / "corpus" / name).write_bytes(content)

        def one(data: bytes) -> None:
            try:
                read(data)
            except RescoreError as error:
                if not str(error).isprintable():
                    raise AssertionError(f"an error that a terminal obeys: {error}") from error

        KEPT.mkdir(parents=True, exist_ok=True)
        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=65536"]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={KEPT}/", str(folder / "corpus")], one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
