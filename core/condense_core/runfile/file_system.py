"""Which file system a place is on, and whether processes that write there share memory: a write-ahead log needs that.

Decided by what a type can do, since no list of networks is ever complete: what has no block device of its own is taken
for a network, unless it is known to be this machine's memory or a layer over its disks.
"""

from __future__ import annotations

import re
from pathlib import Path

# Without a block device, and of this machine all the same.
_LOCAL = frozenset({"tmpfs", "ramfs", "rootfs", "devtmpfs", "overlay", "aufs", "zfs", "ecryptfs", "btrfs"})
# With a block device that several machines have in common.
_SHARED = frozenset({"gfs2", "ocfs2"})
_MOUNTS, _TYPES = Path("/proc/mounts"), Path("/proc/filesystems")


def network_type(place: Path) -> str:
    """The type of `place`'s file system if it may be shared with other machines, as /proc/mounts names it (`nfs4`,
    `fuse.sshfs`); else empty. Empty too where the system has no such table."""
    kind = file_system(place)
    if not kind or kind in _LOCAL:
        return ""
    return kind if kind in _SHARED or kind not in _with_a_device() else ""


def file_system(place: Path) -> str:
    """Type of the file system that holds `place`, as /proc/mounts names it; empty if there is no such table."""
    best, kind = -1, ""
    where = str(place.resolve())
    for line in _lines(_MOUNTS):
        _, point, type_, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        # of two on one point the later one hides the other
        if inside and len(point) >= best:
            best, kind = len(point), type_
    return kind


def _with_a_device() -> frozenset[str]:
    """Types that this system's kernel reads from a block device: lines that do not begin with `nodev`."""
    return frozenset(line.strip() for line in _lines(_TYPES) if not line.startswith("nodev"))


def _lines(table: Path) -> list[str]:
    return table.read_text(encoding="utf-8", errors="replace").splitlines() if table.exists() else []
