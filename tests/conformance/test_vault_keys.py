"""The vault's keys: made once, never lost in silence, and opening only what they were made for."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.errors import ConfigurationInvalid
from router.vault.keys import Key, Keyring, VaultDamaged, reference, seal, unseal
from router.vault.store import SqliteVault

TOWN = "waterland"
LARGE = 100_000


async def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = SqliteVault(folder)
    ref = await first.store("c-1", "t", b"text")
    await first.store("c-1", "t", bytes(LARGE))
    await first.close()
    key = (folder / "vault.key").read_bytes()
    assert not [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]
    again = SqliteVault(folder)
    assert (await again.read_unattended(ref)).content == b"text"
    await again.close()
    assert (folder / "vault.key").read_bytes() == key


async def test_another_key_is_refused(tmp_path: Path) -> None:
    await SqliteVault(tmp_path).close()
    (tmp_path / "other").write_bytes(bytes(32))
    with pytest.raises(ConfigurationInvalid, match=r"not the one of .*vault\.sqlite"):
        SqliteVault(tmp_path, key_file=tmp_path / "other")


async def test_a_vault_whose_key_is_gone_gets_no_new_one(tmp_path: Path) -> None:
    await SqliteVault(tmp_path).close()
    (tmp_path / "vault.key").unlink()
    with pytest.raises(ConfigurationInvalid, match=r"vault\.key is not there"):
        SqliteVault(tmp_path)
    assert not (tmp_path / "vault.key").exists()


async def test_the_key_may_be_given_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "secret"
    monkeypatch.setenv("KCC_VAULT_KEY_FILE", str(given))
    with pytest.raises(ConfigurationInvalid, match="secret is not there"):
        SqliteVault(tmp_path / "data")
    given.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    await SqliteVault(tmp_path / "data").close()
    given.write_bytes(bytes(range(32)))
    await SqliteVault(tmp_path / "data").close()
    assert not (tmp_path / "data" / "vault.key").exists()


@pytest.mark.parametrize("content", [b"", b"short", b"AAECAwQFBgcICQoLDA0ODw==\n", b"\xff" * 33])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match="is no key"):
        SqliteVault(tmp_path, key_file=tmp_path / "key")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vault.key").write_bytes(bytes(32))
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(ConfigurationInvalid, match="chmod 600"):
        SqliteVault(tmp_path)


def test_a_wrapped_key_opens_only_with_its_master_and_for_its_holder() -> None:
    ours, other = Keyring(bytes(32)), Keyring(bytes(range(32)))
    key, wrapped = ours.new_key("c-1")
    assert unseal(ours.unwrap("c-1", wrapped), seal(key, b"text")) == b"text"
    for ring, holder in ((other, "c-1"), (ours, "c-2")):
        with pytest.raises(VaultDamaged):
            ring.unwrap(holder, wrapped)
    assert ours.blind(TOWN, "phone", "+31") != other.blind(TOWN, "phone", "+31")
    assert ours.blind("ab", "c", "d") != ours.blind("a", "bc", "d")


def test_what_was_written_before_means_the_same_for_ever() -> None:
    ring = Keyring(bytes(range(32)))
    for made, before in (
        (ring.fingerprint, "9b60b6a9c03a17faa6c7b8d36cc3d035aea66f29958d05774bcc45c3b0c16f91"),
        (
            ring.blind(TOWN, "phone", "+31612345678"),
            "33e95db90f8ee140052f0c6de539a1764ed0940e8fe0325b219238c5ef30f922",
        ),
        (ring.chain(bytes(32), b"record"), "64a277e011b98aac70458691ad37c43d6bb8938b5625359fb3746e9266f2d80c"),
    ):
        assert made == bytes.fromhex(before)
    wrapped = bytes.fromhex(
        "f41b2ac303486405e7f4527e13d9f5271efdfe16392a6a9537c794c2"
        "5f6e560dece48f815ea37d0471b3f21fbbb896c7cfc26eccb0e3d78eaedb8c34"
    )
    sealed = bytes.fromhex("7e011ea9c58c559b08983c42c6866a95102ad4b011a5a9751c6d70a5232b72a9")
    assert unseal(ring.unwrap("c-1", wrapped), sealed, "item", "v-1") == b"text"


def test_what_is_sealed_opens_only_for_what_it_is_about() -> None:
    key = Key(bytes(32))
    sealed = seal(key, b"text", "item", "v-1")
    assert unseal(key, sealed, "item", "v-1") == b"text"
    for about in (("item", "v-2"), ("itemv", "-1"), ("item",), ()):
        with pytest.raises(VaultDamaged):
            unseal(key, sealed, *about)
    for broken in (sealed[:-1], sealed[:5], b"", bytes(len(sealed))):
        with pytest.raises(VaultDamaged):
            unseal(key, broken, "item", "v-1")


def test_references_are_letters_and_never_the_same() -> None:
    made = {reference("v") for _ in range(1000)}
    assert len(made) == 1000
    assert all(one.startswith("v-") and len(one) == 34 and one[2:].isalpha() for one in made)
