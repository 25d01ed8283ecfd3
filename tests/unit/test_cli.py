"""The command line, as an operator meets it when something is wrong: a sentence, an exit status, no traceback."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from router.cli import main
from router.vault.store import SqliteVault
from tests.parts.router import ROOT

ERASE = ["erase", "--municipality", "waterland"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("KCC_DATA", str(folder))
    return folder


async def known(data: Path) -> None:
    """Somebody known by a number, and, not yet seen to be the same, by an address."""
    vault = SqliteVault(data)
    await vault.recognise("waterland", "c-1", name="A.", phone="+31612345678", email="")
    await vault.recognise("waterland", "c-2", name="A.", phone="", email="a@b.example")
    await vault.close()


def test_erasing_wants_a_whole_number_or_an_address(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(known(data))
    assert main(ERASE) == 2
    assert main([*ERASE, "--phone", "12"]) == 2
    assert capsys.readouterr().err.count("say who") == 2


def test_erasing_in_the_wrong_folder_says_so_and_makes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ERASE, "--email", "a@b.example"]) == 1
    assert "there is no vault" in capsys.readouterr().err
    assert not data.exists()


def test_a_number_as_people_write_it_and_an_address_are_both_erased(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(known(data))
    assert main([*ERASE, "--phone", "06-1234 5678", "--email", "a@b.example"]) == 0
    assert "2 contact(s)" in capsys.readouterr().out
    assert main([*ERASE, "--phone", "06-1234 5678", "--email", "a@b.example"]) == 1


def test_a_data_folder_that_cannot_be_made_is_a_sentence(data: Path) -> None:
    data.write_text("a file")
    command = [sys.executable, "-m", "router", "serve"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"kcc-router: {data}: File exists\n")


def test_verify_gives_its_report_also_of_what_it_cannot_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.mkdir()
    (data / "journal.sqlite").write_bytes(b"garbage " * 1000)
    assert main(["verify", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["sound"] is False
    assert "unreadable" in report["violations"][0]
