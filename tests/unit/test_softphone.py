"""Telephones in the desk: how they are configured, and who is told a password."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.errors import ConfigurationInvalid
from router.settings import PbxSettings, Settings, SoftphoneSettings, VoiceSettings
from router.settings_reader import load
from tests.parts.where import ROOT
from tests.unit.served import Served

DEMO = ROOT / "config" / "demo"
VOICE = {"KCC_AMI": "127.0.0.1:5038", "KCC_AMI_SECRET": "ami-secret", "KCC_AGI_TOKEN": "0123456789abcdef"}
URL, SECRET = "wss://kcc.example/phone", "w1:browser-1"


def loaded(**environ: str) -> Settings:
    return load(DEMO, {**VOICE, **environ})


def mistakes(**environ: str) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(**environ)
    return list(caught.value.mistakes)


def test_without_a_word_about_it_nobody_has_a_softphone() -> None:
    settings = loaded()
    assert settings.voice is not None
    assert settings.voice.softphone is None


def test_a_telephone_and_its_password_each_with_a_colon_between() -> None:
    voice = loaded(KCC_SOFTPHONE_URL=URL, KCC_SOFTPHONE_PASSWORDS="a1:pass:word1 a3:password3").voice
    assert voice is not None
    assert voice.softphone == SoftphoneSettings(URL, {"a1": "pass:word1", "a3": "password3"})
    assert "password" not in repr(voice).replace("passwords", "")


@pytest.mark.parametrize(
    ("url", "passwords", "said"),
    [
        ("http://kcc.example", SECRET, "voice.softphone.url"),
        ("ws://kcc.example/phone", SECRET, "ws:// on loopback only"),
        ("wss://user:x@kcc.example", SECRET, "voice.softphone.url"),
        ("wss://kcc.example:99999/", SECRET, "voice.softphone.url"),
        (URL, "", "voice.softphone.passwords_file: the telephones need it"),
        (URL, "w1", "KCC_SOFTPHONE_PASSWORDS: entry 1 is not one"),
        (URL, f"{SECRET} w2:short", "KCC_SOFTPHONE_PASSWORDS: entry 2 is not one"),
        (URL, f"{SECRET} {SECRET}", "entry 2 is for w1 again"),
    ],
)
def test_every_mistake_is_said_and_no_password(url: str, passwords: str, said: str) -> None:
    found = mistakes(KCC_SOFTPHONE_URL=url, KCC_SOFTPHONE_PASSWORDS=passwords)
    assert any(said in line for line in found), found
    assert not any("browser-1" in line or "short" in line for line in found)


def test_a_telephone_that_nobody_has_is_worth_a_word() -> None:
    assert any('no agent has the telephone "w9"' in line for line in loaded(
        KCC_SOFTPHONE_URL=URL, KCC_SOFTPHONE_PASSWORDS="w9:password9").warnings)  # fmt: skip


@pytest.fixture
async def told(tmp_path: Path) -> Any:
    served = Served(tmp_path)
    agents = tuple(replace(a, endpoint="w1" if a.id == "ada" else "a2") for a in served.settings.centre.agents[:2])
    centre = replace(served.settings.centre, agents=(*agents, *served.settings.centre.agents[2:]))
    voice = VoiceSettings(
        (PbxSettings("127.0.0.1", 5038, "router", "x"),), softphone=SoftphoneSettings(URL, {"w1": "browser-1"})
    )
    served.settings = replace(served.settings, centre=centre, voice=voice)
    async with served:
        yield served


async def test_an_agents_own_desk_is_told_how_it_telephones_and_nobody_elses(told: Served) -> None:
    ada = await told.screen("/desk", await told.sign_in("ada"))
    bob = await told.screen("/desk", await told.sign_in("bob"))
    assert (await ada.until("state", lambda s: s["agent"]))["agent"]["softphone"] is True
    assert (await bob.until("state", lambda s: s["agent"]))["agent"]["softphone"] is False
    assert await ada.ask("softphone", {}) == {"ok": True, "url": URL, "phone": "w1", "password": "browser-1"}
    assert (await bob.ask("softphone", {}))["error"]["code"] == "unknown"
    assert "browser-1" not in str(ada.told) + str(bob.told)
