"""The run file: its tables, and the two ways to open it.

SQLite in WAL mode: a commit survives `kill -9`, and any number of readers see whole transactions while one worker
writes. A reader's connection cannot write, and runs no code that a file could bring along.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote_from_bytes

from condense_core.errors import RunFileError
from condense_core.foreign import PASSING, decoding, reason
from condense_core.runfile.file_system import network_type
from condense_core.runfile.tables import needed, tables

# Raised with every change of the tables. An older file is read, and whoever goes on with it writes it as it is; a newer
# one is refused. What each version added (their tables: tables.py):
# 1: all tables.
# 2: the scalars of a step as one packed row, and `layout`, which says whose values a row has (packed.py).
# 3: of runs that somebody's own script trains: `trainer`, `can`, and steps that nobody knows (info.py).
# 4: kinds and layers of frames once, in `place`; frames of several members as one row (frame_table.py, stacks.py).
# 5: checksums, at the end of the data of each row of scalars and of frames, and of layouts and places (checksums.py).
VERSION = 5
FILE_NAME = "run.sqlite"

# A viewer that holds a read lock, or a second worker in its last transaction, is waited for this long.
BUSY_MS = 5_000

# Of what a reader is handed: a frame of the largest size and everything else in its row. A few bytes of a hostile file
# stand for a gigabyte of zeros.
LONGEST_VALUE = 8 * 1024 * 1024

# The highest sequence number in the file, 0 in an empty one: the rows of all tables share one counter.
NEWEST_SEQ = (
    "SELECT ifnull(max(s), 0) AS newest FROM (SELECT max(seq) AS s FROM scalar UNION ALL SELECT max(seq) FROM frame"
    " UNION ALL SELECT max(seq) FROM event)"
)

# No code that a file brings along is run, and no page is believed.
_CAREFUL = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"

# What SQLite tells a reader that would have to write first; an error that Python itself raises has no name.
_HALF_DONE = "SQLITE_READONLY_ROLLBACK"
# Names of errors that say nothing about what is in the file.
_KEPT_OUT = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_NOMEM")


class _HalfDoneError(RunFileError):
    """Somebody died in the middle of writing without a log: when the file's journal was just being changed."""


def reading(place: Path) -> contextlib.AbstractContextManager[None]:
    """Around everything that reads a run file: whatever goes wrong there is a RunFileError that names `place`."""
    return _Reading(place)


class _Reading(contextlib.AbstractContextManager[None]):
    # a class: of a generator, which is entered at each of a hundred thousand reads, Python makes as much as of the read
    def __init__(self, place: Path) -> None:
        self._place = place

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, PASSING):
            return
        name = getattr(error, "sqlite_errorname", "")
        kept_out = isinstance(error, OSError | MemoryError) or name.startswith(_KEPT_OUT)
        why = reason(error)
        raise RunFileError(f"cannot read {self._place}: {why if kept_out else f'it is damaged ({why})'}") from error


def writing(place: Path) -> contextlib.AbstractContextManager[None]:
    """Around what writes a run file: whatever goes wrong there is a RunFileError that names `place`."""
    return decoding(RunFileError, f"cannot write {place}")


