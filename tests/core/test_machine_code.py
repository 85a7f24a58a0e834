"""Functions that were compiled once are loaded without Numba, as what they are, and nothing else is."""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
from support import wait_for

from condense_core import compiling, kept_code, linked, machine_code
from condense_core.engine import probes
from condense_core.engine.probes.members import MemberViews
from condense_core.machine_code import Arguments
from condense_core.measures import in_compiled_code
from condense_core.scenario.geometry import Geometry

SOURCES = [Path(__file__)]
ARGUMENTS = {"add": Arguments((np.float64, np.int64), 1)}


def make() -> dict[str, Callable[..., None]]:
    """One that adds whole numbers to others."""
    from numba import carray

    def add(values, whole, count):
        values_N, whole_N = carray(values, (count,)), carray(whole, (count,))
        for place in range(count):
            values_N[place] += whole_N[place]

    return {"add": add}


def make_one_that_allocates() -> dict[str, Callable[..., None]]:
    from numba import carray

    def add(values, whole, count):
        values_N, sums_N = carray(values, (count,)), np.empty(count + carray(whole, (count,))[0])
        for place in range(count):
            sums_N[place] = values_N[count - 1 - place]
        for place in range(count):
            values_N[place] += sums_N[place]

    return {"add": add}


def make_nothing() -> dict[str, Callable[..., None]]:
    raise AssertionError("it was compiled before")


@pytest.fixture
def compiles(tmp_path, monkeypatch):
    """The user's cache, empty."""
    pytest.importorskip("numba")
    monkeypatch.setattr("numba.config.DISABLE_JIT", 0)
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path


def added(code: machine_code.MachineCode) -> list[float]:
    values = np.array([1.5, 2.5])
    code.functions["add"](values, np.array([10, 20]), 2)
    return values.tolist()


def kept_files(cache: Path) -> list[Path]:
    """An object file, and a library where it was linked."""
    return [file for file in cache.rglob("*") if file.is_file()]


