"""The schedule of a run: how far it has come, and what learning rate and motion range that means."""
import math
import time

SAVE_EVERY = 120       # seconds between checkpoints
WARM_UP = 0.03         # share of the schedule in which the learning rate grows
SHORT_WARM_UP = 0.005  # the same for trained weights: only the optimiser has to find its scale


def learning_rate(progress, peak, warm_up=WARM_UP):
    """One cycle: linear warm-up over a share `warm_up` of the schedule, then a cosine down to 1 % of the peak."""
    if progress < warm_up:
        return peak * (0.1 + 0.9 * progress / warm_up)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, (progress - warm_up) / (1 - warm_up)))))


def motion_range(progress):
    """Share of the full motion: it grows from a quarter to all of it over the first 40 % of the schedule."""
    return min(1.0, 0.25 + 0.75 * progress / 0.4)


class Every:
    """Says once after every `seconds` that it is time."""

    def __init__(self, seconds):
        self.seconds = self.next = seconds

    def due(self, elapsed):
        if elapsed < self.next:
            return False
        self.next = elapsed + self.seconds
        return True


class Schedule:
    """The clock of one leg. `counters` holds the run's steps and seconds, in all and since the schedule started; step() adds to them.
    All processes go by the clock of process 0, so that they use the same learning rate and end together."""

    def __init__(self, args, counters, group):
        self.args, self.counters, self.group = args, counters, group
        self.clock = time.process_time if args.cpu_time else time.time
        self.start, self.before = self.clock(), dict(counters)
        self.steps, self.elapsed = 0, 0.0  # of this leg; elapsed in seconds
        self.budget, self.budget_steps = args.budget, args.budget_steps  # minutes and steps of the whole schedule; None = not limited by it
        if self.budget is None and self.budget_steps is None:  # the schedule ends with this leg
            self.budget = None if args.minutes is None else counters["schedule"] / 60 + args.minutes
            self.budget_steps = None if args.steps is None else counters["schedule_step"] + args.steps

    def step(self):
        """Count one step."""
        c = self.counters
        self.elapsed = self.group.first(self.clock() - self.start)
        c["seconds"], c["schedule"] = self.before["seconds"] + self.elapsed, self.before["schedule"] + self.elapsed
        self.steps, c["step"], c["schedule_step"] = self.steps + 1, c["step"] + 1, c["schedule_step"] + 1

    @property
    def progress(self):
        """Share of the schedule that is done, 0 to 1; where it has a budget of minutes and one of steps, the larger share."""
        minutes = self.counters["schedule"] / 60 / self.budget if self.budget else 0
        steps = self.counters["schedule_step"] / self.budget_steps if self.budget_steps else 0
        return min(1.0, max(minutes, steps))

    def rate(self):
        return learning_rate(self.progress, self.args.rate, SHORT_WARM_UP if self.counters["full_motion"] else WARM_UP)

    def motion(self):
        """Share of the full motion; all of it in a run that has already learned to match."""
        return 1.0 if self.counters["full_motion"] else motion_range(self.progress)

    def ends(self):
        """Whether this leg's minutes or steps are over, or the schedule is complete."""
        steps, minutes = self.args.steps, self.args.minutes
        return self.progress >= 1 or steps is not None and self.steps >= steps or minutes is not None and self.elapsed >= 60 * minutes
