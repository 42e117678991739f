"""A folder of indexes names the live one, and belongs to one process."""

from pathlib import Path

import pytest

from query_api.search.folders import FolderIsInUse, IndexFolders


def _made(folders: IndexFolders) -> Path:
    path = folders.new()
    path.mkdir()
    return path


def test_the_live_index_is_found_again_and_what_is_half_built_is_deleted(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, "s1")
    assert folders.live() is None
    live, half = _made(folders), _made(folders)
    folders.switch(live)
    folders.close()
    again = IndexFolders(tmp_path, "s1")
    assert again.live() == live
    assert not half.exists()
    again.close()


def test_an_index_of_another_scheme_is_deleted(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, "s1")
    live = _made(folders)
    folders.switch(live)
    folders.close()
    later = IndexFolders(tmp_path, "s2")
    assert later.live() is None
    assert not live.exists()
    later.close()


def test_a_file_that_names_no_index_names_none(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, "s1")
    for name in (b"index-s1-gone", b"../elsewhere", b"\xff\xfe"):
        (tmp_path / "live").write_bytes(name)
        assert folders.live() is None
    folders.close()


def test_a_second_process_is_refused_with_the_name_of_the_setting(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, "s1")
    with pytest.raises(FolderIsInUse, match="SEARCH_INDEX_FOLDER"):
        IndexFolders(tmp_path, "s1")
    folders.close()
    IndexFolders(tmp_path, "s1").close()


def test_a_temporary_folder_is_gone_at_the_end() -> None:
    folders = IndexFolders(None, "s1")
    path = _made(folders)
    folders.close()
    assert not path.parent.exists()
