"""The `rescore-music` command: a thin skin. Arguments in, one call of the library, print.

Results go to stdout, progress and logs to stderr. Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 part of a
batch failed. Every import of the library is inside the command that needs it, so `--help` is quick; argparse, because
it starts in a third of the time of the click family.
"""

from __future__ import annotations

import sys

from rescore_music.cli.arguments import parser
from rescore_music.cli.printing import say

__all__ = ["main", "parser"]


def main(argv: list[str] | None = None) -> None:
    """Run the command; a `RescoreError` becomes one line and exit code 2."""
    args = parser().parse_args(argv)
    from rescore_music.errors import RescoreError, printable_logs

    printable_logs()
    try:
        code = args.run(args)
    except RescoreError as error:
        say(f"error: {error.message}", file=sys.stderr)
        code = 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except KeyboardInterrupt:
        say("stopped", file=sys.stderr)
        code = 130
    raise SystemExit(code)
