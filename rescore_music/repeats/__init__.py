"""Repeats played out: repeat bars, endings, da capo and dal segno, as a performer reads them.

Conventions: ticks; a score is cut into *segments* at its bar lines and wherever a repeat sign stands inside a bar. The
marks of kind "barline" and "jump" (elements.Mark) say what is repeated; "D.C.", "D.S.", "Fine" and "To Coda" act at the
end of the bar they stand in (at their own tick where that is a bar line), "segno" and "coda" at its beginning.

What players take for granted, and what is done here:

- A repeat end without a beginning goes back to the last one's end, or to the beginning.
- Endings are taken by their numbers ("1, 2"); the last pass leaves by the last ending.
- Repeats may be nested; inner ones are played again in each pass of the outer.
- After a jump, repeats that were played before are not taken again and the last ending is.
- D.C. and D.S. end at Fine where there is one; they go to the coda where they say so, or where there is no Fine.
- Syllables of verse n are sung the n-th time; where there are no such, those of verse 1 are.

What makes no sense (a jump to a sign that is not there, an ending that never begins) is told in the import log and
played straight.

References
----------
Gould, Behind Bars (2011), "Repeats"; MusicXML 4.0, `repeat`, `ending`, `sound`.
"""

from rescore_music.repeats.joined import unfold
from rescore_music.repeats.order import playing_order

__all__ = ["playing_order", "unfold"]
