"""Spoken prompts for a test run: raw A-law by espeak-ng where it is there, else tones. Not meant for citizens' ears."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from router.settings_prompts import prompts_of
from router.settings_reader import read
from tests.parts.where import ROOT, espeak_command

SMALL = [
    "nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf", "dertien",
    "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien",
]  # fmt: skip
TENS = ["twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig"]
NUMBERS = {
    **{f"digits/{number}": word for number, word in enumerate(SMALL)},
    **{f"digits/{20 + 10 * place}": word for place, word in enumerate(TENS)},
    "digits/hundred": "honderd",
    "digits/thousand": "duizend",
    "digits/nl-en": "en",
}
RATE = 8000
DEMO = ROOT / "config" / "demo"


def prompt_texts(config: Path = DEMO) -> dict[str, dict[str, str]]:
    """Language -> prompt -> what it says: those of router/prompts.toml, for this configuration."""
    settings, subject = read(config, {})
    texts: dict[str, dict[str, str]] = {"nl": dict(NUMBERS)}
    for name, spoken in prompts_of(settings.centre, subject.menus).items():
        for language, text in spoken.items():
            texts.setdefault(language, {})[f"kcc/{name}"] = text
    return texts


def alaw(sample: int) -> int:
    """One 16-bit sample as G.711 A-law."""
    sign = 0x80 if sample >= 0 else 0
    size = min(abs(sample), 32635) >> 3
    if sample < 0 and size:
        size -= 1
    exponent = max(0, size.bit_length() - 5)
    mantissa = (size >> max(exponent, 1)) & 0x0F
    return ((sign | exponent << 4 | mantissa) ^ 0x55) & 0xFF


@functools.cache
def _table() -> bytes:
    return bytes(alaw(sample - 32768) for sample in range(0, 65536, 8))


def encode(samples: list[int]) -> bytes:
    """16-bit samples at 8 kHz -> A-law bytes."""
    table = _table()
    return bytes(table[(sample + 32768) >> 3] for sample in samples)


def tone(hertz: float, seconds: float, height: int = 8000) -> bytes:
    """A sine as A-law."""
    return encode([int(height * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(seconds * RATE))])


def speech(text: str, language: str, command: list[str]) -> bytes:
    """A sentence as A-law. The length in espeak's wav header is not true: read to the end."""
    said = subprocess.run([*command, "-v", language, "-s", "150", "--stdout", text], capture_output=True, check=True)
    wav = said.stdout
    start = wav.index(b"data") + 8
    rate = struct.unpack("<I", wav[24:28])[0]
    raw = wav[start : len(wav) - (len(wav) - start) % 2]
    samples = struct.unpack(f"<{len(raw) // 2}h", raw)
    step = rate / RATE
    edges = [int(n * step) for n in range(int(len(samples) / step) + 1)]
    return encode([sum(samples[a:b]) // (b - a) for a, b in itertools.pairwise(edges) if b > a])


def prompt_hertz(name: str, language: str = "nl") -> int:
    """The frequency that stands for a prompt when it is not spoken: a multiple of 10 between 500 and 1990."""
    name = name if language == "nl" else f"{language}/{name}"
    return 500 + 10 * (int.from_bytes(hashlib.sha256(name.encode()).digest()[10:14]) % 150)


@functools.cache
def _made(config: Path, *, spoken: bool) -> Path:
    """All prompts, made once and kept for later runs in a folder that carries their fingerprint."""
    command = espeak_command() if spoken else None
    texts = prompt_texts(config)
    key = hashlib.sha256(repr((texts, command, Path(__file__).read_bytes())).encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"kcc-prompts-{os.geteuid()}-{key}"
    if not place.is_dir():
        fresh = Path(tempfile.mkdtemp(prefix="kcc-prompts-"))
        for language, name, text in ((ln, name, text) for ln, told in texts.items() for name, text in told.items()):
            path = fresh / language / f"{name}.alaw"
            path.parent.mkdir(parents=True, exist_ok=True)
            sound = speech(text, language, command) if command else tone(prompt_hertz(name, language), 0.6)
            path.write_bytes(sound)
        try:
            fresh.rename(place)
        except OSError:  # another run was first
            shutil.rmtree(fresh)
    return place


def make_prompts(folder: Path, *, spoken: bool, config: Path = DEMO) -> None:
    """Put every prompt into `folder`, the PBX's folder of sounds, below its language: spoken, or (also without
    espeak-ng) 0.6 s of a tone of its own, which a test can tell from the others."""
    shutil.copytree(_made(config, spoken=spoken), folder, dirs_exist_ok=True)


if __name__ == "__main__":
    make_prompts(Path(sys.argv[1]), spoken=True, config=Path(sys.argv[2]) if len(sys.argv) > 2 else DEMO)
