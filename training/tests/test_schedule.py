from types import SimpleNamespace

import pytest

from training import schedule


class Alone:
    def first(self, number):
        return number


def make(counters=(), **options):
    args = SimpleNamespace(**{**dict(budget=None, budget_steps=None, minutes=None, steps=None, cpu_time=False, rate=1.0), **options})
    clock = schedule.Schedule(args, {**dict(step=0, schedule_step=0, samples=0, seconds=0.0, schedule=0.0, full_motion=False), **dict(counters)}, Alone())
    clock.clock = lambda: clock.start + 30 * (clock.steps + 1)  # a step takes 30 s
    return clock


def steps(clock):
    while not clock.ends():
        clock.step()
    return clock.steps


def test_a_leg_ends_by_steps_or_minutes_and_at_the_latest_with_the_schedule():
    assert steps(make(budget_steps=100, steps=7)) == 7
    assert steps(make(budget=60, minutes=2)) == 4
    assert steps(make(budget=60, minutes=2, steps=3)) == 3
    assert steps(make(budget=60, minutes=2, steps=9)) == 4
    assert steps(make(budget=3)) == 6
    assert steps(make(budget=3, budget_steps=5)) == 5
    assert steps(make(dict(schedule=120.0), budget=3)) == 2
    assert steps(make(dict(schedule_step=100), budget_steps=100)) == 0


def test_a_schedule_without_a_budget_ends_with_the_leg():
    assert steps(make(minutes=2)) == 4 and steps(make(steps=7)) == 7 and steps(make(steps=7, minutes=2)) == 4
    second = make(dict(schedule=60.0, schedule_step=2), minutes=2)
    assert second.progress == pytest.approx(1 / 3) and steps(second) == 4 and second.progress == 1
    second = make(dict(schedule=60.0, schedule_step=2), steps=6)
    assert second.progress == 0.25 and steps(second) == 6


def test_counters_go_on_from_the_leg_before():
    clock = make(dict(step=10, seconds=100.0, schedule_step=4, schedule=50.0), budget_steps=100, steps=2)
    steps(clock)
    assert clock.counters["step"] == 12 and clock.counters["seconds"] == 160 and clock.counters["schedule_step"] == 6 and clock.counters["schedule"] == 110
    assert clock.progress == 0.06


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth():
    rates = [schedule.learning_rate(i / 1000, 2.0) for i in range(1001)]
    assert rates[0] == pytest.approx(0.2) and max(rates) == pytest.approx(2.0) and rates.index(max(rates)) == 30 and rates[-1] == pytest.approx(0.02)
    assert rates[:31] == sorted(rates[:31]) and rates[30:] == sorted(rates[30:], reverse=True)


def test_motion_grows_except_in_a_run_that_can_match_already():
    assert make(budget_steps=10).motion() == 0.25 and make(dict(schedule_step=4), budget_steps=10).motion() == 1.0
    assert make(dict(full_motion=True), budget_steps=10).motion() == 1.0
