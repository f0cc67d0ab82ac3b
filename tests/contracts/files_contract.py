"""What every ``Files`` has to do. Subclasses give ``files`` and an existing folder ``root``."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.ports import Files


def content(files: Files, path: Path) -> bytes:
    return b"".join(files.chunks(path))


class FilesContract:
    def test_what_is_appended_is_read_back_in_order(self, files: Files, root: Path) -> None:
        file = files.append_to(root / "log")
        file.write(b"one")
        file.write(b"two")
        file.sync()
        file.close()
        assert content(files, root / "log") == b"onetwo"
        assert files.size(root / "log") == 6

    def test_opening_again_appends_behind_what_is_there(self, files: Files, root: Path) -> None:
        for data in (b"one", b"two"):
            file = files.append_to(root / "log")
            file.write(data)
            file.close()
        assert content(files, root / "log") == b"onetwo"

    def test_opening_creates_an_empty_file(self, files: Files, root: Path) -> None:
        files.append_to(root / "log").close()
        assert files.names(root) == ("log",)
        assert content(files, root / "log") == b""

    def test_a_closed_file_takes_nothing_more(self, files: Files, root: Path) -> None:
        file = files.append_to(root / "log")
        file.close()
        file.close()
        with pytest.raises(OSError, match=r"closed|Bad file"):
            file.write(b"x")
        with pytest.raises(OSError, match=r"closed|Bad file"):
            file.sync()

    def test_appending_into_a_missing_folder_raises(self, files: Files, root: Path) -> None:
        with pytest.raises(FileNotFoundError):
            files.append_to(root / "missing" / "log")

    def test_a_folder_is_no_file(self, files: Files, root: Path) -> None:
        files.make_dir(root / "folder")
        with pytest.raises(IsADirectoryError):
            files.append_to(root / "folder")
        with pytest.raises(IsADirectoryError):
            content(files, root / "folder")
        with pytest.raises(OSError, match="folder"):
            files.write_whole(root / "folder", b"x")
        with pytest.raises(OSError, match="folder"):
            files.remove(root / "folder")

    def test_a_file_is_no_folder(self, files: Files, root: Path) -> None:
        files.write_whole(root / "file", b"x")
        with pytest.raises(NotADirectoryError):
            files.names(root / "file")
        with pytest.raises(FileExistsError):
            files.make_dir(root / "file")
        with pytest.raises(OSError, match="file"):
            files.make_dir(root / "file" / "below")

    def test_writing_whole_creates_and_replaces_and_leaves_nothing_else(self, files: Files, root: Path) -> None:
        files.write_whole(root / "state", b"old and longer")
        files.write_whole(root / "state", b"new")
        assert content(files, root / "state") == b"new"
        assert files.names(root) == ("state",)

    def test_content_comes_in_bounded_pieces_from_any_offset(self, files: Files, root: Path) -> None:
        data = bytes(range(256)) * 10_000
        files.write_whole(root / "large", data)
        for offset in (0, 1, 1 << 20, len(data) - 1, len(data), len(data) + 5):
            pieces = list(files.chunks(root / "large", offset))
            assert b"".join(pieces) == data[offset:]
            assert all(0 < len(piece) <= 1 << 20 for piece in pieces)

    def test_reading_a_missing_file_raises(self, files: Files, root: Path) -> None:
        with pytest.raises(FileNotFoundError):
            content(files, root / "missing")
        with pytest.raises(FileNotFoundError):
            files.size(root / "missing")
        with pytest.raises(FileNotFoundError):
            files.truncate(root / "missing", 0)

    def test_truncating_cuts_the_end_off(self, files: Files, root: Path) -> None:
        files.write_whole(root / "log", b"onetwo")
        files.truncate(root / "log", 3)
        assert content(files, root / "log") == b"one"
        file = files.append_to(root / "log")
        file.write(b"three")
        file.close()
        assert content(files, root / "log") == b"onethree"

    def test_removing_is_fine_twice(self, files: Files, root: Path) -> None:
        files.write_whole(root / "log", b"x")
        files.remove(root / "log")
        files.remove(root / "log")
        files.remove(root / "missing" / "log")
        assert files.names(root) == ()

    def test_names_are_sorted_with_folders_and_a_missing_folder_is_empty(self, files: Files, root: Path) -> None:
        for name in ("b", "a", "c.txt"):
            files.write_whole(root / name, b"")
        files.make_dir(root / "d" / "e")
        assert files.names(root) == ("a", "b", "c.txt", "d")
        assert files.names(root / "d") == ("e",)
        assert files.names(root / "missing") == ()

    def test_making_a_folder_makes_its_parents_and_is_fine_twice(self, files: Files, root: Path) -> None:
        files.make_dir(root / "a" / "b" / "c")
        files.make_dir(root / "a" / "b" / "c")
        files.write_whole(root / "a" / "b" / "c" / "file", b"x")
        assert files.names(root / "a" / "b" / "c") == ("file",)
