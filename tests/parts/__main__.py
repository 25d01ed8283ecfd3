"""`python3 -m tests.parts install` gets what is missing (CI=true: or fails); `… list` tells what is there."""

from __future__ import annotations

import os
import sys

from tests.parts.install import PARTS, install


def main(arguments: list[str]) -> int:
    if arguments == ["install"]:
        missing = install()
        for line in missing:
            print(line, file=sys.stderr)
        return 1 if missing and os.environ.get("CI", "").lower() in {"1", "true"} else 0
    if arguments == ["list"]:
        for part in PARTS:
            print(f"{part.name:10} {'there' if part.found() else 'missing'}   {part.needed_for}")
        return 0
    print("usage: python3 -m tests.parts install | list", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
