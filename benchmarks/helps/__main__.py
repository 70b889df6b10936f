"""Makes a mistake in each of many correct specs, as people err, and applies every help that is given for it literally.

    python -m benchmarks.helps --count 5000 --output benchmarks/results/helps.md
    python -m benchmarks.helps --only 4711     # one mistake again, with its findings and what comes of their helps

A help works if its edits, applied alone, remove its finding and bring no other. One that quotes text to paste and has no
edit does not work. Mistake number n is made from n alone. Ends with status 1 where fewer than 95 % of the helps work.
"""

from __future__ import annotations

import sys

from benchmarks.helps.rate import COUNT, measured, show
from benchmarks.program import run, sweep_parser

if __name__ == "__main__":
    sys.exit(run(sweep_parser(__doc__, COUNT, "mistakes", ("NUMBER",)), measured, show))
