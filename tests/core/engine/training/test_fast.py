"""What `fast` asks for is tried beside what is taken without it, once, and refused where it is the slower one."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import msgspec
import numba
import pytest
import torch

from condense_core.engine import found_once
from condense_core.engine.data.datasets import load
from condense_core.engine.steppers.ensemble import TrainingEnsemble
from condense_core.engine.training import device, fast, worker
from condense_core.errors import ScenarioError
from condense_core.runfile.reader import RunReader
from condense_core.scenario.experiment import Adam, Conv, Digits, Ensemble, Experiment, NormalInit

LAYERS = (Conv(width=32), Conv(width=32))
ASKED = Experiment(
    name="asked",
    steps=10**6,
    data=Digits(samples=20, labels="onehot"),
    layers=LAYERS,
    init=NormalInit(std=0.1),
    optimizer=Adam(lr=1e-3),
    ensemble=Ensemble(members=2),
    fast=("bf16",),
)
COMPILED = "compiled convolutions"


def kept_in(folder, monkeypatch):
    # compiled code stays where it is
    monkeypatch.setattr(found_once, "platformdirs", SimpleNamespace(user_cache_path=lambda name: folder / name))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    kept_in(tmp_path, monkeypatch)
    return tmp_path / "condense-tui" / "fast"


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a step takes by its way and by threads, on a processor for which convolutions are compiled."""
    taken: dict[tuple[str, int], float] = {}
    now = [0.0]
    tried: Counter[str] = Counter()

    def warm_up(ensemble: TrainingEnsemble) -> None:
        tried[ensemble.name] += 1
        now[0] += taken[ensemble.name, torch.get_num_threads()]

    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(TrainingEnsemble, "warm_up", warm_up)
    monkeypatch.setattr(device, "usable_cores", lambda: 2)
    monkeypatch.setattr(device, "WORK_A_THREAD", 0)
    monkeypatch.setattr(fast.time, "perf_counter", lambda: now[0])
    yield taken, tried
    torch.set_num_threads(before)


def refuse_slower(asked=ASKED) -> None:
    fast.refuse_slower(asked, [load(asked.data).to("cpu", torch.float32)] * asked.ensemble.members)


@pytest.mark.parametrize("layers", [LAYERS[:1], LAYERS, (*LAYERS, Conv(width=32, size=2))])
def test_the_slower_way_is_refused_and_the_faster_one_taken(clock, layers):
    taken, tried = clock
    asked = msgspec.structs.replace(ASKED, layers=layers)
    taken |= {("eager, bf16", 1): 0.12, ("eager, bf16", 2): 0.12, (COMPILED, 1): 0.1, (COMPILED, 2): 0.1}
    words = r"'bf16' slows this network: .* 1\.2 times as long .*\(compiled convolutions steps\).*--set 'fast=\[\]'"
    with pytest.raises(ScenarioError, match=words):
        refuse_slower(asked)
    assert tried["eager, bf16"] == tried[COMPILED] > 0
    # what was found stays, also where it would be found otherwise by now
    taken["eager, bf16", 1] = taken["eager, bf16", 2] = 0.09
    with pytest.raises(ScenarioError, match=words):
        refuse_slower(asked)
    # of another size of sample it is found anew
    refuse_slower(msgspec.structs.replace(asked, data=Digits(samples=21, labels="onehot")))


def test_each_way_has_the_threads_that_suit_it(clock):
    taken, _ = clock
    # with one thread each it would be refused, and with two each as well
    taken |= {("eager, bf16", 1): 0.12, ("eager, bf16", 2): 0.07, (COMPILED, 1): 0.1, (COMPILED, 2): 0.06}
    with pytest.raises(ScenarioError, match=r"1\.2 times"):
        refuse_slower()
    taken |= {(COMPILED, 2): 0.1}
    refuse_slower(msgspec.structs.replace(ASKED, loss="cross-entropy"))


@pytest.mark.parametrize("asked", [("channels-last",), ("channels-last", "bf16")])
def test_every_way_is_tried(clock, asked):
    taken, _ = clock
    name = ", ".join(("eager", *asked))
    taken |= {(name, 1): 0.3, (name, 2): 0.3, (COMPILED, 1): 0.1, (COMPILED, 2): 0.1}
    with pytest.raises(ScenarioError, match=f"{asked[-1]}' slows this network: .* 3.0 times"):
        refuse_slower(msgspec.structs.replace(ASKED, fast=asked))


def test_nothing_is_tried_where_there_is_no_choice_or_no_time_for_it(monkeypatch):
    monkeypatch.setattr(fast, "_times_as_long", pytest.fail)
    refuse_slower(msgspec.structs.replace(ASKED, steps=10))
    # autograd's way is taken without it, too
    refuse_slower(msgspec.structs.replace(ASKED, layers=(Conv(width=5), Conv(width=5))))


def test_where_nothing_can_be_kept_what_is_found_counts(clock, tmp_path, monkeypatch):
    taken, _ = clock
    (tmp_path / "file").write_text("no folder")
    kept_in(tmp_path / "file", monkeypatch)
    taken |= {("eager, bf16", 1): 0.12, ("eager, bf16", 2): 0.12, (COMPILED, 1): 0.1, (COMPILED, 2): 0.1}
    with pytest.raises(ScenarioError, match=r"1\.2 times"):
        refuse_slower()


@pytest.mark.parametrize("kept", [b"\xff\x00", b"nan compiled convolutions\n", b"-1 steps\n", b"2\n"])
def test_a_damaged_file_refuses_nothing_by_itself(clock, cache, kept):
    taken, tried = clock
    taken |= {("eager, bf16", 1): 0.1, ("eager, bf16", 2): 0.1, (COMPILED, 1): 0.1, (COMPILED, 2): 0.1}
    refuse_slower()
    (file,) = cache.iterdir()
    file.write_bytes(kept)
    before = tried.total()
    refuse_slower()
    assert tried.total() > before


IMAGES = ("data.name=digits", "data.samples=20", 'layers=[{kind="conv",width=4}]')
SMALL = (*IMAGES, "fast=['bf16']", "steps=200", "record.probes=[]")


@pytest.mark.parametrize(("slower", "status"), [(0.0, "failed"), (1e9, "done")])
def test_a_run_is_refused_before_its_first_step_or_trained_as_asked(make_run, monkeypatch, cache, slower, status):
    monkeypatch.setattr(fast, "SLOWER", slower)
    folder = make_run(*SMALL)
    assert worker.work(folder) == int(status == "failed")
    with RunReader(folder) as run:
        info = run.info()
        assert info.status == status
        assert ("'bf16' slows this network" in info.reason) == (status == "failed")
        assert [event.text.endswith("eager, bf16 steps") for event in run.events if event.kind == "started"] == (
            [True] if status == "done" else []
        )
    (kept,) = cache.iterdir()
    ratio, _, way = kept.read_text().partition("\n")[0].partition(" ")
    assert float(ratio) > 0
    assert way in {"closed form", "closed form, NumPy's tanh"}
