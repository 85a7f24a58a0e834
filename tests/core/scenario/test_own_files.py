"""Files of one's own: what is found in them, and one line for whatever makes them unusable."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from condense_core.errors import DataError
from condense_core.scenario import csv_file, npz_file
from condense_core.scenario.data import Csv, Npz
from condense_core.scenario.data_sizes import arrays_of, found_in, input_shape, output_count, sample_count

X = np.arange(24.0).reshape(6, 4)
IMAGES = np.arange(6 * 2 * 5 * 4).reshape(6, 2, 5, 4)
CLASSES = np.array([5, 3, 5, 3, 9, 9])


def one_line(read) -> str:
    with pytest.raises(DataError) as caught:
        read()
    message = str(caught.value)
    assert message.isprintable(), "one line, nothing for the terminal to interpret"
    assert len(message) < 700
    return message


def npz(place: Path, **arrays: object) -> Path:
    np.savez(place / "own.npz", **arrays)
    return place / "own.npz"


def csv(place: Path, text: str | bytes) -> Path:
    file = place / "own.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_whole_numbers_are_classes_in_the_order_of_their_values(tmp_path):
    found = npz_file.read(npz(tmp_path, X=X, y=CLASSES))
    assert found.class_names == ("3", "5", "9")
    assert found.target.tolist() == [1, 0, 1, 0, 2, 2]
    assert found.in_words == "6 samples of 4 inputs, 3 classes: 3, 5, 9"
    assert (found.outputs("onehot"), found.outputs("raw")) == (3, 1)


def test_text_and_flags_are_classes_too(tmp_path):
    assert npz_file.read(npz(tmp_path, X=X, y=np.array(list("babbab")))).class_names == ("a", "b")
    assert npz_file.read(npz(tmp_path, X=X, y=CLASSES > 4)).class_names == ("False", "True")


def test_floating_point_numbers_are_trained_towards(tmp_path):
    one = npz_file.read(npz(tmp_path, X=X, y=CLASSES.astype(np.float32)))
    assert one.target.tolist() == [[5], [3], [5], [3], [9], [9]]
    assert one.in_words == "6 samples of 4 inputs, 1 number from 3 to 9"
    assert npz_file.read(npz(tmp_path, X=X, y=X[:, :3])).outputs("onehot") == 3


def test_a_test_set_has_the_numbers_of_the_same_classes(tmp_path):
    found = npz_file.read(npz(tmp_path, X=IMAGES, y=CLASSES, X_test=IMAGES[:2], y_test=np.array([9, 3])))
    assert found.test_target.tolist() == [2, 0]
    assert found.in_words == "6 samples and 2 to test of 2×5×4 pixels, 3 classes: 3, 5, 9"


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"X": X}, "no array y; expected X and y (it holds X)"),
        ({"a": X, "y": CLASSES}, "no array X"),
        ({"X": X, "y": CLASSES, "X_test": X}, "X_test without y_test"),
        ({"X": X[:, 0], "y": CLASSES}, "X has shape (6,); expected (samples, inputs)"),
        ({"X": IMAGES[:, 0], "y": CLASSES}, "X[:, None] for grey images"),
        ({"X": np.zeros((6, 32, 32, 3)), "y": CLASSES}, "X.transpose(0, 3, 1, 2)"),
        ({"X": X[:0], "y": CLASSES[:0]}, "X is empty"),
        ({"X": X[:, :0], "y": CLASSES}, "X is empty"),
        ({"X": X.astype(str), "y": CLASSES}, "X holds text; expected numbers"),
        ({"X": X + 1j, "y": CLASSES}, "X holds complex numbers"),
        ({"X": np.array([[1, "a"], [{}, 2]], object), "y": CLASSES[:2]}, "X holds Python objects, which are not read"),
        ({"X": np.zeros(6, [("a", float)]), "y": CLASSES}, "X"),
        ({"X": np.where(X == 9, np.nan, X), "y": CLASSES}, "X[2, 1] is nan, one of 1 values that are not finite"),
        ({"X": X, "y": np.where(CLASSES == 9, np.inf, 1.0)}, "y[4] is inf"),
        ({"X": X, "y": CLASSES[:5]}, "y has 5 values for 6 samples in X"),
        ({"X": X, "y": np.array(3)}, "y has a single value for 6 samples"),
        ({"X": X, "y": np.zeros(6, int)}, "one class, 0, in 6 samples; expected two or more"),
        ({"X": np.zeros((2000, 1)), "y": np.arange(2000)}, "2,000 different values in 2,000 samples; expected at most"),
        ({"X": X, "y": np.eye(6, dtype=int)}, "y holds whole numbers of shape (6, 6)"),
        ({"X": X, "y": X[:, :, None]}, "y holds float64 of shape (6, 4, 1)"),
        ({"X": X, "y": CLASSES, "X_test": X, "y_test": CLASSES + 1}, "y_test has the class 4, which y has not"),
        ({"X": X, "y": CLASSES, "X_test": X, "y_test": CLASSES + 0.5}, "one holds classes and the other numbers"),
        (
            {"X": X, "y": CLASSES, "X_test": X[:, :3], "y_test": CLASSES},
            "X (6, 4) and X_test (6, 3); expected the same",
        ),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, arrays, said):
    assert said in one_line(lambda: npz_file.read(npz(tmp_path, **arrays)))


def declared(place: Path, shape: tuple[int, ...], *, method: int = zipfile.ZIP_STORED) -> Path:
    """A file whose header promises an array of that shape, and has none of it."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(place / "own.npz", "w", method) as archive:
        for name in ("X", "y"):
            archive.writestr(f"{name}.npy", header.getvalue())
    return place / "own.npz"


