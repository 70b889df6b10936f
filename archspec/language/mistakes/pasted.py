"""What surrounds a spec on the page that it was copied from: it is read over.

In: the text of a line, without its indentation and comment. Out: how many of its characters to pass over. No line of
the notation begins so: rules, Markdown fences, comments of other languages, bullets and numbers of lists, and the arrow
with which a line continues the one above. A comment or a note that contains a layer is never read over silently.
"""

from __future__ import annotations

import re

_PAIR = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\.?$"  # one pair of parentheses around a whole line
_PAGE = re.compile(
    r"(?:```|~~~).*$|(?:</?[a-z]+>)+$"
    r"|\\(?:[a-z]*(?:rule|line)|centering)$|\\(?:begin|end|label|caption)\{.*$"  # fences
    r"|[-=*_~+—–•\u2500-\u257f]{3,}$|[↓⬇⇩▼]\ufe0f?$|\|?(?: *:?-{2,}:? *\|)+(?: *:?-{2,}:?)? *$"  # rules
    rf"|{_PAIR}"  # notes
    r"|(?://|%|;|/\*|\*/|<!--|--(?![->])).*$"  # comments
)
_BULLET = re.compile(
    r"(?:[-*] +\[[ xX]\]|[-*$]|>{1,3}|[\u2500-\u257f ]*[\u2500-\u257f]|[^\w\s\x00-\x7f→⇒⟶➔➜×][\ufe0f\u200d]*) +(?=\S)"
    r"|\(?\d{1,3}[.)] +(?!x )(?=[A-Za-z\[@|(*`]|\d+ *[x×])"
)
# what a comment or a note may not hide: steps, and what changes one
_STEP = re.compile(
    r"\b[A-Z]{2,}[A-Z0-9]*(?:[ :]+\(?\d|[ )*/>-]*$|[ ,]*(?:->|→))|(?:->|→) *[A-Za-z]"
    r"|\b(?i:conv\w*|\w*pool\w*|fc|linear|dense)[ :(]+\d|^\( *[x×]? *\d"
    r"|^% *,? *(?:top|acc|params|macs)|^\((?:strides?|pad|padding|same|groups|(?:no|without) +bias)\b"
)
REMARK = re.compile(rf"\\(?:begin|end|label|caption)|//|%|;|/\*|<!--|--|```|~~~|(?={_PAIR})\(")
_ARROW = re.compile(r"(?:->|[→⇒⟶➔➜]|[—–]>) *(?=\S)")
_ZERO = "\u200b\u200c\u200d\ufeff\u2060"


def indent(text: str) -> tuple[int, int]:
    """Return how many characters at the beginning of a line are spaces of other kinds, and how wide they are."""
    rest = text.lstrip(f" \u00a0\u2002\u2003\u2007\u2009\u202f\u3000{_ZERO}")
    before = text[: len(text) - len(rest)]
    return len(before), sum(character not in _ZERO for character in before)


def passed_over(text: str) -> int:
    """Return how many characters at the beginning of a line mean nothing: all, those of a bullet, or none."""
    if _PAGE.match(text.split("\n", 1)[0]):
        return 0 if hides_a_step(text) else len(text)
    found = _BULLET.match(text)
    return found.end() if found else 0


def hides_a_step(text: str) -> bool:
    """Whether a comment or a note contains a step, or an argument of one."""
    return REMARK.match(text) is not None and _STEP.search(text) is not None


def arrow(text: str) -> int:
    """Return the length of the arrow at the beginning of a line, which continues the one above; 0 without one."""
    found = _ARROW.match(text)
    return found.end() if found else 0
