"""Which folders are classes and which files are pictures, in folders as they are found on people's disks."""

import os

import pytest

from condense_core.errors import DataError
from condense_core.scenario.class_folders import class_folders, named, pictures
from condense_core.scenario.data import Folder
from condense_core.scenario.data_sizes import output_count


def touch(place, *names):
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place / name).touch()


@pytest.fixture
def animals(tmp_path):
    """Two classes of two pictures."""
    touch(tmp_path / "cats", "1.png", "2.JPG")
    touch(tmp_path / "dogs", "1.png", "2.png")
    return tmp_path


def names(folders):
    return [folder.name for folder in folders]


@pytest.mark.parametrize("stranger", [".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir", "lost+found"])
def test_hidden_folders_and_those_of_other_systems_are_no_classes(animals, stranger):
    touch(animals / stranger, "1.png")
    touch(animals / "cats" / stranger, "1.png")
    assert names(class_folders(animals)) == ["cats", "dogs"]
    assert output_count(Folder(path=str(animals))) == 2
    assert names(pictures(animals / "cats")) == ["1.png", "2.JPG"]


def test_companions_and_other_files_are_no_pictures(animals):
    touch(animals / "cats", "._1.png", ".hidden.png", ".DS_Store", "Thumbs.db", "notes.txt")
    (animals / "cats" / "folder.png").mkdir()
    os.mkfifo(animals / "cats" / "pipe.png")
    (animals / "cats" / "broken.png").symlink_to("nowhere")
    assert names(pictures(animals / "cats")) == ["1.png", "2.JPG"]


def test_pictures_in_folders_of_a_class_count_and_links_in_a_circle_end(animals):
    touch(animals / "cats" / "more", "0.png")
    (animals / "cats" / "more" / "back").symlink_to(animals / "cats")
    assert names(pictures(animals / "cats")) == ["1.png", "2.JPG", "0.png"]


def test_the_listing_is_that_of_torchvision(animals):
    touch(animals / "cats" / "b" / "c", "9.webp", "10.tiff")
    touch(animals / "cats" / "B", "x.PPM")
    from torchvision.datasets import ImageFolder

    ours = [str(file) for folder in class_folders(animals) for file in pictures(folder)]
    assert ours == [file for file, _ in ImageFolder(animals).samples]


@pytest.mark.parametrize("parts", [("train", "val"), ("Train", "Test"), ("train",)])
def test_the_parts_of_a_split_set_ask_which(tmp_path, parts):
    for part in parts:
        touch(tmp_path / part / "cats", "1.png")
        touch(tmp_path / part / "dogs", "1.png")
    with pytest.raises(DataError, match="choose one") as caught:
        class_folders(tmp_path)
    assert f"--data folder:{tmp_path / min(parts)}" in str(caught.value)
    assert output_count(Folder(path=str(tmp_path))) is None
    assert names(class_folders(tmp_path / parts[0])) == ["cats", "dogs"]


def test_classes_may_be_called_like_parts_where_they_hold_pictures(tmp_path):
    touch(tmp_path / "train", "1.png")
    touch(tmp_path / "test", "1.png")
    touch(tmp_path / "plane", "1.png")
    assert names(class_folders(tmp_path)) == ["plane", "test", "train"]


def test_a_class_without_pictures_is_named(animals):
    touch(animals / "fish", "readme.txt")
    with pytest.raises(DataError, match="no picture in fish"):
        pictures(animals / "fish")


def test_classes_are_named_in_one_line(animals, tmp_path):
    assert named(class_folders(animals)) == "2 classes: cats, dogs"
    for number in range(300):
        (tmp_path / f"class {number}\x1b[2J").mkdir()
    line = named(class_folders(tmp_path))
    assert line.startswith("302 classes: cats, class 0")
    assert line.endswith(", …")
    assert len(line) < 300
    assert line.isprintable()
