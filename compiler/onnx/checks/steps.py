"""What a proof consists of: its steps, and what each found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One step of a proof."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Proof:
    """All steps; those after a file that cannot be loaded are missing."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every step holds."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The proof as `--json` gives it."""
        return {"passed": self.passed, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        """The table, a line a step."""
        width = max(len(check.name) for check in self.checks)
        return "\n".join(
            f"  {'ok    ' if check.passed else 'FAILED'}  {check.name:<{width}}  {check.found}" for check in self.checks
        )


def first_line(error: Exception) -> str:
    """What an exception says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
