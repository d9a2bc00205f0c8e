"""The straight line: one cue in; candidates, the best of them, its sound and its quality out.

Reading this module is reading the product. Every step is a pure function from frozen values to a frozen value; only
`delivery` writes files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rescore_music import __version__
from rescore_music.candidate import Candidate
from rescore_music.errors import ScoreError, SyncError
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.template import Template, load_template

if TYPE_CHECKING:
    from rescore_music.audio import Rendering
    from rescore_music.cues import Cues
    from rescore_music.orchestration import Decision
    from rescore_music.quality import Quality
    from rescore_music.rescoring import SecondPass
    from rescore_music.syncing import Synced

Progress = Callable[[str, float], None]

UNDER_DIALOGUE = 6.0  # dB by which the accompaniment is lowered where the picture's spans say that someone speaks

# share of the whole work done when each stage begins, measured on the shipped chase
STAGES = {
    "read": 0.0,
    "sync": 0.02,
    "analyse": 0.04,
    "orchestrate": 0.1,
    "rescore": 0.15,
    "render": 0.5,
    "measure": 0.8,
}


@dataclass(frozen=True)
class Settings:
    """What the user asks for besides the cue and the template.

    Attributes
    ----------
    n : int
        Candidates of the first pass.
    top : int
        How many of them the second pass hears; fewer than two leaves the first pass's order.
    seed : int
        Decides between equals.
    audio : bool
        Whether to render; without sound there is no second pass.
    sample_rate : int
        Hz.
    profile : str
        Loudness profile of the master.
    sounds : str or None
        A SoundFont's path; None for the embedded sounds.
    salvage : bool
        Take what is whole of a cut-off MIDI file.
    sound_map : str or None
        How score.mid tells a sound library of articulations: a shipped map's name, or a path to YAML.
    on_time : bool
        Whether slow attacks at hits begin early, so that they are heard on the frame; the rendering's notices tell.
    edits : str
        Bar edits that may meet the hits, at phrase seams: "none", "meters" or "bars", as in `sync`.
    runner_up : int
        Which of `sync`'s alternatives is taken; 0 for the best.
    """

    n: int = 16
    top: int = 4
    seed: int = 0
    audio: bool = True
    sample_rate: int = 48000
    profile: str = "film"
    sounds: str | None = None
    salvage: bool = False
    sound_map: str | None = None
    on_time: bool = True
    edits: str = "none"
    runner_up: int = 0


@dataclass(frozen=True, eq=False)
class Result:
    """One cue re-scored.

    Attributes
    ----------
    source : Score
        The cue as read.
    analysis : Analysis
        Of `music`.
    template : Template
    candidates : tuple of Candidate
        Best first, after the second pass.
    first_order : tuple of int
        Ranks of the first pass, in the order of `candidates`.
    chosen : Candidate
    score : Score
        The result, with provenance in its metadata.
    second_pass : SecondPass or None
    synced : Synced or None
    cues : Cues or None
        What was synced to.
    rendering : Rendering or None
        Mastered.
    quality : Quality
    decisions : tuple of Decision
        Who got which line, why, and who would have been next.
    settings : Settings
    provenance : mapping of str to str
    seconds : mapping of stage to seconds
    path : str
        Where the cue was read from; "" for a Score.
    """

    source: Score
    analysis: Analysis
    template: Template
    candidates: tuple[Candidate, ...]
    first_order: tuple[int, ...]
    chosen: Candidate
    score: Score
    quality: Quality
    second_pass: SecondPass | None = None
    synced: Synced | None = None
    cues: Cues | None = None
    rendering: Rendering | None = None
    decisions: tuple[Decision, ...] = ()
    settings: Settings = field(default_factory=Settings)
    provenance: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    path: str = ""

    @property
    def music(self) -> Score:
        """What was orchestrated: the cue without cue notes, with the tempo and the bars that meet its hits."""
        return self.source.played if self.synced is None else self.synced.score


class _Clock:
    """Tells progress and keeps the seconds of each stage."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.seconds = progress, dict[str, float]()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress:
            self.progress(name, STAGES[name])
        begin = perf_counter()
        yield
        self.seconds[name] = perf_counter() - begin


def orchestrate(
    score: Score, template: str | Template, n: int = 16, seed: int = 0, *, analysis: Analysis | None = None
) -> tuple[Candidate, ...]:
    """Propose the N best orchestrations of a score.

    Parameters
    ----------
    score : Score
    template : str or Template
        "forces/style", a preset's name or a path.
    n : int
        How many candidates.
    seed : int
        Decides between equals.
    analysis : Analysis, optional
        Of the score; found if not given.

    Returns
    -------
    tuple of Candidate, best first, each with its cost terms

    Raises
    ------
    TemplateError
        If the template is unknown or says something it may not.
    """
    from rescore_music.analysis import analyze
    from rescore_music.orchestration import orchestrate as first_pass
    from rescore_music.orchestration import with_seams

    score = score if analysis else score.played
    asked = load_template(template)
    known = with_seams(analysis or analyze(score), score, asked.sections)
    return first_pass(score, asked, analysis=known, n=n, seed=seed)


def rescore_candidates(
    candidates: Sequence[Candidate],
    source: Score,
    *,
    template: str | Template | None = None,
    analysis: Analysis | None = None,
    **options: Any,
) -> tuple[Candidate, ...]:
    """Re-rank candidates by what can only be heard.

    Parameters
    ----------
    candidates : sequence of Candidate
        Best first, as `orchestrate` gives them.
    source : Score
        What they were made from.
    template : str or Template, optional
        Whose style's targets count; the candidates' own unless given (needed for a template with overrides).
    analysis : Analysis, optional
        Of the source; found if not given.
    **options
        See `rescore_music.rescoring.second_pass`.

    Returns
    -------
    tuple of Candidate, best first, those heard with their `features`
    """
    from rescore_music.analysis import analyze
    from rescore_music.rescoring import rescore_candidates as second_pass

    if not candidates:
        return ()
    source = source if analysis else source.played
    style = load_template(template or candidates[0].template)
    return second_pass(candidates, source, analysis=analysis or analyze(source), template=style, **options)


