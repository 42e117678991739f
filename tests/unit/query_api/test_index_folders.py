"""A folder of indexes names the live one, and belongs to one process."""

from pathlib import Path

import pytest

from query_api.search.folders import FolderIsInUse, IndexFolders


def _opened(folder: Path | None, scheme: str = "s1") -> IndexFolders:
    folders = IndexFolders(folder, scheme)
    folders.open()
    return folders


def _made(folders: IndexFolders) -> Path:
    path = folders.new()
    path.mkdir()
    return path


def test_the_live_index_is_found_again_and_what_is_half_built_is_deleted(tmp_path: Path) -> None:
    folders = _opened(tmp_path)
    assert folders.live() is None
    live, half = _made(folders), _made(folders)
    folders.switch(live)
    folders.close()
    again = _opened(tmp_path)
    assert again.live() == live
    assert not half.exists()
    again.close()


def test_an_index_of_another_scheme_is_deleted(tmp_path: Path) -> None:
    folders = _opened(tmp_path)
    live = _made(folders)
    folders.switch(live)
    folders.close()
    later = _opened(tmp_path, "s2")
    assert later.live() is None
    assert not live.exists()
    later.close()


def test_a_file_that_names_no_index_names_none(tmp_path: Path) -> None:
    folders = _opened(tmp_path)
    for name in (b"index-s1-gone", b"../elsewhere", b"\xff\xfe"):
        (tmp_path / "live").write_bytes(name)
        assert folders.live() is None
    folders.close()


def test_a_second_process_is_refused_with_the_name_of_the_setting(tmp_path: Path) -> None:
    folders = _opened(tmp_path)
    with pytest.raises(FolderIsInUse, match="SEARCH_INDEX_FOLDER"):
        _opened(tmp_path)
    folders.close()
    _opened(tmp_path).close()


def test_a_temporary_folder_is_gone_at_the_end() -> None:
    folders = _opened(None)
    path = _made(folders)
    folders.close()
    assert not path.parent.exists()
