"""Playability: named rules that tell where a part cannot be played, or only with grief.

Every rule is one that good human parts break rarely (benchmarks/bench_playability.py counts it); its docstring names
where it comes from. Conventions: a violation is (rule, part, tick, what); seconds come from the score's tempo map.
"""

from rescore_music.playability.player import Violation
from rescore_music.playability.rules import RULES, violations

__all__ = ["RULES", "Violation", "violations"]
