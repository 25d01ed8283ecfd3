"""A vault on disk, for the tests of what only that can do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.vault.store import SqliteVault


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[SqliteVault]:
    made = SqliteVault(tmp_path)
    yield made
    await made.close()
