"""The second pass: candidates rendered where they differ, listened to, and ranked again."""

from rescore_music.rescoring.second_pass import SecondPass, rescore_candidates, second_pass
from rescore_music.rescoring.weighing import Weights, read_weights

__all__ = ["SecondPass", "Weights", "read_weights", "rescore_candidates", "second_pass"]
