"""Functions that Numba compiles once for a machine, kept as machine code that later processes load without Numba.

Numba takes half a second to load, and compiles for some seconds; what is kept is loaded in thousandths of a second as
a library, and by LLVM in hundredths. For that, functions have to do with the memory that they are given: none is
allocated, and nothing is raised.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from condense_core import kept_code, linked
from condense_core.compiling import cache_folder, in_words, is_told_not_to
from condense_core.linked import Loaded
from condense_core.machine import instructions

_Array = np.ndarray[Any, Any]

_ENDING, _LINKED = ".machine-code", ".so"
# Where an array begins, of any size.
_Start = ctypes.c_char * 0


class Arguments(NamedTuple):
    """What a compiled function is called with: arrays by their type, one after the other in memory, then whole
    numbers."""

    arrays: Sequence[type[np.generic]]
    numbers: int


class Function:
    """A compiled function, to be called with arrays and whole numbers as its `Arguments` say."""

    def __init__(self, address: int, arguments: Arguments, keeps: object) -> None:
        """`keeps` holds the code in memory."""
        types = [*(ctypes.c_void_p for _ in arguments.arrays), *(ctypes.c_int64 for _ in range(arguments.numbers))]
        self._call = ctypes.CFUNCTYPE(None, *types)(address)
        self._dtypes = [np.dtype(kind) for kind in arguments.arrays]
        self._keeps = keeps

    def __call__(self, *arguments: _Array | int) -> None:
        """TypeError for an array of another type or layout. That arrays are as large as the numbers say is up to the
        caller: memory is read and written without looking."""
        count = len(self._dtypes)
        arrays, numbers = arguments[:count], arguments[count:]
        for array, dtype in zip(arrays, self._dtypes, strict=True):
            if not (isinstance(array, np.ndarray) and array.dtype == dtype and array.flags.c_contiguous):
                raise TypeError(f"expected an array of {dtype} as it lies in memory, got {array!r:.200}")
        self._call(*map(_address, arrays), *numbers)


def _address(array: Any) -> int:
    try:
        # a fifth of the time that NumPy's own way takes
        return ctypes.addressof(_Start.from_buffer(array))
    except TypeError:
        # it is to be read only
        address: int = array.ctypes.data
        return address


class MachineCode(NamedTuple):
    """Compiled functions by name."""

    functions: Mapping[str, Function]
    compiled_s: float
    """Seconds that compiling took; 0 where the code was kept."""


def machine_code(
    arguments: Mapping[str, Arguments], make: Callable[[], Mapping[str, Callable[..., None]]], sources: Sequence[Path]
) -> MachineCode:
    """The functions that `make` gives under these names, from the user's cache or compiled now; `sources` is all that
    goes into them. `make` is called where they are compiled, and may import Numba: each of its functions takes pointers
    to what is in the arrays, and the whole numbers.

    ImportError where neither is possible: LLVM or Numba is not there, too old, broken, or told not to compile.
    """
    if is_told_not_to():
        raise ImportError("Numba is told not to compile (NUMBA_DISABLE_JIT)")
    begun = time.monotonic()
    try:
        kept, seconds = _kept_in(sources), 0.0
        loaded = None if kept is None else linked.load(kept.with_suffix(_LINKED))
        if loaded is None:
            code = None if kept is None else kept_code.read(kept)
            if code is None:
                code = _compiled(arguments, make, kept)
                seconds = time.monotonic() - begun
            loaded = _loaded_by_llvm(code)
        addresses = {name: loaded.address(name) for name in arguments}
        if not all(addresses.values()):
            raise ImportError("the code that was kept is of other functions")
        found = {name: Function(addresses[name], each, loaded) for name, each in arguments.items()}
    except ImportError:
        raise
    except Exception as error:
        # whatever a library that is broken or of another version raises: measures can be found without it
        raise ImportError(f"nothing can be compiled here: {in_words(error)}") from error
    return MachineCode(found, seconds)


def is_kept(sources: Sequence[Path]) -> bool:
    """Whether `machine_code` of these was compiled before, for this processor."""
    folder = cache_folder(sources)
    if folder is None or not any(folder.iterdir()):
        return False
    try:
        kept = _kept_in(sources)
    except Exception:  # noqa: BLE001 - whatever a broken library raises: `machine_code` says what is wrong
        return False
    return kept is not None and (kept.exists() or kept.with_suffix(_LINKED).exists())


def _kept_in(sources: Sequence[Path]) -> Path | None:
    """The file for this processor and version of LLVM's library; None where nothing can be kept. Homes are shared by
    machines that differ. ImportError where that library is not there."""
    folder = cache_folder(sources)
    version = importlib.metadata.version("llvmlite")
    name = hashlib.sha256(f"{version} {instructions() or _instructions_by_llvm()}".encode()).hexdigest()[:16]
    return None if folder is None else folder / f"{name}{_ENDING}"


def _instructions_by_llvm() -> str:
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    return f"{binding.get_default_triple()} {binding.get_host_cpu_name()} {features}"


def _loaded_by_llvm(code: bytes) -> Loaded:
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Loaded(engine.get_function_address, engine)


def _compiled(
    arguments: Mapping[str, Arguments], make: Callable[[], Mapping[str, Callable[..., None]]], kept: Path | None
) -> bytes:
    """An object file for LLVM, which is kept, and as a library beside it where that can be linked."""
    from llvmlite import binding
    from numba import cfunc, types

    whole: Any = None
    for name, function in make().items():
        signature = types.void(
            *(types.CPointer(_numba_type(types, kind)) for kind in arguments[name].arrays),
            *(types.int64 for _ in range(arguments[name].numbers)),
        )
        made = cfunc(signature, error_model="numpy")(function)
        module = binding.parse_assembly(_with_own_roots(made.inspect_llvm()))
        module.get_function(made.native_name).name = name
        if whole is None:
            whole = module
        else:
            whole.link_in(module)
    for each in (*whole.functions, *whole.global_variables):
        if not each.is_declaration and each.name not in arguments:
            each.linkage = "internal"
    machine = _machine()
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(whole, passes)
    # of Numba's runtime, say: it is not there where this is loaded, and LLVM ends the process then
    named = (each.name for each in (*whole.functions, *whole.global_variables) if each.is_declaration)
    missing = [name for name in named if not name.startswith("llvm.")]
    if missing:
        raise ImportError(f"compiled functions need {', '.join(missing)}")
    if kept is not None:
        linked.link(_machine(reloc="pic", codemodel="small", jit=False).emit_object(whole), kept.with_suffix(_LINKED))
    code: bytes = machine.emit_object(whole)
    if kept is not None:
        kept_code.write(kept, code)
    return code


def _with_own_roots(assembly: str) -> str:
    """The same with LLVM's own square root, which is an instruction, and no call of the mathematical library."""
    declared = "declare double @llvm.sqrt.f64(double)"
    if declared in assembly:
        # as Numba's own passes have made of some of them
        assembly = re.sub(r"^declare double @sqrt\(double\).*$", "", assembly, flags=re.MULTILINE)
    return assembly.replace("@sqrt(", "@llvm.sqrt.f64(")


def _numba_type(types: ModuleType, kind: type[np.generic]) -> Any:
    return types.boolean if kind is np.bool_ else getattr(types, np.dtype(kind).name)


def _machine(reloc: str = "default", codemodel: str = "jitdefault", jit: bool = True) -> Any:
    """This processor, for code that LLVM loads; or as asked for."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc=reloc,
        codemodel=codemodel,
        jit=jit,
    )
