"""What can go wrong, as values a musician can act on.

Every error of this package derives from `RescoreError`. Its message is one line: which file, where in it, what is
wrong and what to do. The command prints that line and exits with code 2. It never holds what a terminal would obey.
"""

from __future__ import annotations

from pathlib import Path

LONGEST = 900  # characters of a message; a file may hold words of any length, and messages quote them


def printable(text: str) -> str:
    r"""Text that a terminal shows and does not obey: what is not printable becomes its escape; line breaks stay.

    Names in files and of files may hold escape sequences (which move the cursor, retitle the window, hide lines),
    direction overrides and halves of characters that no terminal can encode.

    Examples
    --------
    >>> print(printable("Flöte \x1b[2J"))
    Flöte \x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def printable_logs() -> None:
    """Let logs that no handler of the caller's takes reach stderr as `printable` text."""
    import logging

    class Printable(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Printable())


class RescoreError(Exception):
    """The base of all errors of this package.

    Parameters
    ----------
    what : str
        What is wrong, in a musician's words.
    file : path or None
        The file it was found in.
    where : str
        The place inside the file: a track and tick, a bar and part, a line and column, a template's key.
    cure : str
        What the user can do about it.
    """

    def __init__(self, what: str, *, file: str | Path | None = None, where: str = "", cure: str = "") -> None:
        self.what, self.file, self.where, self.cure = what, None if file is None else str(file), where, cure
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole error on one line, cut in its middle where it is too long to read."""
        head = ": ".join(text for text in (self.file or "", self.where, self.what) if text)
        line = f"{head} ({self.cure})" if self.cure else head
        line = printable(" ".join(line.split()))
        return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[5 - LONGEST // 2 :]}"

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only fields are lost by Exception's own pickling, and batch workers send errors across processes
        return (_rebuild, (type(self), self.what, self.file, self.where, self.cure))


def _rebuild(kind: type[RescoreError], what: str, file: str | None, where: str, cure: str) -> RescoreError:
    return kind(what, file=file, where=where, cure=cure)


class ReadError(RescoreError):
    """A file cannot be read as music, spotting notes or sound."""


class WriteError(RescoreError):
    """A result cannot be written."""


class ScoreError(RescoreError):
    """A score's columns contradict each other."""


class TemplateError(RescoreError):
    """A template is unknown or says something it may not."""


class TimecodeError(RescoreError):
    """A timecode or frame rate does not exist."""


class SyncError(RescoreError):
    """The hits cannot be met."""


class RenderError(RescoreError):
    """The sound cannot be made."""


class LimitError(RescoreError):
    """A task took more time or memory than it may, or its process died."""


class MissingExtra(RescoreError):
    """An optional package that this step needs is not installed."""
