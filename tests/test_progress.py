"""How a time is written."""

import pytest

from archspec.compiler.progress import clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (9.94, "9.9 s"),
        (48, "48 s"),
        (59.4, "59 s"),
        (60, "1:00 min"),
        (185, "3:05 min"),
        (3600, "1:00:00 h"),
        (7620, "2:07:00 h"),
    ],
)
def test_a_time_is_written_as_people_read_it(seconds: float, text: str) -> None:
    assert clock(seconds) == text