def test_an_array_is_not_made_as_large_as_its_header_says(tmp_path):
    assert "X takes 8,000,000,000,000 bytes; expected at most" in one_line(
        lambda: npz_file.read(declared(tmp_path, (10**9, 1000)))
    )
    assert "cannot be read as .npz" in one_line(lambda: npz_file.read(declared(tmp_path, (10**6, 10))))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; expected one as of numpy.savez"),
        (b"PK\x03\x04 and no more", "not a .npz file"),
        (b"a,b\n1,2\n", "not a .npz file"),
        (b"\x93NUMPY\x01\x00", "a single array (.npy); expected X and y in one file"),
    ],
)
def test_files_that_are_no_npz(tmp_path, content, said):
    (tmp_path / "own.npz").write_bytes(content)
    assert said in one_line(lambda: npz_file.read(tmp_path / "own.npz"))


@pytest.mark.parametrize("read", [npz_file.read, lambda place: csv_file.read(place, None, None)])
def test_what_is_no_file_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in one_line(lambda: read(tmp_path / "pipe"))
    assert "No such file" in one_line(lambda: read(tmp_path / "nothing"))
    assert "cannot be read" in one_line(lambda: read(tmp_path))


@pytest.mark.parametrize("cut", [30, 300, 500])
def test_a_file_that_was_cut_off(tmp_path, cut):
    file = npz(tmp_path, X=X, y=CLASSES)
    file.write_bytes(file.read_bytes()[:cut])
    one_line(lambda: npz_file.read(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,a\n3,4,b\n", "2 samples of 2 inputs, 2 classes: a, b"),
        ("p,q,kind\n1,2,a\n3,4,b\n", "2 samples of 2 inputs, 2 classes: a, b"),
        ("0,1,label\n1,2,0\n3,4,1\n", "2 samples of 2 inputs, 2 classes: 0, 1"),
        ("\ufeffp,q,y\r\n1,2,.5\r\n\r\n3,4,-1e3\r\n", "2 samples of 2 inputs, 1 number from -1000 to 0.5"),
        ("1,10\n2,9\n3,8\n", "3 samples of 1 input, 3 classes: 8, 9, 10"),
        ("1,10.0\n2,9\n3,8\n", "3 samples of 1 input, 1 number from 8 to 10"),
        ("\n".join(f"{row},{row}" for row in range(21)), "21 samples of 1 input, 1 number from 0 to 20"),
        ('"a ""b""","c, d"\n1,"x, y"\n2,z\n', "2 samples of 1 input, 2 classes: x, y, z"),
    ],
)
def test_a_table_by_its_rules(tmp_path, text, words):
    assert csv_file.read(csv(tmp_path, text), None, None).in_words == words


def test_the_target_is_a_column_by_name(tmp_path):
    found = csv_file.read(csv(tmp_path, "y,p,q\n0.5,1,2\n1.5,3,4\n"), "y", None)
    assert found.target.tolist() == [[0.5], [1.5]]
    assert found.input.tolist() == [[1, 2], [3, 4]]


