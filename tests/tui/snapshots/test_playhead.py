"""The playhead: live, replay and scrubbing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from condense_tui.snapshots.playhead import SPEEDS, Playhead


def test_following_shows_the_newest_frame_as_frames_come() -> None:
    playhead = Playhead()
    assert [playhead.index(count) for count in (0, 1, 7)] == [0, 0, 6]


def test_stepping_back_stands_still_while_the_run_grows() -> None:
    playhead = Playhead().step(-1, 10)
    assert playhead.index(10) == 8
    assert playhead.index(50) == 8
    assert not playhead.following


def test_stepping_past_the_end_follows_again() -> None:
    assert Playhead().step(-1, 10).step(1, 10).index(10) == 9
    assert Playhead().step(-1, 10).step(10, 10).following


def test_space_on_a_followed_live_run_stands_still_there() -> None:
    paused = Playhead().toggle(10, active=True)
    assert not paused.following
    assert not paused.playing
    assert paused.index(99) == 9


def test_space_on_a_finished_run_plays_from_the_start() -> None:
    playing = Playhead().toggle(10, active=False)
    assert playing.playing
    assert playing.index(10) == 0


def test_playing_reaches_the_end_of_a_live_run_and_follows() -> None:
    playhead = Playhead().go(5).toggle(10, active=True)
    assert playhead.playing
    assert playhead.advance(100, 10, active=True).following


def test_playing_stops_at_the_end_of_a_finished_run() -> None:
    ended = Playhead().go(5).toggle(10, active=False).advance(100, 10, active=False)
    assert not ended.playing
    assert ended.index(10) == 9


def test_speed_is_kept_within_its_range() -> None:
    playhead = Playhead()
    for _ in range(20):
        playhead = playhead.faster(1)
    assert playhead.speed == SPEEDS[-1]
    for _ in range(20):
        playhead = playhead.faster(-1)
    assert playhead.speed == SPEEDS[0]


@given(st.lists(st.sampled_from(["back", "on", "start", "live", "toggle", "advance"]), max_size=30), st.integers(0, 40))
def test_shown_frame_always_exists(moves: list[str], count: int) -> None:
    playhead = Playhead()
    for move in moves:
        playhead = {
            "back": lambda head: head.step(-3, count),
            "on": lambda head: head.step(2, count),
            "start": lambda head: head.go(0),
            "live": lambda head: head.live(),
            "toggle": lambda head: head.toggle(count, True),
            "advance": lambda head: head.advance(0.35, count, True),
        }[move](playhead)
        assert 0 <= playhead.index(count) <= max(0, count - 1)
