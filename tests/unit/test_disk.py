"""A disk that refuses is seen, told once, and seen again when it is well."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from router.disk import DiskWatch, takes_writes


def test_a_disk_with_room_takes_writes_and_nothing_stays_behind(tmp_path: Path) -> None:
    assert takes_writes(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_is_not_well_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    watch = DiskWatch(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(os, "posix_fallocate", full)
        await watch.look()
    assert not watch.well
    await watch.look()
    assert watch.well


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    assert takes_writes(tmp_path / "gone") == "No such file or directory"