def is_gone(process: int) -> bool:
    """Whether it has ended; nobody may have asked how."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def whole(code: bytes) -> bytes:
    """A file of the cache that holds this code."""
    return code + hashlib.sha256(code).digest()


@pytest.fixture
def linked_here():
    """A library is kept, too."""
    if sys.platform != "linux" or not shutil.which((sysconfig.get_config_var("LDSHARED") or "").partition(" ")[0]):
        pytest.skip("no linker is here that Python knows")


def test_what_was_compiled_once_is_loaded(compiles):
    assert not machine_code.is_kept(SOURCES)
    first = machine_code.machine_code(ARGUMENTS, make, SOURCES)
    assert first.compiled_s > 0
    assert added(first) == [11.5, 22.5]
    assert machine_code.is_kept(SOURCES)
    again = machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)
    assert again.compiled_s == 0
    assert added(again) == [11.5, 22.5]
    # of other sources nothing is known
    assert not machine_code.is_kept([Path(machine_code.__file__)])


def test_arrays_that_are_to_be_read_only_or_empty_are_taken(compiles):
    add = machine_code.machine_code(ARGUMENTS, make, SOURCES).functions["add"]
    values, whole = np.array([1.5, 2.5]), np.array([10, 20])
    whole.flags.writeable = False
    add(values, whole, 2)
    add(values[:0], whole[:0], 0)
    assert values.tolist() == [11.5, 22.5]


DAMAGE = [lambda code: code[:-1], lambda code: code[:40] + b"!" + code[41:], lambda _: b""]


@pytest.mark.parametrize("damage", DAMAGE)
def test_kept_code_that_is_damaged_is_compiled_anew(damage, compiles):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    for kept in kept_files(compiles):
        kept.write_bytes(damage(kept.read_bytes()))
    found = machine_code.machine_code(ARGUMENTS, make, SOURCES)
    assert found.compiled_s > 0
    assert added(found) == [11.5, 22.5]
    assert machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES).compiled_s == 0


@pytest.mark.parametrize("damage", [*DAMAGE, lambda _: whole(b"no library")])
def test_llvm_loads_what_the_system_does_not(damage, compiles, linked_here):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    (library,) = compiles.rglob("*.so")
    library.write_bytes(damage(library.read_bytes()))
    found = machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)
    assert added(found) == [11.5, 22.5]
    assert found.compiled_s == 0


@pytest.mark.parametrize(
    "command", ["", "false", "sh -c 'echo no linker >&2; exit 1'", "/nowhere/cc -shared", 'cc "-shared']
)
def test_without_a_linker_llvm_loads_what_was_compiled(command, compiles, monkeypatch):
    monkeypatch.setattr(linked.sysconfig, "get_config_var", lambda name: command)
    monkeypatch.setattr(linked, "_PATIENCE_S", 0.2)
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    assert not [*compiles.rglob("*.so*")]
    found = machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)
    assert added(found) == [11.5, 22.5]
    assert found.compiled_s == 0


def test_a_linker_that_hangs_is_ended_with_what_it_has_begun(compiles, monkeypatch):
    begun = compiles / "begun"
    monkeypatch.setattr(linked.sysconfig, "get_config_var", lambda name: f"sh -c 'sleep 60 & echo $! >{begun}; wait'")
    monkeypatch.setattr(linked, "_PATIENCE_S", 0.5)
    assert added(machine_code.machine_code(ARGUMENTS, make, SOURCES)) == [11.5, 22.5]
    assert not [*compiles.rglob("*.so*")]
    wait_for(is_gone, int(begun.read_text()))


def test_a_file_that_is_whole_is_never_replaced(tmp_path):
    file = tmp_path / "code"
    kept_code.write(file, b"first")
    before = file.stat()
    kept_code.write(file, b"second")
    assert kept_code.read(file) == b"first"
    assert file.stat() == before
    file.write_bytes(b"damaged")
    kept_code.write(file, b"second")
    assert kept_code.read(file) == b"second"


def test_either_file_is_enough(compiles, linked_here):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    (library,), (object_file,) = compiles.rglob("*.so"), compiles.rglob("*.machine-code")
    for one in (library, object_file):
        away = one.rename(compiles / "away")
        assert machine_code.is_kept(SOURCES)
        assert added(machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)) == [11.5, 22.5]
        away.rename(one)


def test_a_library_alone_is_loaded_without_llvm(compiles, linked_here, monkeypatch):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    for module in [name for name in sys.modules if name.partition(".")[0] == "llvmlite"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert added(machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)) == [11.5, 22.5]


@pytest.mark.parametrize("said", ["what Linux says", ""])
def test_another_processor_or_version_compiles_its_own(said, compiles, monkeypatch):
    binding = pytest.importorskip("llvmlite.binding")
    monkeypatch.setattr(machine_code, "instructions", lambda: said)
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    name, version = binding.get_host_cpu_name(), importlib.metadata.version("llvmlite")
    (before,) = compiles.rglob("*.machine-code")
    with monkeypatch.context() as elsewhere:
        # where the machine does not say it, LLVM knows
        elsewhere.setattr(binding, "get_host_cpu_name", lambda: "x86-64" if "86" in name else "generic")
        elsewhere.setattr(machine_code, "instructions", lambda: said and f"{said}, and more")
        assert machine_code._kept_in(SOURCES) != before
    assert machine_code._kept_in(SOURCES) == before
    monkeypatch.setattr(importlib.metadata, "version", lambda _: f"{version}.1")
    assert machine_code._kept_in(SOURCES) != before


def test_what_was_kept_for_another_processor_is_not_known_here(compiles):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    for kept in kept_files(compiles):
        kept.rename(kept.with_name(f"0123456789abcdef{kept.suffix}"))
    assert not machine_code.is_kept(SOURCES)


@pytest.mark.parametrize("command", ["", sysconfig.get_config_var("LDSHARED")])
def test_code_of_other_functions_is_not_called(command, compiles, monkeypatch):
    monkeypatch.setattr(linked.sysconfig, "get_config_var", lambda name: command)
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    with pytest.raises(ImportError, match="of other functions"):
        machine_code.machine_code({"other": ARGUMENTS["add"]}, make_nothing, SOURCES)


def test_seconds_of_compiling_are_told_of_once(monkeypatch):
    monkeypatch.setattr(in_compiled_code, "_functions", None)
    monkeypatch.setattr(in_compiled_code, "loaded", lambda: machine_code.MachineCode({}, 7.0))
    # as a process that was forked finds it
    assert [in_compiled_code.compile_measures() for _ in range(2)] == [7.0, 0.0]


def test_where_nothing_can_be_kept_it_is_compiled_each_time(compiles, monkeypatch):
    (compiles / "file").write_text("")
    monkeypatch.setattr(compiling.platformdirs, "user_cache_path", lambda name: compiles / "file" / name)
    for _ in range(2):
        found = machine_code.machine_code(ARGUMENTS, make, SOURCES)
        assert found.compiled_s > 0
        assert added(found) == [11.5, 22.5]
    assert not machine_code.is_kept(SOURCES)


def test_a_full_disk_leaves_nothing_half_written(compiles, monkeypatch):
    def full(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert added(machine_code.machine_code(ARGUMENTS, make, SOURCES)) == [11.5, 22.5]
    assert not kept_files(compiles)


@pytest.mark.parametrize(
    "values",
    [np.zeros(4)[::2], np.zeros(2, np.float32), [0.0, 0.0], np.zeros((2, 2)).T],
    ids=["with gaps", "of another type", "a list", "turned"],
)
def test_memory_that_is_not_as_it_is_said_to_be_is_refused(values, compiles):
    found = machine_code.machine_code(ARGUMENTS, make, SOURCES)
    with pytest.raises(TypeError, match="expected an array of float64 as it lies in memory"):
        found.functions["add"](values, np.zeros(2, np.int64), 2)


def test_a_function_that_needs_more_than_it_is_given_is_refused_and_not_kept(compiles):
    with pytest.raises(ImportError, match=r"compiled functions need .*NRT_"):
        machine_code.machine_code(ARGUMENTS, make_one_that_allocates, SOURCES)
    assert not machine_code.is_kept(SOURCES)


def test_nothing_is_loaded_where_nothing_is_to_be_compiled(compiles, monkeypatch):
    machine_code.machine_code(ARGUMENTS, make, SOURCES)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    with pytest.raises(ImportError, match="NUMBA_DISABLE_JIT"):
        machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)
    # before Numba is there, the same by what it would read
    monkeypatch.delitem(sys.modules, "numba")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert compiling.is_told_not_to()
    for off in ("0", ""):
        monkeypatch.setenv("NUMBA_DISABLE_JIT", off)
        assert not compiling.is_told_not_to()


def test_without_llvm_an_import_error_says_so(compiles, monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(ImportError, match="llvmlite"):
        machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)


def test_an_llvm_that_is_not_installed_is_an_import_error(compiles, monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert not machine_code.is_kept(SOURCES)
    with pytest.raises(ImportError, match="llvmlite"):
        machine_code.machine_code(ARGUMENTS, make_nothing, SOURCES)


def test_an_llvm_that_is_broken_is_no_crash(compiles, monkeypatch):
    binding = pytest.importorskip("llvmlite.binding")

    def broken(*_, **__):
        raise OSError("cannot open shared object file")

    monkeypatch.setattr(binding, "create_mcjit_compiler", broken)
    with pytest.raises(ImportError, match="nothing can be compiled here: OSError: cannot open"):
        machine_code.machine_code(ARGUMENTS, make, SOURCES)


def test_measures_that_were_compiled_are_loaded_without_numba():
    pytest.importorskip("numba")
    code = (
        "import sys\n"
        "from condense_core.measures import in_compiled_code\n"
        "print(in_compiled_code.compile_measures(), 'numba' in sys.modules, in_compiled_code.is_kept())\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0"}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert said[1] == ["0.0", "False", "True"]


@pytest.mark.parametrize(
    ("members", "kept", "loads"),
    # 21 steps of ten kernels: 63 µs are saved of each member
    [(200, True, False), (2_000, True, True), (1_000, False, False), (2_000, False, True)],
)
def test_measures_are_loaded_where_that_saves_time(members, kept, loads, small, monkeypatch):
    experiment = msgspec.structs.replace(
        small, ensemble=msgspec.structs.replace(small.ensemble, members=members), steps=20
    )
    monkeypatch.setattr(probes, "scheduled_steps", lambda _: range(21))
    monkeypatch.setattr(probes, "is_kept", lambda: kept)
    monkeypatch.setattr(probes, "compile_measures", lambda: 7.0)
    monkeypatch.setitem(sys.modules, "numba", sys)
    view = type("View", (), {"step": 0, "seconds": 0.0, "layers": {"layer1": None}})()
    members_ = MemberViews([view])
    monkeypatch.setattr(MemberViews, "geometry", lambda *_: Geometry(kind="dense", kernels=10, entries=3, channels=1))
    assert probes.compile_where_it_repays(experiment, members_) == (7.0 if loads else 0.0)
