"""Where a scenario's files are on this machine: its data, and the weights that it starts from."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from condense_core.errors import DataError
from condense_core.foreign import open_file
from condense_core.scenario.class_folders import class_folders, pictures
from condense_core.scenario.data import Cifar10, Cifar100, Csv, Folder, Mnist, Npz
from condense_core.scenario.data_sizes import arrays_of
from condense_core.scenario.experiment import Experiment
from condense_core.scenario.fitting import check_fits
from condense_core.text import place_of

DATA_ROOT_VARIABLE = "CONDENSE_DATA_ROOT"
# Bytes of a file that are read at a time.
CHUNK = 2**20
# What torchvision makes in the root of each of its sets.
_FOLDERS = {Mnist: "MNIST", Cifar10: "cifar-10-batches-py", Cifar100: "cifar-100-python"}


def check_data_is_there(experiment: Experiment) -> None:
    """DataError if the scenario's data or its initial weights are missing or, of a file of one's own, cannot be
    trained on: the worker would say it too, but later."""
    data = experiment.data
    if experiment.initial is not None and not Path(experiment.initial).is_file():
        raise DataError(f"initial: no file {experiment.initial}; expected a safetensors file of weights")
    if isinstance(data, Folder):
        place = place_of(data.path)
        if not place.is_dir():
            raise DataError(
                f"data.path: no folder {data.path}; expected one folder of images for each class (--data folder:PATH)"
            )
        class_folders(place)
    if isinstance(data, Npz | Csv) and not place_of(data.path).is_file():
        name = data.__struct_config__.tag
        raise DataError(
            f"data.path: no file {data.path} on {socket.gethostname()}, where it is read (--data {name}:PATH)"
        )
    if isinstance(data, Csv) and data.test_path is not None and not place_of(data.test_path).is_file():
        raise DataError(f"data.test_path: no file {data.test_path} on {socket.gethostname()}, where it is read")
    check_data_fits(experiment)
    if isinstance(data, Mnist | Cifar10 | Cifar100) and not data.download:
        root = data_root(data.root)
        if not root.is_dir():
            name = data.__struct_config__.tag
            raise DataError(
                f"data.root: no folder {root} for {name}; give its folder with --data-root DIR, or add --download"
            )
        if not data_is_there(type(data), root):
            inside = _FOLDERS[type(data)]
            raise DataError(
                f"data.root: no {inside} in {root}; give another folder with --data-root DIR, or add --download"
            )


def missing_set(experiment: Experiment) -> str:
    """The data set that would have to be fetched first, and where it was looked for: `mnist, not in /data`; empty where
    nothing is missing."""
    data = experiment.data
    if not isinstance(data, Mnist | Cifar10 | Cifar100) or data.download:
        return ""
    root = data_root(data.root)
    return "" if data_is_there(type(data), root) else f"{data.__struct_config__.tag}, not in {root}"


def check_data_fits(experiment: Experiment) -> None:
    """DataError if data of one's own cannot be read, or are not what the scenario's network and loss need. Of other
    data that is known from the scenario."""
    if isinstance(experiment.data, Npz | Csv):
        check_fits(experiment, arrays_of(experiment.data))


def data_is_there(kind: type[Mnist | Cifar10 | Cifar100], root: Path) -> bool:
    """Whether torchvision has put that data set into `root`."""
    return (root / _FOLDERS[kind]).is_dir()


def data_root(given: str | None) -> Path:
    """Where torchvision's data sets are: `given`, else $CONDENSE_DATA_ROOT, else the user's cache folder."""
    import platformdirs

    root = given or os.environ.get(DATA_ROOT_VARIABLE)
    return place_of(root) if root else platformdirs.user_cache_path("condense-tui") / "data"


def files_of(experiment: Experiment) -> list[Path]:
    """Files and folders of its user's own that a scenario names, as they would be on this machine."""
    data = experiment.data
    named = [data.path] if isinstance(data, Folder | Npz | Csv) else []
    further = data.test_path if isinstance(data, Csv) else None
    return [place_of(path) for path in (*named, further, experiment.initial) if path]


def digest_of(files: Sequence[Path]) -> str:
    """A hexadecimal number that another content of those files would change, as `files_of` gives them; of a folder of
    images, which may be many GB, other names or sizes of its files. Empty where none of them is on this machine, or
    can be read: whoever reads them says so."""
    digest = hashlib.blake2b(digest_size=16)
    found = False
    for place in files:
        with contextlib.suppress(OSError, DataError):
            if place.is_dir():
                inside = [file for folder in class_folders(place) for file in pictures(folder)]
                for file in inside:
                    digest.update(f"{file.relative_to(place)} {file.stat().st_size}\n".encode())
            else:
                with open_file(place) as opened:
                    while part := opened.read(CHUNK):
                        digest.update(part)
            found = True
    return digest.hexdigest() if found else ""


def with_absolute_paths(experiment: Experiment) -> Experiment:
    """The experiment with every path in it made absolute, so that it means the same in another process."""
    data = experiment.data
    if isinstance(data, Folder | Npz | Csv):
        data = msgspec.structs.replace(data, path=str(place_of(data.path).resolve()))
        if isinstance(data, Csv) and data.test_path is not None:
            data = msgspec.structs.replace(data, test_path=str(place_of(data.test_path).resolve()))
    elif isinstance(data, Mnist | Cifar10 | Cifar100):
        data = msgspec.structs.replace(data, root=str(data_root(data.root).resolve()))
    initial = experiment.initial and str(Path(experiment.initial).expanduser().resolve())
    return msgspec.structs.replace(experiment, data=data, initial=initial)
