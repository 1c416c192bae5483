"""Runs by seed: what every kind of them counts and reports, and the choice of seeds."""

import os
import time
from collections import Counter

from .merged_model import MergedModel
from .model import Model
from .scenario import Scenario


class Run:
    """One seed played by one write algorithm. A kind of run says how it is played and what must hold; `figures` are summed over runs."""

    test = None   # the file that plays a seed alone

    def __init__(self, world, seed, algorithm):
        self.world, self.seed, self.algorithm = world, seed, algorithm
        world.begin()
        world.algorithm(algorithm)
        self.scenario = Scenario(world, seed)
        self.chance = self.scenario.chance
        self.model = (MergedModel if algorithm == "merged" else Model)(algorithm, drops_superseded=True)
        self.first = world.last_id()
        self.figures = Counter(runs=1)

    def play(self):
        raise NotImplementedError

    def expect(self, what, lines):
        """Fails when there are lines, with all that it takes to see it again."""
        if lines:
            print(self.model.text(self.world.states(self.first)))
        assert not lines, "\n".join([f"seed {self.seed}, {self.algorithm}: {what}; alone: "
                                     f"SEEDS={self.seed} .run/python/bin/pytest Tests/EndToEnd/{self.test} -k {self.algorithm}", *lines])


def chosen_seeds(first, count):
    """SEEDS from the environment, or `count` (or RUNS) of them from `first` on."""
    if os.environ.get("SEEDS"):
        return [int(seed) for seed in os.environ["SEEDS"].split(",")]
    return range(first, first + int(os.environ.get("RUNS") or count))


def play_seeds(kind, world, seeds, algorithm):
    """Plays all seeds and returns their figures; the first that fails ends it."""
    began = time.monotonic()
    figures = Counter()
    for seed in seeds:
        run = kind(world, seed, algorithm)
        run.play()
        figures.update(run.figures)
    return f"{algorithm}, seeds {seeds[0]} to {seeds[-1]}: {told(figures)}; {time.monotonic() - began:.0f} s"


def told(figures):
    """Figures as text, in the order in which they came; those of one group, such as "fault: html", together."""
    plain = [f"{name} {count}" for name, count in figures.items() if ": " not in name]
    groups = {}
    for name, count in sorted(figures.items(), key=lambda item: -item[1]):
        if ": " in name:
            groups.setdefault(name.split(": ")[0], []).append(f"{name.split(': ')[1]} {count}")
    return ", ".join(plain) + "".join(f"\n    {group}: {', '.join(some)}" for group, some in groups.items())
