"""Analysis: what a score says about itself. Voices and lines, roles, phrases, keys, chords, motifs, intensity.

Everything works on the note array (ticks, sounding pitch) with numpy alone; the methods are told in each module.
"""

from rescore_music.analysis.melody import Segment, main_melody, melody_notes
from rescore_music.analysis.motifs import discover_motifs
from rescore_music.analysis.overview import analyze
from rescore_music.analysis.voices import separate_voices

__all__ = ["Segment", "analyze", "discover_motifs", "main_melody", "melody_notes", "separate_voices"]
