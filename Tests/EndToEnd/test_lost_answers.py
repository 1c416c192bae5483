"""Answers lost at every point of every operation: nothing twice, and nothing lost without a word.

Five in a hundred calls of the relay meet a fault: cut before or after the commit, an error or a page of HTML instead of the answer, a body
that ends too early, a call that outlasts its client, and another user who makes an equal record. `SEEDS=7,12 pytest
Tests/EndToEnd/test_lost_answers.py` runs those alone, `RUNS=500` so many; `make faults` runs 2,000 and records them.
"""

import pytest

from harness.lost_run import LostRun
from harness.run import chosen_seeds, play_seeds
from harness.world import ALGORITHMS


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "merged"])
def test_nothing_is_written_twice(world, algorithm):
    print(play_seeds(LostRun, world, chosen_seeds(5000, 12), algorithm))
