from __future__ import annotations

import pytest

from gateway.doors.crowd import Crowd


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Visitor:
    """A guest that remembers whether it was asked to give way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_given_way = False
        self.is_lingering = False

    def give_way(self) -> None:
        self.has_given_way = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def crowd_of(clock: Clock, *names: str, most: int = 0, **more: int) -> tuple[Crowd[Visitor], list[Visitor]]:
    crowd: Crowd[Visitor] = Crowd(most or len(names), now=clock, **more)
    visitors = [Visitor(name) for name in names]
    for visitor in visitors:
        assert crowd.enter(visitor)
        clock.seconds += 0.1
    return crowd, visitors


def test_while_there_is_room_nobody_gives_way(clock: Clock) -> None:
    crowd, visitors = crowd_of(clock, "a", "b", most=3)
    clock.seconds += 100
    assert crowd.enter(Visitor("c"))
    assert not any(visitor.has_given_way for visitor in visitors)
    assert len(crowd) == 3


def test_the_one_who_has_waited_longest_gives_way(clock: Clock) -> None:
    crowd, (first, second, third) = crowd_of(clock, "a", "b", "c")
    clock.seconds += 2
    crowd.work(first)
    crowd.wait(first)
    assert crowd.enter(Visitor("d"))
    assert second.has_given_way
    assert not first.has_given_way
    assert not third.has_given_way
    assert crowd.enter(Visitor("e"))
    assert third.has_given_way


def test_waiting_begins_once_however_often_it_is_said(clock: Clock) -> None:
    crowd, (dribbler, other) = crowd_of(clock, "a", "b")
    for _ in range(20):
        clock.seconds += 0.1
        crowd.wait(dribbler)
    crowd.work(other)
    assert crowd.enter(Visitor("c"))
    assert dribbler.has_given_way


def test_who_works_or_has_just_begun_to_wait_stays_and_the_newcomer_goes(clock: Clock) -> None:
    crowd, (busy, fresh) = crowd_of(clock, "a", "b")
    clock.seconds += 10
    crowd.work(busy)
    crowd.work(fresh)
    crowd.wait(fresh)
    clock.seconds += 0.9
    assert not crowd.enter(Visitor("c"))
    assert not busy.has_given_way
    assert not fresh.has_given_way
    clock.seconds += 0.2
    assert crowd.enter(Visitor("d"))
    assert fresh.has_given_way


def test_with_nobody_waiting_one_whose_message_dribbles_in_gives_way(clock: Clock) -> None:
    crowd, (brisk, slow) = crowd_of(clock, "a", "b")
    clock.seconds += 60
    crowd.work(brisk)
    crowd.work(slow)
    slow.is_lingering = True
    assert crowd.enter(Visitor("c"))
    assert slow.has_given_way
    assert not brisk.has_given_way


def test_who_gives_way_is_counted_until_it_has_left_and_never_more_than_twice_as_many_are_inside(clock: Clock) -> None:
    crowd, visitors = crowd_of(clock, "a", "b")
    clock.seconds += 5
    late = [Visitor("c"), Visitor("d")]
    assert all(crowd.enter(visitor) for visitor in late)
    assert all(visitor.has_given_way for visitor in visitors)
    assert len(crowd) == 4
    clock.seconds += 5
    assert not crowd.enter(Visitor("e"))
    for visitor in visitors:
        crowd.leave(visitor)
    assert len(crowd) == 2
    assert crowd.enter(Visitor("f"))
    assert late[0].has_given_way


def test_a_host_that_nobody_trusts_has_a_limit_of_its_own(clock: Clock) -> None:
    crowd, (one, two, three, other) = crowd_of(clock, "a", "b", "c", "d", most=10, most_of_a_host=2)
    assert not crowd.is_one_too_many_of(one, "192.0.2.1")
    assert not crowd.is_one_too_many_of(two, "192.0.2.1")
    assert not crowd.is_one_too_many_of(other, "192.0.2.2")
    assert crowd.is_one_too_many_of(three, "192.0.2.1")
    crowd.leave(three)
    crowd.leave(one)
    assert not crowd.is_one_too_many_of(Visitor("e"), "192.0.2.1")


def test_a_guest_that_has_left_is_forgotten(clock: Clock) -> None:
    crowd, (one,) = crowd_of(clock, "a", most=5, most_of_a_host=1)
    crowd.is_one_too_many_of(one, "192.0.2.1")
    crowd.leave(one)
    crowd.wait(one)
    crowd.work(one)
    crowd.leave(one)
    assert crowd.all() == ()
    assert not crowd._waiting
    assert not crowd._hosts
