"""The commands: what they print, what they end with, and one clear line where something cannot be done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from forking import Fresh
from recording import Recording
from support import SMALL, wait_for

from condense_core.runfile.control import worker_is_alive
from condense_core.runs.place import find_run
from condense_presets import recordings

pytestmark = pytest.mark.usefixtures("forked")


@pytest.fixture
def command(tmp_path):
    """Runs `condense-tui` with its runs in a folder of the test's."""

    def run(
        *arguments: str, code: int | None = 0, text: str | None = None, columns: int = 100
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs"), "COLUMNS": str(columns)}
        answer = subprocess.run(
            [sys.executable, "-m", "condense_tui", *arguments],
            capture_output=True,
            text=True,
            input=text or "",
            env=environment,
            check=False,
        )
        assert "Traceback" not in answer.stderr
        if code is not None:
            assert answer.returncode == code, answer.stdout + answer.stderr
        return answer

    return run


def layer_of(answer: subprocess.CompletedProcess[str]) -> dict[str, object]:
    (layer,) = json.loads(answer.stdout)["layers"]
    return layer


def test_digits_gd_condenses_to_one_line_along_v1_inside_the_initial_stage(command):
    summary = json.loads(command("run", "digits-gd", "--headless", "--json").stdout)
    (layer,) = summary["layers"]
    assert (summary["status"], summary["preset"]) == ("done", "digits-gd")
    assert (layer["lines"], layer["directions"]) == (1, 2)
    assert layer["alignment"] >= 0.97
    assert layer["condensed"]
    assert abs(layer["arrived_at"] - layer["predicted_at"]) <= 0.1 * layer["predicted_at"]
    assert summary["loss"]["last"] >= 0.7 * summary["loss"]["first"]
    assert summary["claim"]["holds"]
    assert summary["theory"]["gap"] > 0
    assert summary["seconds"] < 60


def test_digits_ce_is_the_counter_example(command):
    answer = command("run", "digits-ce", "--headless", "--json")
    assert 4 <= layer_of(answer)["lines"] <= 6
    assert json.loads(answer.stdout)["claim"]["holds"]


@pytest.mark.parametrize(("activation", "lines"), [("tanh", 1), ("xtanh", 2), ("x2tanh", 3)])
def test_as_many_lines_as_the_multiplicity_on_the_chosen_draw(command, activation, lines):
    assert layer_of(command("run", f"fcn-fig03-{activation}-demo", "--json", "--check"))["lines_coarse"] == lines


def test_a_scenario_from_standard_input_or_a_file_is_the_same(command, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(SMALL)
    results = [
        json.loads(command("run", place, "--json", text=text).stdout)
        for place, text in (("-", SMALL), (str(file), None))
    ]
    assert results[0]["loss"] == results[1]["loss"]
    assert results[0]["preset"] == ""


def test_a_seed_changes_the_draw_and_a_setting_changes_the_scenario(command):
    first, second = (json.loads(command("run", "-", "--json", "--seed", seed, text=SMALL).stdout) for seed in "01")
    assert first["loss"] != second["loss"]
    wider = command("run", "-", "--json", "--set", "layers.0.width=20", text=SMALL)
    assert layer_of(wider)["kernels"] == 20


def test_json_is_all_there_is_on_standard_output(command):
    answer = command("run", "-", "--json", text=SMALL)
    assert answer.stdout.count("\n") == 1
    json.loads(answer.stdout)


def test_the_table_says_what_came_of_it(command):
    answer = command("run", "-", "--headless", text=SMALL)
    assert "done at step 300" in answer.stdout
    assert "dense1" in answer.stdout
    assert max(map(len, answer.stdout.splitlines()[1:])) <= 80


def test_list_show_stop_resume_rm(command, tmp_path):
    assert "start one" in command("runs").stdout
    started = json.loads(command("run", "-", "--detach", "--json", "--set", "steps=100000000", text=SMALL).stdout)
    run = started["run"]
    assert "still training" in command("runs", "rm", run, code=2).stderr, "also while it starts"
    folder = find_run(tmp_path / "runs", run)
    wait_for(lambda: json.loads(command("runs", "show", run, "--json").stdout)["steps"] > 0)
    (listed,) = json.loads(command("runs", "list", "--json").stdout)
    assert (listed["id"], listed["status"]) == (run, "running")
    assert "still training" in command("runs", "rm", run, code=2).stderr
    assert "name of the run is empty" in command("runs", "rm", "", code=2).stderr
    assert run in command("runs", "list").stdout
    assert "nothing to resume" in command("runs", "resume", run, code=2).stderr
    assert "stopped at step" in command("runs", "stop", run).stdout
    assert "nothing to stop" in command("runs", "stop", run, code=2).stderr
    stopped_at = json.loads(command("runs", "show", run, "--json").stdout)["steps"]
    command("runs", "resume", run)
    wait_for(lambda: json.loads(command("runs", "show", run, "--json").stdout)["steps"] > stopped_at)
    command("runs", "stop", run)
    assert "removed" in command("runs", "rm", run).stdout
    assert not folder.exists()


def test_ctrl_c_leaves_the_run_and_a_second_one_stops_it(command, tmp_path):
    scenario = tmp_path / "long.toml"
    scenario.write_text(SMALL.replace("steps = 300", "steps = 100000000"))
    first = interruptible(tmp_path, "run", str(scenario), "--headless")
    wait_for(lambda: '"running"' in command("runs", "list", "--json").stdout)
    first.send_signal(signal.SIGINT)
    assert "continues training" in first.communicate()[1]
    assert first.returncode == 0
    assert '"running"' in command("runs", "list", "--json").stdout

    second = interruptible(tmp_path, "attach", "--headless")
    second.send_signal(signal.SIGINT)
    assert "the run continues" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert "stopping" in second.communicate()[1]
    assert second.returncode == 0
    assert '"stopped"' in command("runs", "list", "--json").stdout


def interruptible(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, once it watches its run: it opens the run file after its handler for Ctrl-C is in place."""
    process = subprocess.Popen(
        [sys.executable, "-m", "condense_tui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CONDENSE_RUNS_DIR": str(tmp_path / "runs")},
    )
    shared_memory = "run.sqlite-shm"
    wait_for(lambda: shared_memory in Path(f"/proc/{process.pid}/maps").read_text())
    return process


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "digits-gx"], "no preset 'digits-gx'; did you mean 'digits-gd'?"),
        (["run", "nowhere.toml"], "cannot read the scenario nowhere.toml: No such file"),
        (["run", "-"], "standard input: empty; expected a scenario"),
        (["run", "digits-gd", "--set", "layers.0.activation=thanh"], "did you mean 'tanh'?"),
        (["run", "digits-gd", "--set", "optimzer.lr=1"], "did you mean 'optimizer'?"),
        (["run", "digits-gd", "--device", "gpu"], "expected auto, cpu, cuda or cuda:i"),
        (["run", "digits-gd", "--data", "minst"], "data.name: unknown 'minst'; did you mean 'mnist'?"),
        (["run", "digits-gd", "--data", "folder:/nowhere"], "no folder /nowhere"),
        (["run", "fcn-fig03-tanh", "--data", "csv:/nowhere.csv"], "data.path: no file /nowhere.csv on "),
        (["theory", "digits-gd", "--data", "npz:/nowhere.npz"], "data.path: no file /nowhere.npz on "),
        (["run", "digits-gd", "--data", "npz"], "--data npz: expected npz:PATH, a file of numpy.savez"),
        (["run", "digits-gd", "--data", "csv:x"], "layers: expected dense layers for data.name = 'csv'"),
        (["run", "fcn-fig03-tanh", "--data", "formula:sine(x1)"], "data.target: unknown function 'sine'; did you mean"),
        (["run", "digits-gd", "--data", "mnist", "--data-root", "/nowhere"], "--data-root DIR"),
        (["run", "digits-gd", "--data-root", "/tmp"], "expected mnist, cifar10 or cifar100"),
        (["run", "digits-gd", "--headless", "--detach"], "exclude each other"),
        (["run", "digits-gd", "--sed", "3"], "No such option: --sed"),
        (["run"], "Missing argument"),
        (["runs", "show", "nothing"], "no runs in"),
        (["attach"], "no runs in"),
        (["replay", "nothing"], "no runs in"),
        (["replay", "/etc/hostname"], "cannot read"),
        (["presets", "show", "digits-gx"], "did you mean 'digits-gd'?"),
        (["run", "digits-gd", "--set", "layers.².width=4"], "expected layers.0\n"),
        (["run", "~nobody-of-that-name/x.toml"], "cannot read the scenario"),
        (["run", "digits-gd", "--detach", "--check"], "exclude each other"),
        (["run", "digits-gd", "--name", "caf\udcff"], "printable"),
        (["runs", "rm", ""], "no runs in"),
        (["bogus"], "No such command"),
        (["run", "digits-gd", "--vary", "both"], "add --seeds N"),
        (["run", ""], "expected one of cnn-fig02"),
        (["run", "digits-gd", "--set", "steps=many"], "steps: expected a whole number, got 'many'"),
        (["replay", "digits-dg"], "did you mean 'digits-gd'?"),
        (["export", "digits-gd", "--to", "csv", "--what", "heatmap"], "csv holds all of it"),
        (["export", "digits-gd", "--to", "csv", "--json", "--out", "-"], "exclude each other"),
        (["export", "digits-gd", "--to", "svg", "--size", "99999x40"], "expected 400x200 or less"),
        (["sweep", "digits-gd", "--over", "width=4", "--out", "/dev/null"], "cannot write to /dev/null: File exists"),
        (["reproduce", "digits-gd", "--out", "/dev/null/x"], "cannot write to /dev/null/x: Not a directory"),
        (["presets", "record", "digits-gd", "--out", "/dev/null"], "cannot write to /dev/null: File exists"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_two(command, arguments, message):
    answer = command(*arguments, code=2)
    assert message in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_a_damaged_run_is_named_and_can_be_removed(command, tmp_path):
    command("run", "-", "--detach", text=SMALL)
    folder = find_run(tmp_path / "runs", None)
    wait_for(lambda: not worker_is_alive(folder))
    for left in folder.glob("run.sqlite*"):
        left.unlink()
    (folder / "run.sqlite").write_bytes(b"no database" * 100)
    answer = command("runs", "list")
    assert "file is not a database" in answer.stderr
    answer = command("runs", "rm", folder.name)
    assert answer.stdout == f"{folder.name} removed\n"
    assert not folder.exists()


def test_a_table_in_a_narrow_terminal_is_cut_nowhere(command, tmp_path):
    command("run", "-", "--headless", text=SMALL)
    name = find_run(tmp_path / "runs", None).name
    for arguments, whole in ((["list"], name), (["show", "small"], "|cos|  aligned  condensed")):
        assert whole in command("runs", *arguments, columns=40).stdout
    assert "|cos|  aligned  condensed" in command("attach", "--headless", columns=40).stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_below_standard_output_is_one_line(unbuffered):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        answer = Fresh(
            [sys.executable, "-m", "condense_tui", "presets", "show", "digits-gd"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
        _, said = answer.communicate()
    assert answer.returncode == 1
    assert said == "condense-tui: cannot read or write: No space left on device\n"


def test_ctrl_c_in_a_command_that_starts_no_run_says_so_in_one_line():
    command = [sys.executable, "-m", "condense_tui", "theory", "digits-gd", "--trials", "100000"]
    # a real one, whose child is in its group
    process = Fresh(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: bool(_children(process.pid)))
    os.killpg(process.pid, signal.SIGINT)
    output, said = process.communicate(timeout=30)
    assert (process.returncode, output, said) == (130, "", "condense-tui: interrupted\n")


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")


def test_a_run_that_fails_says_why_and_ends_with_one(command):
    answer = command("run", "-", "--headless", "--set", "optimizer.lr=1e300", text=SMALL, code=1)
    assert "diverged" in answer.stderr
    answer = command("run", "-", "--headless", "--device", "cuda:77", text=SMALL, code=1)
    assert "--device" in answer.stderr


def test_a_claim_that_does_not_hold_ends_with_one_where_it_is_checked(command):
    settings = ["--set", "steps=2", "--json"]
    assert json.loads(command("run", "digits-gd", *settings).stdout)["claim"]["holds"] is False
    answer = command("run", "digits-gd", *settings, "--check", code=1)
    assert "the claim does not hold" in answer.stderr
    assert "weak claim" not in answer.stderr


def test_a_requirement_that_cannot_fail_is_said_where_the_claim_is_checked(command):
    bound = "claim.requires=[{measure='loss_ratio', at_least=0}]"
    settings = ["--set", "steps=2", "--set", bound, "--headless"]
    assert "weak claim" not in command("run", "digits-gd", *settings).stderr
    answer = command("run", "digits-gd", *settings, "--check")
    assert "weak claim: requires.0 (loss_ratio): cannot be outside of what is required" in answer.stderr


def test_presets_are_listed_shown_and_can_be_run_from_what_is_shown(command):
    rows = json.loads(command("presets", "list", "--json").stdout)
    assert {"digits-gd", "fcn-fig03-tanh"} <= {row["name"] for row in rows}
    assert all(row["claim"] and row["summary"] for row in rows)
    shown = command("presets", "show", "fcn-fig03-tanh").stdout
    command("run", "-", "--headless", "--check", text=shown)
    assert "xtanh              multiplicity 2" in command("presets", "activations").stdout


def test_paragraphs_of_help_are_as_wide_as_the_terminal(command):
    lines = [line.strip() for line in command("theory", "--help", columns=80).stdout.splitlines()]
    first, end = lines.index(next(line for line in lines if line.startswith("Z is computed"))), lines.index("", 8)
    assert end - first > 2
    assert all(len(line) > 60 for line in lines[first : end - 1])
    assert "condense-tui theory digits-gd" in lines, "examples keep their lines"


@pytest.mark.parametrize("arguments", [["presets", "list"], ["replay", "digits-gd", "--headless"], ["--help"]])
def test_a_reader_that_has_gone_is_no_error(arguments):
    # in a process of its own: the shell gives it a pipe whose other end is closed
    line = f'"{sys.executable}" -m condense_tui {" ".join(arguments)} | exec 0<&-; echo ${{PIPESTATUS[0]}}'
    closed = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert closed.stderr == ""
    assert closed.stdout.strip() in {"0", "141"}
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        answer = Fresh([sys.executable, "-m", "condense_tui", *arguments], stdout=nobody, stderr=subprocess.PIPE)
        assert (answer.communicate()[1] or b"") == b""
    assert answer.returncode == 141


def test_replaying_a_file_leaves_nothing_beside_it(command, tmp_path):
    alone = tmp_path / "alone" / "run.sqlite"
    alone.parent.mkdir()
    alone.write_bytes(recordings()["digits-gd"].read_bytes())
    assert "alone: done at step" in command("replay", str(alone), "--headless").stdout
    command("replay", str(alone), "--json")
    assert [file.name for file in alone.parent.iterdir()] == ["run.sqlite"]


def test_what_cannot_be_shown_is_written_in_ascii_and_json_as_it_is(command, tmp_path, monkeypatch):
    run = Recording(tmp_path / "runs")
    run.write(3)
    run.writer.update(name="größe")
    run.finish()
    assert "✔ done" in command("runs", "list").stdout
    monkeypatch.setenv("LC_ALL", "C")
    table = command("runs", "list").stdout
    assert "v done" in table and table.isascii()
    assert command("run", "größe", code=2).stderr.isascii()
    assert json.loads(command("runs", "list", "--json").stdout)[0]["name"] == "größe"
