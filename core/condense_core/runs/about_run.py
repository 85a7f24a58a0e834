"""What a person says of a run: a name, a note, tags, and whether it is archived; and what is noted as it is made: of
which sweep it is, and what was changed over a file.

It lies in the run's folder, in a file of its own (`about.toml`) that is replaced whole: the run file belongs to the
worker that writes it, and a folder that is copied takes these words with it. A copy of a run on another machine begins
with the words that the run has there; what is written here afterwards stays here.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import tomli_w
from msgspec import Meta

from condense_core import typed
from condense_core.errors import RunFileError
from condense_core.foreign import bounded_text, decoding, toml_table
from condense_core.runs.about_file import ABOUT_NAME, LARGEST, LONGEST_NAME, written
from condense_core.text import printable, short

LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 2_000, 40, 50
# Fields of a scenario by their dotted names, as `layers.0.width`; a label tells far fewer.
LONGEST_FIELD, MOST_CHANGED = 80, 20
FIELD = r"[a-z0-9_]+(\.[a-z0-9_]+)*"
# A tag is typed in queries, where a comma stands between two.
TAG = r"[\w][\w.+/-]{0,39}"


ChangedFields = Annotated[
    tuple[Annotated[str, Meta(max_length=LONGEST_FIELD, pattern=f"^{FIELD}$")], ...], Meta(max_length=MOST_CHANGED)
]


class AboutRun(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """`name` stands for the run wherever it is shown; empty where nobody gave it one. `sweep` is whose cell it is.
    `changed` are the fields that were set otherwise than in the person's own file that the run was made from."""

    name: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""
    tags: Annotated[
        tuple[Annotated[str, Meta(max_length=LONGEST_TAG, pattern=f"^{TAG}$")], ...], Meta(max_length=MOST_TAGS)
    ] = ()
    archived: bool = False
    sweep: Annotated[str, Meta(max_length=LONGEST_NAME)] = ""
    changed: ChangedFields = ()


NOTHING = AboutRun()


class AboutChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of it; None leaves a thing as it is, an empty text takes it away."""

    name: Annotated[str, Meta(max_length=LONGEST_NAME)] | None = None
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] | None = None
    tags: Annotated[tuple[Annotated[str, Meta(max_length=LONGEST_TAG)], ...], Meta(max_length=MOST_TAGS)] = ()
    """Tags that are added."""
    without: Annotated[tuple[Annotated[str, Meta(max_length=LONGEST_TAG)], ...], Meta(max_length=MOST_TAGS)] = ()
    """Tags that are taken away."""
    archived: bool | None = None


def checked_change(change: AboutChange) -> AboutChange:
    """The change, where it can be made of a run; RunFileError in one line that says what is expected."""
    for what, text, most in (("name", change.name, LONGEST_NAME), ("note", change.note, LONGEST_NOTE)):
        if text is not None and (len(text) > most or printable(text) != text):
            raise RunFileError(f"the {what} of a run: expected up to {most:,} printable characters, got {short(text)}")
    checked_tags((*change.tags, *change.without))
    return change


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags, each once; RunFileError for what is none."""
    found = tuple(dict.fromkeys(tags))
    for tag in found:
        if not re.fullmatch(TAG, tag):
            raise RunFileError(
                f"{short(tag)} is not a tag; expected up to {LONGEST_TAG} letters, digits and any of _ . + / - inside"
            )
    return found


def changed(about: AboutRun, change: AboutChange) -> AboutRun:
    """What is said of the run after the change."""
    tags = tuple(dict.fromkeys((*(tag for tag in about.tags if tag not in change.without), *change.tags)))
    if len(tags) > MOST_TAGS:
        raise RunFileError(f"a run has up to {MOST_TAGS} tags, and this one would have {len(tags)}")
    return AboutRun(
        name=about.name if change.name is None else change.name.strip(),
        note=about.note if change.note is None else change.note.strip(),
        tags=tags,
        archived=about.archived if change.archived is None else change.archived,
        sweep=about.sweep,
        changed=about.changed,
    )


def read_about(folder: Path) -> AboutRun:
    """What is said of the run in a folder, with texts that can be shown; nothing where there is no such file, or a run
    file lies somewhere by itself. RunFileError for a file that makes no sense."""
    data = written(folder)
    if not data:
        return NOTHING
    with decoding(RunFileError, f"{folder / ABOUT_NAME} makes no sense"):
        return shown_about(typed.convert(toml_table(bounded_text(data, LARGEST)), AboutRun))


def known_about(folder: Path) -> AboutRun:
    """The same, with nothing where the file makes no sense: home and `runs list` say what is wrong with it."""
    try:
        return read_about(folder)
    except RunFileError:
        return NOTHING


def shown_about(about: AboutRun) -> AboutRun:
    """Words that came from a file or from another machine, with texts that can be shown."""
    if about is NOTHING:
        return about
    return msgspec.structs.replace(
        about,
        name=printable(about.name),
        note=printable(about.note),
        tags=tuple(printable(tag) for tag in about.tags),
        sweep=printable(about.sweep),
    )


def change_about(folder: Path, change: AboutChange) -> AboutRun:
    """Change what is said of the run in a folder; RunFileError where it cannot be written. No worker notices."""
    after = changed(read_about(folder), checked_change(change))
    write_about(folder, after)
    return after


def write_about(folder: Path, about: AboutRun) -> None:
    """Replace what is said of the run in a folder, whole; with nothing said there is no file."""
    import secrets

    file = folder / ABOUT_NAME
    # by this name what was left of a copy that was killed is cleared
    partial = folder / f".{ABOUT_NAME}.partial-{secrets.token_hex(4)}"
    try:
        if about == NOTHING:
            file.unlink(missing_ok=True)
            return
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(tomli_w.dumps(msgspec.to_builtins(about)).encode())
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(partial, file)  # noqa: PTH105 - replaces atomically
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
    except OSError as error:
        raise RunFileError(
            f"cannot write {file}: {error.strerror}; name, note and tags of a run are kept in its folder"
        ) from None


def taken_over(here: AboutRun, there: AboutRun) -> AboutRun:
    """What a copy says of its run after it was brought up to date: what was written here stays, the rest is taken from
    the machine that the run is on."""
    return AboutRun(
        name=here.name or there.name,
        note=here.note or there.note,
        tags=tuple(dict.fromkeys((*there.tags, *here.tags)))[:MOST_TAGS],
        archived=here.archived,
        sweep=here.sweep or there.sweep,
        changed=here.changed or there.changed,
    )
