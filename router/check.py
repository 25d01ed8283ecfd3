"""`kcc-router check`: reads a configuration, looks it over, and tells what was found, in words or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from router.errors import ConfigurationInvalid
from router.linting.findings import SEVERITIES, Finding
from router.linting.lint import lint
from router.linting.wording import table_lines
from router.settings_reader import describe, read

SHOWN_PER_CODE = 10
"""In words; JSON has them all."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A configuration that was looked over."""

    version: str
    """Empty when it could not be read."""
    summary: str
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """Severity -> number of findings."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}

    def passes(self, strict: bool) -> bool:
        counts = self.counts()
        return not counts["error"] and not (strict and counts["warning"])

    def json(self) -> str:
        findings = [asdict(finding) for finding in self.findings]
        return json.dumps({"version": self.version, "counts": self.counts(), "findings": findings}, indent=2)

    def text(self) -> str:
        """Three lines a finding: where, what happens, what to do; and how many there are."""
        lines, seen = [self.summary], Counter[str]()
        for finding in self.findings:
            seen[finding.code] += 1
            if seen[finding.code] <= SHOWN_PER_CODE:
                where = f"{finding.file}: {finding.key}" if finding.key else finding.file
                lines += [f"{finding.severity} {finding.code}  {where}", f"    {finding.example}"]
                lines += [f"    -> {finding.remedy}"] if finding.remedy else []
        lines += [f"… and {many - SHOWN_PER_CODE} more {code}" for code, many in seen.items() if many > SHOWN_PER_CODE]
        counted = ", ".join(f"{severity}: {many}" for severity, many in self.counts().items() if many)
        return "\n".join([*lines, f"found {counted}" if counted else "nothing found"])


def check(folder: Path, environ: Mapping[str, str]) -> Checked:
    """Look the folder over. Raises ConfigurationInvalid when it cannot be read; `unreadable` makes findings of that."""
    settings, subject = read(folder, environ)
    findings = [*lint(subject), *_told(settings.warnings, "warning", "odd")]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    rules = [f"    {line}" for line in table_lines(settings.centre)]
    summary = "\n".join([describe(settings), "  what a contact is about: the first line that fits", *rules])
    return Checked(settings.version, summary, tuple(findings))


def unreadable(error: ConfigurationInvalid) -> Checked:
    return Checked("", "", tuple(_told(error.mistakes, "error", "mistake")))


def _told(lines: Iterable[str], severity: str, code: str) -> list[Finding]:
    """What reading said: `file: key: what is wrong; what to write`."""
    found = []
    for line in lines:
        file, _, rest = line.partition(": ")
        key, _, what = rest.partition(": ")
        example, _, remedy = (what or rest).partition("; ")
        found.append(Finding(severity, code, file, key if what else "", example, remedy))
    return found
