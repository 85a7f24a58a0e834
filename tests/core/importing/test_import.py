"""What others recorded becomes a run that says what the files say, and no file is run or believed."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from support import need_module

from condense_core import open_run
from condense_core.errors import CondenseError, DataError, ScenarioError
from condense_core.importing.make_run import import_run
from condense_core.importing.sources import find_sources
from condense_core.jobs.messages import AskImport
from condense_core.runfile.abilities import why_not
from condense_core.runfile.info import read_run

torch = pytest.importorskip("torch")
from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from condense_core.importing.stand_in import StandIn  # noqa: E402
from condense_core.watching.find import Finder  # noqa: E402


def network(width: int = 8) -> nn.Module:
    torch.manual_seed(0)
    made = nn.Module()
    made.conv1 = nn.Conv2d(2, width, 3)
    made.norm = nn.BatchNorm2d(width)
    made.wte = nn.Embedding(11, 6)
    made.head = nn.Linear(width, 10)
    return made


def turned_to_a_line(weights: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """The filters of conv1 on their way to one direction."""
    changed = {name: tensor.clone() for name, tensor in weights.items()}
    changed["conv1.weight"] = torch.lerp(
        weights["conv1.weight"], weights["conv1.weight"][:1].expand(8, -1, -1, -1), share
    )
    changed["conv1.bias"] = torch.lerp(weights["conv1.bias"], weights["conv1.bias"][:1].expand(8), share)
    return changed


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    folder, weights = tmp_path / "exp", network().state_dict()
    folder.mkdir()
    for step in (0, 9, 10, 100):
        save_file(turned_to_a_line(weights, step / 100), folder / f"model-step{step}.safetensors")
    return folder


def asked(runs: Path, *paths: Path, **more: object) -> AskImport:
    return AskImport(paths=[str(path) for path in paths], runs=str(runs), **more)  # type: ignore[arg-type]


def made_of(tmp_path: Path, *paths: Path, **more: object) -> Path:
    return Path(import_run(asked(tmp_path / "runs", *paths, **more)).folder)


def nothing_was_made(tmp_path: Path) -> bool:
    runs = tmp_path / "runs"
    return not runs.exists() or not list(runs.iterdir())


def test_checkpoints_are_measured_each_at_its_step(checkpoints, tmp_path):
    weights = network().state_dict()
    with open_run(made_of(tmp_path, checkpoints)) as run:
        assert (run.status, run.step, run.steps, run.name) == ("done", 100, 100, "exp")
        assert run.layers == ("conv1", "head")
        assert run.measured.tolist() == [0, 9, 10, 100]
        assert np.isnan(run.curve("loss")[1]).all(), "nobody knows the loss"
        assert run.table(100)["conv1"]["lines"] == 1
        assert run.table(0)["conv1"]["condensed"] == 0
        for step in (0, 100):
            rows = turned_to_a_line(weights, step / 100)
            rows_MK = torch.cat([rows["conv1.weight"].flatten(1), rows["conv1.bias"][:, None]], 1)
            expected = torch.nn.functional.cosine_similarity(rows_MK[:, None], rows_MK[None], dim=2)
            np.testing.assert_allclose(run.similarity("conv1", step).cosine, expected, atol=0.5 / 127)
        assert any("wte (embedding)" in event.text for event in run.events())
        assert run.config == {}


def test_an_imported_run_says_so_and_nothing_can_be_done_with_it(checkpoints, tmp_path):
    info = read_run(made_of(tmp_path, checkpoints))
    assert (info.trainer, info.can) == ("import", ())
    assert why_not(info, "resume") == f"{info.id} was imported: there is no training here to resume"


def test_what_pytorch_saves_of_weights_gives_the_same(checkpoints, tmp_path):
    folder = tmp_path / "pt"
    folder.mkdir()
    from safetensors.torch import load_file

    for file in checkpoints.iterdir():
        inner = {f"module.{name}": tensor for name, tensor in load_file(file).items()}
        torch.save({"epoch": 3, "model_state_dict": inner, "optimizer": {"state": {}}}, folder / f"{file.stem}.pt")
    with open_run(made_of(tmp_path, checkpoints)) as safe, open_run(made_of(tmp_path, folder)) as other:
        assert other.layers == safe.layers
        for name in safe.curves:
            np.testing.assert_array_equal(other.curve(name)[1], safe.curve(name)[1])


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch exploded",)


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.ones(8, 3), "bomb": Bomb()}, tmp_path / "model_1.pt")
    with pytest.raises(DataError, match="holds more than weights, and reading that would run code"):
        made_of(tmp_path, tmp_path / "model_1.pt")
    assert not (tmp_path / "exploded").exists()
    assert nothing_was_made(tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a1.safetensors", b"", "cannot read"),
        ("a1.safetensors", b"\xff" * 100, "cannot read"),
        ("a1.safetensors", struct.pack("<Q", 2**62) + b"{}", "cannot read"),
        ("a1.safetensors", struct.pack("<Q", 2) + b"{}", "holds no layer"),
        ("a1.pt", b"no zip", "cannot read|holds more"),
        ("a1.pt", b"", "cannot read|holds more"),
        ("events.out.tfevents.1", b"\xff" * 100, "no event file, or damaged"),
    ],
)
def test_a_damaged_file_is_one_line_and_no_run(tmp_path, name, data, says):
    if "events" in name:
        need_module("tensorboard")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=says) as caught:
        made_of(tmp_path, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert nothing_was_made(tmp_path)


def test_a_tensor_that_claims_to_be_larger_than_its_file_is_refused(tmp_path):
    torch.save({"a.weight": torch.zeros(1).expand(1_000_000, 1_000)}, tmp_path / "a1.pt")
    with pytest.raises(DataError, match=r"'a\.weight' would be larger than the file"):
        made_of(tmp_path, tmp_path / "a1.pt")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a1.safetensors")
    with pytest.raises(DataError, match="not a file"):
        made_of(tmp_path, tmp_path / "a1.safetensors")


def test_a_layer_that_changes_or_goes_is_left_out_there_and_said(tmp_path):
    weights = network().state_dict()
    save_file(weights, tmp_path / "m_0.safetensors")
    save_file(weights | {"head.weight": torch.ones(10, 5)}, tmp_path / "m_1.safetensors")
    with open_run(made_of(tmp_path, tmp_path / "m_0.safetensors", tmp_path / "m_1.safetensors")) as run:
        assert "head" in run.table(0)
        assert "head" not in run.table(1)
        assert run.table(1)["conv1"]["lines"] == run.table(0)["conv1"]["lines"]
        assert any("head is not in this checkpoint, or has another shape" in event.text for event in run.events())


def test_names_from_a_file_are_bounded_and_steer_no_terminal(tmp_path):
    odd = {"\x1b[31mred.weight": torch.randn(8, 3), "..weight": torch.randn(8, 3), "training.weight": torch.randn(8, 3)}
    save_file(odd | {f"{'deep.' * 90}weight": torch.randn(8, 3)}, tmp_path / "m_0.safetensors")
    with open_run(made_of(tmp_path, tmp_path / "m_0.safetensors", name="odd\x1b[2J")) as run:
        assert len(run.layers) == 4
        assert all(layer.isprintable() and len(layer) <= 150 for layer in run.layers)
        assert run.name.isprintable()
    with pytest.raises(DataError, match="characters"):
        save_file({f"{'n' * 501}.weight": torch.randn(8, 3)}, tmp_path / "m_1.safetensors")
        made_of(tmp_path, tmp_path / "m_1.safetensors")


def test_layers_can_be_chosen(checkpoints, tmp_path):
    with open_run(made_of(tmp_path, checkpoints, layers=("h*",))) as run:
        assert run.layers == ("head",)
        assert any(event.text == "1 of 3 layers are measured" for event in run.events()), "and not all"
    with pytest.raises(ScenarioError, match="'nothing' fits no layer"):
        made_of(tmp_path, checkpoints, layers=("nothing",))


def kinds(module: nn.Module) -> dict[str, str]:
    stand_in = StandIn({name: tensor.clone() for name, tensor in module.state_dict().items()})
    return {layer.name: layer.geometry.kind for layer in Finder(stand_in.root).layers() if layer.whole}


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(3, 5),
        nn.Conv1d(3, 5, 2),
        nn.Conv3d(3, 5, 2, bias=False),
        nn.ConvTranspose2d(3, 5, 2),
        nn.LSTM(3, 5, bidirectional=True),
        nn.GRU(3, 5, bias=False),
        nn.MultiheadAttention(8, 2),
        nn.TransformerEncoderLayer(8, 2, 16),
        nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Sequential(nn.Linear(5, 6), nn.Linear(6, 7))),
    ],
    ids=lambda module: type(module).__name__,
)
def test_layers_are_found_in_weights_alone_as_in_the_network(module):
    found = Finder(module).layers()
    stand_in = StandIn({name: tensor.clone() for name, tensor in module.state_dict().items()})
    again = {layer.name: layer for layer in Finder(stand_in.root).layers() if layer.whole}
    assert set(again) == {layer.name for layer in found if layer.whole}
    for layer in found:
        if layer.whole:
            assert again[layer.name].geometry == layer.geometry
            torch.testing.assert_close(again[layer.name].weight(), layer.weight())


def test_the_turned_layers_of_transformers_are_told_by_their_biases():
    weights = {"c_attn.weight": (6, 18), "c_attn.bias": (18,), "c_proj.weight": (6, 6), "c_proj.bias": (6,)}
    stand_in = StandIn({name: torch.randn(shape) for name, shape in weights.items()})
    found = {layer.name: layer.weight() for layer in Finder(stand_in.root).layers()}
    assert list(found) == ["c_attn.q", "c_attn.k", "c_attn.v", "c_proj"]
    root = stand_in.root.get_submodule("c_proj")
    torch.testing.assert_close(found["c_proj"][:, :6], root.weight.detach().T)


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (["a-1.pt", "a-10.pt", "a-2.pt"], [1, 2, 10]),
        (["epoch=0-step=500.ckpt", "epoch=1-step=1000.ckpt"], [500, 1000]),
        (["ckpt_step_3_loss0.25.pt", "ckpt_step_7_loss0.25.pt"], [3, 7]),
        (["checkpoint-5/model.safetensors", "checkpoint-40/model.safetensors"], [5, 40]),
        (
            [f"checkpoint-{step}/model-0000{part}-of-00002.safetensors" for step in (5, 40) for part in (1, 2)],
            [5, 40],
        ),
        (["only.pt"], [0]),
        (["2024/only.pt"], [0]),
        (["checkpoint-70/only.pt"], [70]),
    ],
)
def test_steps_are_read_from_names(tmp_path, names, steps):
    folder = tmp_path / "run2024"
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    assert [saved.step for saved in find_sources([str(folder)], "from-name").checkpoints] == steps


def test_steps_that_names_do_not_say_are_asked_for(tmp_path):
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).touch()
    folder = [str(tmp_path)]
    with pytest.raises(DataError, match=r"no step in the names of a\.pt, b\.pt"):
        find_sources(folder, "from-name")
    assert [saved.step for saved in find_sources(folder, "order").checkpoints] == [0, 1]
    assert [saved.step for saved in find_sources(folder, "70, 5").checkpoints] == [5, 70]
    for wrong, says in (("1", "expected 2 numbers"), ("x,y", "expected from-name"), ("4,4", "both of step 4")):
        with pytest.raises(DataError, match=says):
            find_sources(folder, wrong)


def test_a_folder_is_searched_for_weights_and_nothing_beside_them(tmp_path):
    for name in ("model.safetensors", "model.bin", "optimizer.pt", "rng_state_0.pth", ".hidden.pt", "notes.txt"):
        (tmp_path / name).touch()
    (saved,) = find_sources([str(tmp_path)], "from-name").checkpoints
    assert [file.name for file in saved.files] == ["model.safetensors"]
    with pytest.raises(DataError, match="expected event files of TensorBoard, or checkpoints"):
        find_sources([str(tmp_path / "notes.txt")], "from-name")
    with pytest.raises(DataError, match="no file or folder"):
        find_sources([str(tmp_path / "nothing")], "from-name")


def write_log(folder: Path, tags: dict[str, list[float]], *, start: int = 0) -> Path:
    need_module("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"events.out.tfevents.{len(list(folder.iterdir()))}"
    with file.open("wb") as opened:
        records = RecordWriter(opened)
        records.write(Event(wall_time=1000.0, step=0, file_version="brain.Event:2").SerializeToString())
        for step in range(max(map(len, tags.values()))):
            values = [
                Summary.Value(tag=tag, simple_value=own[step])
                if number % 2
                else Summary.Value(tag=tag, tensor=make_tensor_proto(np.float32(own[step])))
                for number, (tag, own) in enumerate(tags.items())
                if step < len(own)
            ]
            values.append(Summary.Value(tag="image", image=Summary.Image(height=1, width=1)))
            values.append(Summary.Value(tag="many", tensor=make_tensor_proto(np.zeros(3, np.float32))))
            event = Event(wall_time=1000.0 + step, step=start + step, summary=Summary(value=values))
            records.write(event.SerializeToString())
    return file


def test_scalars_of_tensorboard_are_curves(tmp_path):
    log = tmp_path / "log"
    write_log(log, {"lr": [0.5, 0.25, 0.125], "train/loss": [2.0, math.nan, 1.0], "conv1.lines": [7.0]})
    write_log(log / "eval", {"loss": [3.0]})
    found = import_run(asked(tmp_path / "runs", log))
    assert found.said[0].startswith("train/loss is the loss, of 2 that may be")
    with open_run(found.folder) as run:
        steps, values = run.curve("loss")
        assert steps.tolist() == [0, 1, 2]
        np.testing.assert_array_equal(values, [2.0, math.nan, 1.0])
        assert run.curves == ("conv1/lines", "eval/loss", "loss", "lr")
        assert run.curve("lr")[1].tolist() == [0.5, 0.25, 0.125]
        assert run.layers == ()
        assert read_run(run.folder).seconds == 2.0
    with open_run(made_of(tmp_path, log, loss="eval/loss")) as run:
        assert run.curve("loss")[1][0] == 3.0
    with pytest.raises(DataError, match="--loss 'evil/loss': did you mean 'eval/loss'"):
        made_of(tmp_path, log, loss="evil/loss")


def test_what_was_written_later_counts_and_what_was_cut_is_said(tmp_path):
    log = tmp_path / "log"
    first = write_log(log, {"lr": [0.0], "loss": [9.0, 8.0, 7.0]})
    write_log(log, {"lr": [0.0], "loss": [5.0]}, start=2)
    first.write_bytes(first.read_bytes()[:-5])
    found = import_run(asked(tmp_path / "runs", log))
    assert any("is cut or damaged" in line for line in found.said)
    with open_run(found.folder) as run:
        assert run.curve("loss")[1].tolist() == [9.0, 8.0, 5.0]


def test_logs_and_checkpoints_together_are_one_run_in_order_of_steps(checkpoints, tmp_path):
    write_log(tmp_path / "log", {"lr": [0.0], "loss": [float(99 - step) for step in range(50)]})
    with open_run(made_of(tmp_path, tmp_path / "log", checkpoints)) as run:
        steps, values = run.curve("loss")
        assert steps.tolist() == [*range(50), 100]
        assert math.isnan(values[-1])
        assert run.table(9)[""]["loss"] == 90.0
        assert run.similarity("conv1", 10).step == 10
        assert "conv1" not in run.table(11)


def test_without_a_library_one_line_says_what_adds_it(checkpoints, tmp_path, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    write_log(tmp_path / "log", {"lr": [0.0]})
    for package, path in (("tensorboard", tmp_path / "log"), ("safetensors", checkpoints)):
        monkeypatch.setattr("importlib.util.find_spec", lambda name, own=package: None if name == own else find(name))
        with pytest.raises(CondenseError, match=r"to install: |not installed here: "):
            made_of(tmp_path, path)
        assert nothing_was_made(tmp_path)
