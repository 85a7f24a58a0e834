"""One bad run on the far machine hides no other: it is named, and everything else there goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from bad_runs import UNREADABLE, UNSHOWABLE, spoilt
from pairing import following
from recording import Recording

from condense_core.errors import RunFileError
from condense_core.remote.server import session as server
from condense_core.remote.wire import messages as say
from condense_core.remote.wire.claims import packed_claim
from condense_core.remote.wire.framing import GREETING, from_server, pack
from condense_core.runfile.info import read_run
from condense_core.runfile.reader import RunReader
from condense_core.runfile.schema import FILE_NAME
from condense_core.runs.standing import read_standing
from condense_core.scenario.claims import Claim, Requirement


@pytest.fixture
def good(tmp_path: Path) -> Path:
    recording = Recording(tmp_path / "far", frames=3)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


@pytest.fixture
def ask(good: Path) -> Iterator[Callable[[say.Message], object]]:
    """Asks a server on the runs beside the good one, in one session; the answer."""
    said = bytearray()
    session = server.Session(good.parent, said.extend)
    incoming = from_server()
    incoming.feed(GREETING)

    def answer(question: say.Message) -> object:
        session.feed(pack(question))
        found = incoming.feed(bytes(said))
        said.clear()
        return found[-1]

    answer(say.Hello(say.PROTOCOL, "test"))
    yield answer
    session.close()


def test_a_list_has_every_run_but_the_bad_ones_and_names_those(good, ask):
    bad = {spoilt(good, how).name for how in UNREADABLE}
    runs, troubles = ask(say.ListRuns(1)).unpacked()
    assert [info.id for info in runs] == [good.name]
    assert len(troubles) == len(bad)
    for name in bad:
        assert sum(name in trouble for trouble in troubles) == 1


def test_a_session_goes_on_after_a_bad_run(good, ask):
    bad = [spoilt(good, how).name for how in UNREADABLE]
    for name in bad:
        assert isinstance(ask(say.Subscribe(2, name, 0, False)), say.Refused)
        assert isinstance(ask(say.SteerRun(3, name, "stop")), say.Refused)
    assert isinstance(ask(say.Subscribe(4, good.name, 0, False)), say.Described)


def test_a_fault_of_the_servers_own_is_an_answer_too(good, ask, monkeypatch):
    def fault(_: Path) -> None:
        raise KeyError("forgotten")

    monkeypatch.setattr(server, "read_run", fault)
    answer = ask(say.ListRuns(1))
    assert isinstance(answer, say.Refused)
    assert answer.error == "unexpected KeyError: KeyError: 'forgotten'; please report it"
    assert isinstance(ask(say.Subscribe(2, good.name, 0, False)), say.Described)


def test_a_row_that_makes_no_sense_hides_no_other_of_a_list(good):
    info = read_run(good)
    whole = msgspec.msgpack.encode(info)
    of_another_version = msgspec.msgpack.encode({**msgspec.to_builtins(info), "status": "dreaming"})
    message = say.Runs(1, [msgspec.Raw(whole), msgspec.Raw(of_another_version), msgspec.Raw(b"\x01")], ["a\x1b[2Jb"])
    (sent,) = from_server().feed(GREETING + pack(message))
    runs, troubles = sent.unpacked()
    assert [run.id for run in runs] == [good.name]
    assert troubles == [
        "a[2Jb",
        "run 2 of 3 is malformed: status: unknown 'dreaming'",
        "run 3 of 3 is malformed: expected a table, got a whole number",
    ]


def test_a_list_stays_within_a_message_whatever_runs_say_of_themselves(good):
    info = msgspec.structs.replace(read_run(good), reason="x" * 2_000, versions={"y" * 2_000: "z" * 2_000})
    runs = [msgspec.structs.replace(info, id=f"run{number}") for number in range(600)]
    (sent,) = from_server().feed(GREETING + pack(say.Runs.of(1, runs, [])))
    listed, troubles = sent.unpacked()
    assert [run.id for run in listed] == [run.id for run in runs[: len(listed)]]
    assert 300 < len(listed) <= say.MOST_RUNS
    assert troubles == [f"{600 - len(listed)} older runs are not listed"]


def test_a_scenario_of_thousands_of_digits_arrives_and_is_one_line(good, tmp_path):
    """The server does not read scenarios, so a hostile one comes through; it is refused where it is read."""
    UNSHOWABLE["digits"](good / FILE_NAME)
    with following(good.parent, tmp_path / "near", good.name) as near:
        near.settle()
    assert read_run(near.folder).id == good.name
    with RunReader(near.folder) as run, pytest.raises(RunFileError, match="a number of thousands of digits"):
        assert run.experiment


@pytest.fixture
def claiming(tmp_path: Path) -> Path:
    """A finished run whose claim does not hold."""
    claim = Claim(text="nine lines\x1b[2J", requires=(Requirement(measure="lines", at_least=9, layer="conv1"),))
    recording = Recording(tmp_path / "far", frames=3, claim=claim)
    recording.write()
    recording.finish()
    recording.close()
    return recording.folder


def test_a_list_says_how_claims_stand_where_that_is_asked_for(good, claiming, ask):
    found, troubles = ask(say.ListRuns(1, claims=True)).with_claims()
    assert troubles == []
    stand = {info.id: claim for info, claim in found}
    assert stand == {good.name: None, claiming.name: read_standing(claiming)}
    assert stand[claiming.name].state == "does not hold"
    assert "\x1b" not in stand[claiming.name].text
    assert ask(say.ListRuns(1)).claims == [], "nobody reads every run where nobody asked"


def test_programs_without_claims_and_with_them_understand_each_other(good, claiming, ask):
    class OldRuns(say.Message, frozen=True, tag="runs"):
        ask: int
        runs: list[msgspec.Raw]
        troubles: list[str]

    class OldList(say.Message, frozen=True, tag="list"):
        ask: int

    new = ask(say.ListRuns(1, claims=True))
    there = msgspec.msgpack.decode(msgspec.msgpack.encode(new), type=OldRuns)
    assert (there.runs, there.troubles) == (new.runs, new.troubles)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(say.ListRuns(7, claims=True)), type=OldList) == OldList(7)
    assert ask(OldList(1)).claims == []
    (sent,) = from_server().feed(GREETING + pack(say.Runs(1, new.runs, [])))
    found, troubles = sent.with_claims()
    assert [claim for _, claim in found] == [None, None], "not known, and not called anything"
    assert troubles == []


def test_a_claim_that_makes_no_sense_hides_neither_its_run_nor_another_claim(good, claiming):
    info, claim = read_run(good), read_standing(claiming)
    plain = msgspec.to_builtins(claim)
    (finding,) = plain["findings"]
    spoilt_claims = [
        plain | {"findings": [finding | {"measure": "\x1b[31mcharm"}]},
        plain | {"state": "triumphs"},
        plain | {"of": 0},
        plain | {"findings": [finding] * 2_000},
        "holds",
    ]
    packed = [msgspec.Raw(msgspec.msgpack.encode(each)) for each in spoilt_claims]
    body = msgspec.Raw(msgspec.msgpack.encode(info))
    message = say.Runs(1, [body] * 6, [], [*packed, packed_claim(claim)])
    (sent,) = from_server().feed(GREETING + pack(message))
    found, troubles = sent.with_claims()
    assert [claim for _, claim in found] == [None] * 5 + [claim]
    assert len(troubles) == 5
    assert all(trouble.startswith(f"{info.id}: how its claim stands is malformed: ") for trouble in troubles)
    assert all(trouble.isprintable() for trouble in troubles)


def test_a_run_whose_claim_cannot_be_read_is_listed(claiming, ask):
    with contextlib.closing(sqlite3.connect(claiming / FILE_NAME)) as connection:
        connection.execute("UPDATE run SET experiment = 'no scenario'")
        connection.commit()
    found, troubles = ask(say.ListRuns(1, claims=True)).with_claims()
    assert (claiming.name, None) in [(info.id, claim) for info, claim in found]
    assert len(troubles) == 1
    assert claiming.name in troubles[0]
