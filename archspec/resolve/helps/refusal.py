"""The finding for a layer step that was refused, in the terms of the step.

In: a finding of a layer's rule or of its arguments, and the step. Out: the finding, whose helps are worked out only if
they are shown.
"""

from __future__ import annotations

from archspec.diagnostics.errors import Finding
from archspec.diagnostics.findings import Edit, Help
from archspec.language import syntax as s
from archspec.resolve.helps.respelling import Speller
from archspec.resolve.layer_names import NamedLayer
from archspec.resolve.scope import Scope


def refusal(finding: Finding, step: s.LayerStep, named: NamedLayer, scope: Scope) -> Finding:
    """Return the finding with the layer's proposals as edits of the step."""
    if finding.code.startswith("E1"):
        finding = _missing_arrow(step, scope) or finding
    finding.change_helps(lambda helps: Speller(step, named, scope).helps(helps))
    return finding


def _missing_arrow(step: s.LayerStep, scope: Scope) -> Finding | None:
    """Report a block call among the arguments: it is the next step, without its arrow."""
    for argument in step.arguments:
        if isinstance(argument.value, s.Function) and argument.value.name in scope.file.blocks:
            call = argument.value.span
            before = call.source.text[step.span.start : call.start].rstrip()
            text = f"{before} -> {call.text}"
            helps = (Help(f"`{text}`", Edit(step.words[0].span.to(call), text), is_safe=True),)
            return Finding("E006", f"missing `->` before `{call.text}`", call, "a second step", helps=helps)
    return None