def create(file: Path, version: int = VERSION) -> None:
    """Make an empty run file, for its owner only; RunFileError if the place cannot be written. Of an earlier `version`
    is the copy of a file that is."""
    with writing(file):
        # SQLite gives its own files beside it the same rights
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with writing(file), contextlib.closing(_connect(file, "rw")) as connection:
        _choose_journal(connection, file)
        connection.executescript(f"BEGIN; {tables(version)} PRAGMA user_version = {version}; COMMIT;")


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open run file, which never changes."""
    known = connection.version if isinstance(connection, _RunConnection) else 0
    if known:
        return known
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def open_writer(file: Path) -> sqlite3.Connection:
    """A connection that can write; transactions are begun and ended by hand."""
    connection = _open(file, "rw")
    with _closed_after_trouble(connection), writing(file):
        _choose_journal(connection, file)
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextlib.contextmanager
def writer(file: Path) -> Iterator[sqlite3.Connection]:
    """`open_writer` for the length of the block; what the disk refuses there is a RunFileError too. Where nobody else
    has the file open it is then one file without a log, so that a log that is missing later was lost."""
    connection = open_writer(file)
    try:
        with writing(file):
            yield connection
    finally:
        with contextlib.suppress(sqlite3.Error):  # somebody has: the log stays
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()


def open_reader(file: Path, *, alone: bool = False, still: bool = False) -> sqlite3.Connection:
    """A connection that can only read. A file in a folder that cannot be written is read as it stands on disk.

    With a log beside it, a copy of both is. So is one that is `alone`, which no worker writes to, where there is no
    log: SQLite would leave files of its own there. With `still` it is of one moment until it is closed, which saves
    looking for a log at each query.
    """
    if alone and not any(os.path.exists(f"{file}{end}") for end in ("-wal", "-journal")):  # noqa: PTH110
        return _open(file, "ro&immutable=1", still)
    try:
        connection = _open(file, "ro", still)
    except _HalfDoneError:
        # whoever can write takes back what the dead process had begun, as a worker that resumes the run would
        _open(file, "rw").close()
        connection = _open(file, "ro", still)
    except RunFileError:
        if os.access(file.parent, os.W_OK) or not os.path.exists(file):  # noqa: PTH110 - no error where it is closed
            raise
        connection = _open_copy(file) if _log_size(file) else _open(file, "ro&immutable=1", still)
    return connection


def _only_read(connection: _RunConnection) -> None:
    """Have a connection write nothing, and take no value that is too long."""
    connection.executescript(f"{_CAREFUL}; PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)


def log_is_missing(connection: sqlite3.Connection) -> bool:
    """Whether rows were written to a log that is not there (or empty, as SQLite makes one while it looks for it). So
    it is with a file that was copied by itself while somebody wrote to it."""
    name = next(row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
    file = Path(name)
    if not file.is_file():
        # a copy of file and log, whose names are gone
        return False
    if not isinstance(connection, _Immutable):
        # never by opening the file: closing it again would drop every lock that this process has on it, its worker's
        # too, and then whoever closes it last elsewhere removes the log that the worker goes on writing to
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
        return journal == "wal" and not _log_size(file)
    with file.open("rb") as opened:
        # SQLite looks for no log here; the format's own mark of a file whose newest rows are in one
        return opened.read(20)[18:] == b"\2\2" and not _log_size(file)


def _log_size(file: Path) -> int:
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _open_copy(file: Path) -> _RunConnection:
    """What file and log hold, from a copy that goes with the connection: nobody writes where no index is."""
    import shutil
    import tempfile

    with reading(file), tempfile.TemporaryDirectory(prefix="condense-tui-") as folder:
        copy = Path(folder) / file.name
        for end in ("", "-wal"):
            shutil.copyfile(f"{file}{end}", f"{copy}{end}")
        connection = _open(copy, "rw")
        with _closed_after_trouble(connection):
            # read before the names go; the open files last as long as the connection
            connection.execute("SELECT count(*) FROM run").fetchone()
            _only_read(connection)
        return connection


def _open(file: Path, mode: str, still: bool = False) -> _RunConnection:
    with reading(file):
        if not file.is_file():
            raise RunFileError(f"no run file at {file}")
        connection = _connect(file, mode)
        with _closed_after_trouble(connection):
            try:
                if still:
                    connection.execute("BEGIN")
                _check(connection, file, still)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "") == _HALF_DONE:
                    raise _HalfDoneError(f"cannot read {file}: {reason(error)}") from None
                raise
    return connection


def _check(connection: _RunConnection, file: Path, still: bool) -> None:
    """Refuse what is no run file, and one of a later version."""
    version = version_of(connection)
    # a table without pages is one that a module of SQLite's makes up as it is read
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0").fetchall()
    found = frozenset(name for (name,) in names)
    if version > VERSION:
        raise RunFileError(
            f"{file} has format {version}, and this program reads up to {VERSION}: install a newer condense-tui"
        )
    if version < 1 or not needed(version) <= found:
        raise RunFileError(f"{file} is not a condense-tui run file")
    connection.version = version
    if still:
        connection.tables = found


def is_still(connection: sqlite3.Connection) -> bool:
    """Whether a connection is of one moment until it is closed, as `open_reader` says: what was read once stays."""
    return isinstance(connection, _RunConnection) and connection.tables is not None


@contextlib.contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads in the block see the file as of one commit."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        # after some errors SQLite has ended it itself
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class _closed_after_trouble(contextlib.AbstractContextManager[None]):  # noqa: N801 - as `contextlib.closing`
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._connection.close()


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the file has that table besides those of every run: a mirror does."""
    if isinstance(connection, _RunConnection) and connection.tables is not None:
        return name in connection.tables
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name = ?", (name,)
    )
    return found.fetchone() is not None


class _RunConnection(sqlite3.Connection):
    """A connection that keeps what was found as it was opened. A list asks for it six times a run."""

    version = 0
    """Of the file; 0 before it was looked at."""
    tables: frozenset[str] | None = None
    """Names of all tables, where the connection is of one moment, in which none is added."""


class _Immutable(_RunConnection):
    """A connection to a file that nobody writes to: without locks, and without a log."""


def _connect(file: Path, mode: str) -> _RunConnection:
    # what `Path.as_uri` does, in a fifth of its time
    place = os.fsencode(file)
    whole = place if place.startswith(b"/") else os.path.join(os.getcwdb(), place)  # noqa: PTH109, PTH118
    uri = f"file://{quote_from_bytes(whole)}?mode={mode}"
    # one thread at a time uses a connection; the owner of the connection sees to that
    kind = _Immutable if "immutable" in mode else _RunConnection
    connection = sqlite3.connect(
        uri, timeout=BUSY_MS / 1000, uri=True, isolation_level=None, check_same_thread=False, factory=kind
    )
    with _closed_after_trouble(connection):
        if mode == "rw":
            connection.executescript(_CAREFUL)
        else:
            _only_read(connection)
    return connection


def _choose_journal(connection: sqlite3.Connection, file: Path) -> None:
    # a log needs memory that its readers share, which file systems do not give between machines
    wanted = "TRUNCATE" if network_type(file) else "WAL"
    (got,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
    if got.upper() != wanted:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
