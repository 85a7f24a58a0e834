"""A short form of each campaign, and that what they find is counted, kept and can be repeated."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from campaigns.catalogue import CAMPAIGNS
from campaigns.framework import Attempt, Campaign, Outcome, Scene, SkippedError, run

# The others start a process that imports PyTorch, ssh, or whole programs in terminals.
QUICK = ("run-files", "bytes", "wire", "scenarios", "hosts", "checkpoints")
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.thorough) for name in CAMPAIGNS]


@pytest.mark.parametrize("name", NAMES)
def test_a_short_campaign_finds_nothing(name: str, tmp_path: Path, random_source: Random) -> None:
    campaign = CAMPAIGNS[name]
    outcome = run(campaign, seed=random_source.randrange(2**31), tried=campaign.short, minutes=5, keep=tmp_path)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    kept = sorted(tmp_path.rglob("failure.txt"))
    assert outcome.failed == 0, f"{outcome}\n{kept[0].read_text() if kept else ''}"
    assert outcome.tried >= campaign.short


def toy(fails_on: range, *, at_end: bool = False) -> Campaign:
    @contextlib.contextmanager
    def opened(scene: Scene) -> Iterator[Attempt]:
        def attempt(draw: Random, folder: Path) -> int:
            (folder / "drawn").write_text(str(draw.random()))
            number = int(folder.name)
            assert number not in fails_on, f"number {number}"
            return 2

        yield attempt
        (scene.folder / "whole").touch()
        assert not at_end, "only seen at the end"

    return Campaign("toy", "about", "things", 20, 4, opened)


def tried(campaign: Campaign, keep: Path, **how: int) -> Outcome:
    return run(campaign, seed=3, tried=20, minutes=1, keep=keep, only=how.get("only"))


def test_what_fails_is_counted_and_kept_with_how_to_repeat_it(tmp_path: Path) -> None:
    outcome = tried(toy(range(4, 6)), tmp_path)
    assert (outcome.tried, outcome.failed) == (20, 2)
    assert outcome.kept is not None
    assert sorted(place.name for place in outcome.kept.iterdir()) == ["4", "5"]
    told = (outcome.kept / "4" / "failure.txt").read_text()
    assert "number 4" in told
    assert "toy --seed 3 --only 4" in told
    assert "failed 2" in str(outcome)
    assert str(outcome.kept) in str(outcome)
    drawn = (outcome.kept / "4" / "drawn").read_text()
    again = tried(toy(range(4, 6)), tmp_path / "again", only=4)
    assert (again.failed, again.kept and (again.kept / "4" / "drawn").read_text()) == (1, drawn)


def test_a_campaign_that_fails_as_a_whole_has_failed(tmp_path: Path) -> None:
    outcome = tried(toy(range(0), at_end=True), tmp_path)
    assert (outcome.tried, outcome.failed) == (20, 1)
    assert outcome.kept is not None
    assert (outcome.kept / "whole" / "whole").exists()


def test_one_that_fails_ever_again_is_ended(tmp_path: Path) -> None:
    assert tried(toy(range(100)), tmp_path).failed == 10


def test_one_that_cannot_be_made_here_says_why(tmp_path: Path) -> None:
    @contextlib.contextmanager
    def opened(_: Scene) -> Iterator[Attempt]:
        raise SkippedError("no compiler")
        yield

    outcome = tried(Campaign("toy", "about", "things", 1, 1, opened), tmp_path)
    assert str(outcome) == "toy: skipped: no compiler"
    assert outcome.failed == 0


def test_the_command_lists_the_campaigns_and_ends_with_1_where_one_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from campaigns import __main__ as command

    monkeypatch.setitem(CAMPAIGNS, "toy", toy(range(1)))
    monkeypatch.setattr("sys.argv", ["campaigns", "toy", "--seed", "7", "--keep", str(tmp_path)])
    assert command.main() == 1
    assert "toy: tried 21 things, failed 1; seed 7" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["campaigns", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in CAMPAIGNS)
