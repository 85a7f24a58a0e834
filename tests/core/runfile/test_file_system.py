"""Where a write-ahead log may be used, from tables of mounts as other machines have them."""

from pathlib import Path

import pytest

from condense_core.runfile import file_system
from condense_core.runfile.file_system import network_type

MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
overlay /var/lib/docker overlay rw 0 0
server:/home /home nfs4 rw 0 0
me@there: /mnt/sshfs fuse.sshfs rw 0 0
bucket /mnt/s3 fuse.s3fs rw 0 0
box /mnt/plain fuse rw 0 0
/dev/sdb1 /mnt/ntfs fuseblk rw 0 0
newfs /mnt/new wonderfs rw 0 0
/dev/sdc1 /mnt/san gfs2 rw 0 0
share /mnt/vm virtiofs rw 0 0
//nas/x /mnt/with\040blank cifs rw 0 0
/dev/sdd1 /mnt/twice ext4 rw 0 0
server:/y /mnt/twice nfs rw 0 0
/dev/sde1 /mnt/old bcachefs rw 0 0
""".lstrip()
TYPES = "".join(
    [f"nodev\t{kind}\n" for kind in ("tmpfs", "overlay", "nfs4", "nfs", "fuse", "virtiofs", "cifs", "9p")]
    + [f"\t{kind}\n" for kind in ("ext4", "fuseblk", "gfs2", "bcachefs")]
)


@pytest.fixture
def tables(tmp_path, monkeypatch):
    for name, text in (("_MOUNTS", MOUNTS), ("_TYPES", TYPES)):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(file_system, name, tmp_path / name)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/opt", ""),
        ("/tmp/x", ""),
        ("/var/lib/docker/x", ""),
        ("/mnt/ntfs/x", ""),
        ("/mnt/old/x", ""),
        ("/home/me", "nfs4"),
        ("/mnt/sshfs/x", "fuse.sshfs"),
        ("/mnt/s3/x", "fuse.s3fs"),
        ("/mnt/plain", "fuse"),
        ("/mnt/new/x", "wonderfs"),
        ("/mnt/san/x", "gfs2"),
        ("/mnt/vm/x", "virtiofs"),
        ("/mnt/with blank/x", "cifs"),
        ("/mnt/twice/x", "nfs"),
    ],
)
def test_what_has_no_device_of_its_own_is_taken_for_a_network(tables, place, kind):
    assert network_type(Path(place)) == kind


def test_without_a_table_of_mounts_there_is_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(file_system, "_MOUNTS", tmp_path / "none")
    assert network_type(tmp_path) == ""