def test_what_the_target_is_can_be_said(tmp_path):
    file = csv(tmp_path, "1,1\n2,2\n3,1\n")
    assert csv_file.read(file, None, None).class_names == ("1", "2")
    assert csv_file.read(file, None, "numbers").target.tolist() == [[1], [2], [1]]
    many = csv(tmp_path, "\n".join(f"1,{row}" for row in range(30)))
    assert len(csv_file.read(many, None, "classes").class_names) == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty; expected a row of numbers for each sample"),
        ("\n\n", "empty"),
        ("a,b\n", "line 1, column 1 is 'a'"),
        ("a,b\nc,d\n", "line 1, column 1 is 'a'; expected a finite number"),
        ("1\n2\n", "one column; expected two or more columns, separated by commas"),
        ("1;2\n3;4\n", "cells separated by ';'"),
        ("p,q,y\n1,red,0\n", "line 2, column 2 (q) is 'red'; expected a finite number (leave text columns out"),
        ("1,2,0\n3,,1\n", "line 2, column 2 is empty"),
        ("1,2,0\n3,nan,1\n", "line 2, column 2 is 'nan'"),
        ("1,2,0\n3,-inf,1\n", "line 2, column 2 is '-inf'"),
        ("1,2,0\n3,1_0,1\n", "line 2, column 2 is '1_0'"),
        ("1,2,0.5\n3,4,nan\n", "column 3 is 'nan' in row 2"),
        ("1,2,a\n3,4,\n", "column 3 is empty in row 2"),
        ("1,2,0\n3,4\n", "line 2 has 2 cells; expected 3, as in the first line"),
        (",p,y\n0,1,1\n", "column 1 has no name, as where an index was written along"),
        ("1,2,a\n3,4,a\n", "one class, 'a', in 2 samples"),
        ("\n".join(f"{row},name{row}" for row in range(1001)), "1,001 different values in 1,001 samples"),
        (b"\xff\xfep\x00,\x00", "not UTF-8 text but UTF-16"),
        (b"1,2\n\xe9,3\n", "not UTF-8 text"),
        (b"1,2,0\n3,\x004,1\n", "line 2, column 2 is '\\x004'"),
        ('1,"2\n3,4\n', "cannot be read as CSV"),
        (f"1,{'9' * 200_000}\n", "cannot be read as CSV"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, said):
    assert said in one_line(lambda: csv_file.read(csv(tmp_path, text), None, None))


@given(
    st.lists(
        st.sampled_from(["1", "2.5", "a", ",", ",", "\n", "\r", '"', ";", " ", "nan", "é", "\0", "-"]), max_size=40
    )
)
def test_any_table_is_read_or_refused_in_one_line(tmp_path_factory, parts):
    file = csv(tmp_path_factory.mktemp("table"), "".join(parts))
    try:
        found = csv_file.read(file, None, None)
    except DataError as error:
        assert str(error).isprintable()
    else:
        assert np.isfinite(found.input).all()
        assert len(found.input) == len(found.target) > 0


@given(st.data())
def test_a_damaged_file_of_arrays_is_read_or_refused_in_one_line(tmp_path_factory, data):
    file = npz(tmp_path_factory.mktemp("arrays"), X=X, y=CLASSES)
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    try:
        found = npz_file.read(file)
    except DataError as error:
        assert str(error).isprintable()
    else:
        assert len(found.input) == len(found.target)


def test_a_column_that_is_not_there_or_there_twice(tmp_path):
    file = csv(tmp_path, "price,rooms,rooms\n1,2,3\n")
    assert "no column 'prize'; did you mean 'price'?" in one_line(lambda: csv_file.read(file, "prize", None))
    assert "2 columns are called 'rooms'" in one_line(lambda: csv_file.read(file, "rooms", None))
    assert "a header and no rows" in one_line(lambda: csv_file.read(csv(tmp_path, "price,rooms\n"), "price", None))


