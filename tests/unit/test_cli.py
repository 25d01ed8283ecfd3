"""The command line, as an operator meets it when something is wrong: a sentence, an exit status, no traceback."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from router.cli import main
from router.linting.findings import CODES
from router.vault.store import SqliteVault
from tests.parts.router import ROOT
from tests.unit.test_settings import Folder

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


# -- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shipped", ["demo", "example"])
def test_what_is_shipped_passes_the_check(shipped: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--strict", "--json", "--config", str(ROOT / "config" / shipped)]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert (counts["error"], counts["warning"]) == (0, 0)


def test_check_fails_on_errors_strictly_also_on_warnings_and_tells_them_by_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path).change("centre.toml", "engels = 3 }", "engels = 5 }")
    check = ["check", "--config", str(folder.path)]
    assert main(check) == 0
    told = capsys.readouterr().out
    assert "warning nobody_in_language  agents.toml: agents\n    a call in English about burgerzaken waits" in told
    assert main([*check, "--strict"]) == 1

    folder.change("agents.toml", 'name = "Bo', 'works = { weekdays = "08:30-17:00" }\nname = "Bo')
    assert main(check) == 1
    assert (
        "a call about wmo for duinrand on Monday 08:00 finds nobody (it asks tweede-lijn 1 and wmo 3; bo: from 08:30)"
        in capsys.readouterr().out
    )


def test_check_as_json_tells_mistakes_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path).change("topics.toml", 'queue = "sociaal"', 'queue = "social"')
    assert main(["check", "--json", "--config", str(folder.path)]) == 1
    (finding,) = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["key"] == "topics[3].queue"]
    assert finding == {
        "severity": "error",
        "code": "mistake",
        "file": "topics.toml",
        "key": "topics[3].queue",
        "example": 'there is no queue "social"',
        "remedy": 'did you mean "sociaal"?',
    }
    assert main(["check", "--config", str(folder.path)]) == 1
    assert 'topics.toml: topics[3].queue: there is no queue "social"; did you mean' in capsys.readouterr().err


def test_the_operations_page_explains_every_code() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert not [code for code in CODES if f"| `{code}` |" not in page]