def rescore(
    source: str | Path | Score,
    *,
    template: str | Template,
    cues: str | Path | Cues | None = None,
    rate: str | None = None,
    start: str = "00:00:00:00",
    out: str | Path | None = None,
    n: int = 16,
    seed: int = 0,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Result:
    """Re-score one cue: read, sync, analyse, orchestrate, rescore, render, measure.

    Parameters
    ----------
    source : path or Score
    template : str or Template
        "forces/style", a preset's name or a path to YAML.
    cues : path or Cues, optional
        Spotting CSV; its hits are synced to picture.
    rate, start : str
        Frame rate (what the list tells, or 24, unless given) and timecode of the cue's first sample, for `cues`
        given as a path.
    out : path, optional
        A folder to write everything into.
    n, seed : int
        Number of first-pass candidates, and the seed.
    settings : Settings, optional
        Everything else; `n` and `seed` above are ignored when it is given.
    progress : callable (stage, fraction), optional

    Returns
    -------
    Result

    Raises
    ------
    RescoreError
        One line: which file, where, what is wrong, what to do.
    """
    from rescore_music.delivery import delivering

    settings = settings or Settings(n=n, seed=seed)
    if settings.sound_map is not None:
        from rescore_music.io.midi.sound_map import load_sound_map

        load_sound_map(settings.sound_map)  # a wrong one is refused before the work, not after it
    with delivering(out) as deliver:
        result = _line(source, load_template(template), cues, rate, start, settings, _Clock(progress))
        deliver(result)
    if progress:
        progress("done", 1.0)
    return result


def _line(
    source: str | Path | Score,
    template: Template,
    cues: str | Path | Cues | None,
    rate: str | None,
    start: str,
    settings: Settings,
    clock: _Clock,
) -> Result:
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score
    from rescore_music.io.spotting import read_cues
    from rescore_music.orchestration import explain, with_seams
    from rescore_music.quality import measure

    with clock.stage("read"):
        read = source if isinstance(source, Score) else read_score(source, salvage=settings.salvage)
        if not len(read.notes):
            file = None if isinstance(source, Score) else source
            raise ScoreError("no notes to orchestrate", file=file, cure="give it a score with music in it")
        spotted = read_cues(cues, rate, start) if isinstance(cues, str | Path) else cues
    synced, score = None, read.played
    if spotted is None and (settings.edits != "none" or settings.runner_up):
        raise SyncError("bars are edited, and runners-up taken, for hits on picture alone", cure="give it the cues")
    if spotted is not None:
        from rescore_music.syncing import needs_analysis, sync

        with clock.stage("sync"):
            known = analyze(score) if needs_analysis(spotted, settings.edits) else None
            synced = sync(
                score,
                spotted,
                analysis=known,
                edits=settings.edits,
                lower=UNDER_DIALOGUE,
                compare=True,
                runner_up=settings.runner_up,
            )
            score = synced.score
    with clock.stage("analyse"):
        analysis = with_seams(analyze(score), score, template.sections)
    with clock.stage("orchestrate"):
        candidates = orchestrate(score, template, settings.n, settings.seed, analysis=analysis)
    second = None
    if settings.audio and settings.top > 1 and len(candidates) > 1:
        from rescore_music.rescoring import second_pass

        with clock.stage("rescore"):
            second = second_pass(
                candidates, score, analysis=analysis, template=template, top=settings.top, sounds=settings.sounds
            )
            candidates = second.candidates
    chosen = candidates[0]
    provenance = provenance_of(read, template, spotted, settings)
    final = _signed(chosen.score, read, provenance)
    rendering = None
    if settings.audio:
        from rescore_music.rendering import master, render

        with clock.stage("render"):
            hits = [h.tick for h in synced.hits] if synced is not None and settings.on_time else []
            dry = render(final, sample_rate=settings.sample_rate, sounds=settings.sounds, on_time=hits)
            rendering = master(dry, settings.profile)
    with clock.stage("measure"):
        quality = measure(final, source=score, cues=synced, audio=rendering, analysis=analysis, origin=chosen.origin)
    return Result(
        source=read,
        analysis=analysis,
        template=template,
        candidates=candidates,
        first_order=tuple(c.rank for c in candidates),
        chosen=chosen,
        score=final,
        quality=quality,
        second_pass=second,
        synced=synced,
        cues=spotted,
        rendering=rendering,
        settings=settings,
        decisions=explain(chosen, score, template, analysis, settings.seed),
        provenance=provenance,
        seconds=clock.seconds,
        path="" if isinstance(source, Score) else str(Path(source).resolve()),
    )


def provenance_of(read: Score, template: Template, cues: Cues | None, settings: Settings) -> dict[str, str]:
    """Everything that decides the bytes of a result: what a second run must share to give the same."""
    return {
        "rescore-music": __version__,
        "source": read.metadata.source,
        "source_digest": read.metadata.source_digest or read.digest(),
        "template": template.name,
        "template_digest": _digest([repr(template)]),
        "cues_digest": "" if cues is None else _digest([repr(cues)]),
        "settings": repr(settings),
    }


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _signed(score: Score, read: Score, provenance: Mapping[str, str]) -> Score:
    """The score with its title kept and its provenance told."""
    from dataclasses import replace

    metadata = replace(read.metadata, extra=tuple(sorted(provenance.items())))
    return score.replace(metadata=metadata)
