"""`python -m benchmarks [routing] [voice] [--quick]`: measure, side by side, and print the figures."""

from __future__ import annotations

import argparse
import sys

from benchmarks import routing, voice

PARTS = {"routing": routing.main, "voice": voice.main}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which (all)")
    parser.add_argument("--quick", action="store_true", help="under a minute: shows that it runs, proves little")
    options = parser.parse_args()
    return max(PARTS[part](options.quick) for part in (options.parts or PARTS))


if __name__ == "__main__":
    sys.exit(main())
