"""Secrets of this installation that nobody has to configure: made at the first start, kept beside the data."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from router.errors import ConfigurationInvalid

KEY_BYTES = 32


def kept_key(folder: Path, name: str) -> bytes:
    """The key in `<folder>/<name>.key`, made at the first start and readable by its owner only.

    Raises ConfigurationInvalid when what stands there is no key.
    """
    path = folder / f"{name}.key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two processes that start at once, the first one's key stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ConfigurationInvalid([f"{path} is no key: put it back from the copy you keep; without it, remove it"])
    return key
