"""A profile as people read it.

In: a `Profile`. Out: lines of at most 100 columns.
"""

from __future__ import annotations

from archspec.compiler.training.profile.spec_lines import Profile, SpecLine
from archspec.compiler.training.profile.timeline import IMAGES, LOSS, OPTIMISER
from archspec.diagnostics.findings import plural, printable
from archspec.report import WIDTH

MOST = 10  # lines of the spec
NUMBERS = "{:>8} {:>9} {:>9} {:>9}  {}"
LONGEST = 30  # columns of a layer's name
OUTSIDE = {
    IMAGES: "images: waiting for them, normalising, mixing",
    LOSS: "loss",
    OPTIMISER: "optimiser, and the rest of the loop",
}


def profile_lines(profile: Profile) -> list[str]:
    """Return the table: the most expensive lines of the spec, then everything else, then the whole step."""
    others = profile.lines[MOST:]
    rows = [_row(profile, one.ms, one.forward_ms, one.backward_ms, _place(one)) for one in profile.lines[:MOST]]
    if others:
        forward, backward = sum(one.forward_ms for one in others), sum(one.backward_ms for one in others)
        rows.append(_row(profile, forward + backward, forward, backward, plural(len(others), "other line")))
    rows += [_row(profile, one.ms, None, None, OUTSIDE[one.name]) for one in profile.outside]
    kind = "GPU time" if profile.device.startswith("cuda") else "time"
    return [
        f"{printable(profile.network)}: {plural(profile.steps, 'step')} of {plural(profile.images, 'image')} on"
        f" {profile.device}, {profile.ms:,.2f} ms each under the profiler, {profile.plain_ms:,.2f} ms without",
        NUMBERS.format("share", "ms", "forward", "backward", f"{kind} per step, by lines of the spec"),
        *rows,
        _row(profile, profile.ms, None, None, "a step"),
        f"trace: {printable(profile.trace)} (for https://ui.perfetto.dev or chrome://tracing)",
    ]


def _row(profile: Profile, ms: float, forward: float | None, backward: float | None, what: str) -> str:
    parts = ["" if part is None else f"{part:,.3f}" for part in (forward, backward)]
    row = NUMBERS.format(f"{100 * profile.share(ms):.1f} %", f"{ms:,.3f}", *parts, what)
    return row if len(row) <= WIDTH else row[: WIDTH - 3] + "..."


def _place(one: SpecLine) -> str:
    first = one.layers[0] if len(one.layers[0]) <= LONGEST else "..." + one.layers[0][3 - LONGEST :]
    more = f" and {len(one.layers) - 1} more" if len(one.layers) > 1 else ""
    name = one.file.replace("\\", "/").rpartition("/")[2]
    return printable(f"{name}:{one.line} {first}{more}: {' '.join(one.text.split())}")
