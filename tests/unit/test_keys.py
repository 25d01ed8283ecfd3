"""A secret of the installation is made once, whole, for its owner only, and stays the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from router.errors import ConfigurationInvalid
from router.keys import KEY_BYTES, kept_key


def test_it_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    key = kept_key(tmp_path / "keys", "chat")
    assert len(key) == KEY_BYTES
    assert kept_key(tmp_path / "keys", "chat") == key
    assert kept_key(tmp_path / "keys", "mail") != key
    assert (tmp_path / "keys" / "chat.key").stat().st_mode & 0o077 == 0
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == ["chat.key", "mail.key"]


def test_two_that_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: kept_key(tmp_path, "counter"), range(32)))
    assert len(set(keys)) == 1


def test_what_is_no_key_is_said_and_not_used(tmp_path: Path) -> None:
    kept_key(tmp_path, "counter")
    (tmp_path / "counter.key").write_bytes(b"")
    with pytest.raises(ConfigurationInvalid, match="is no key"):
        kept_key(tmp_path, "counter")