def test_a_table_held_out_has_the_same_columns_and_classes(tmp_path):
    def read(text: str, test: str, **how: str):
        (tmp_path / "test.csv").write_text(test)
        return arrays_of(Csv(path=str(csv(tmp_path, text)), test_path=str(tmp_path / "test.csv"), **how))

    found = read("a,b,kind\n1,2,cat\n3,4,dog\n", "a,b,kind\n5,6,dog\n7,8,dog\n9,1,cat\n")
    assert found.test_input.tolist() == [[5, 6], [7, 8], [9, 1]]
    assert (found.test_target.tolist(), found.class_names) == ([1, 1, 0], ("cat", "dog"))
    assert found.in_words == "2 samples and 3 to test of 2 inputs, 2 classes: cat, dog"
    assert (found.held_out(None), found.held_out(1), found.trained(None, None)) == (3, 1, 2)
    # a class that the test has not, and numbers that would be classes by themselves
    assert read("1,5\n2,3\n4,5\n", "1,5\n").test_target.tolist() == [1]
    numbers = read("1,0.5\n2,3\n", "1,3\n2,5\n")
    assert (numbers.class_names, numbers.test_target.tolist()) == ((), [[3], [5]])
    assert read("a,y,b\n1,2,3\n4,5,6\n", "a,y,b\n7,5,9\n", target="y").test_target.tolist() == [1]
    # the second is read anew where it has changed
    assert read("1,0.5\n2,3\n", "1,4\n").test_target.tolist() == [[4]]
    for text, test, said in (
        ("a,b\n1,0.5\n", "a,c\n1,2\n", "test.csv: columns a, c; expected those of .*own.csv: columns a, b"),
        ("a,b\n1,0.5\n", "1,2\n", "test.csv: 2 columns without names; expected those of .*own.csv: columns a, b"),
        ("1,0.5\n", "1,2,3\n", "test.csv: 3 columns without names; expected those of .*: 2 columns without names"),
        ("1,5\n2,3\n", "1,5\n1,4\n", "test.csv: column 2 is '4' in row 2, which is no class of .*own.csv: 3, 5"),
        ("1,a\n2,b\n", "1,\n", "test.csv: column 2 is empty in row 1"),
        ("1,0.5\n", "1,x\n", "test.csv: column 2 is 'x' in row 1; expected a finite number"),
    ):
        assert re.search(said, one_line(lambda text=text, test=test: read(text, test)))
    (tmp_path / "test.csv").unlink()
    missing = Csv(path=str(tmp_path / "own.csv"), test_path=str(tmp_path / "test.csv"))
    assert "data.test_path: " in one_line(lambda: arrays_of(missing))


def test_a_thousand_columns_are_read_and_their_trouble_is_one_line(tmp_path):
    names = ",".join(f"column{place}" for place in range(1000))
    row = ",".join(map(str, range(1000)))
    found = csv_file.read(csv(tmp_path, f"{names}\n{row}\n{row}\n"), None, "numbers")
    assert found.input.shape == (2, 999)
    bad = csv(tmp_path, f"{names}\n{row}\n{row.replace(',500,', ',many,')}\n")
    assert "line 3, column 501 (column500) is 'many'" in one_line(lambda: csv_file.read(bad, None, None))
    assert "no column" in one_line(lambda: csv_file.read(bad, "nothing", None))


def test_a_file_larger_than_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "LARGEST_TEXT", 10)
    assert "12 bytes; expected at most 10: keep fewer rows" in one_line(
        lambda: csv_file.read(csv(tmp_path, "1,2,0\n3,4,1\n"), None, None)
    )


def test_a_file_that_was_written_anew_is_read_anew(tmp_path):
    csv_file.read(csv(tmp_path, "1,2.5\n3,4.5\n"), None, None)
    file = csv(tmp_path, "1,2.5\n3,4.5\n5,6.5\n")
    assert len(csv_file.read(file, None, None).input) == 3


def test_what_a_scenario_knows_of_its_file(tmp_path):
    images = Npz(path=str(npz(tmp_path, X=IMAGES[:, :, :4], y=CLASSES)), test_samples=2)
    assert (input_shape(images), output_count(images), sample_count(images)) == ((2, 4), 3, 4)
    table = Csv(path=str(csv(tmp_path, "1,2,.5\n3,4,1\n")))
    assert (input_shape(table), output_count(table), sample_count(table)) == ((2, 1), 1, 2)
    assert re.fullmatch(r".*own\.csv: 2 samples of 2 inputs, 1 number from 0\.5 to 1", found_in(table))
    gone = Csv(path=str(tmp_path / "gone.csv"))
    assert (input_shape(gone), output_count(gone), sample_count(gone)) == (None, None, None)


def test_more_samples_than_there_are(tmp_path):
    found = arrays_of(Npz(path=str(npz(tmp_path, X=X, y=CLASSES))))
    assert "6 samples, 7 were asked for; lower data.samples" in one_line(lambda: found.trained(7, None))
    assert "6 samples, 5 and 2 held out were asked for" in one_line(lambda: found.trained(5, 2))
    assert "6 samples, 1 and 6 held out" in one_line(lambda: found.trained(None, 6))
    assert (found.trained(None, 2), found.trained(3, 2), found.trained(None, None)) == (4, 3, 6)
