"""Syntax back to text, for the law that reading what was printed gives the same syntax."""

from archspec.language import syntax as s

INDENT = "    "


def print_file(file: s.File) -> str:
    lines = [line for declaration in file.declarations for line in _declaration(declaration)]
    return "\n".join([*lines, *_body(file.body, "")]) + "\n"


def _declaration(node: s.Declaration) -> list[str]:
    if isinstance(node, s.Net):
        return [f"net {node.title}"]
    if isinstance(node, s.Cites | s.License):
        return [f"{type(node).__name__.lower()} {node.title}"]
    if isinstance(node, s.Published):
        variant = f" {node.name}:" if node.name else ""
        return [f"published{variant} {' '.join(f'{one.name}={_figure(one.figure)}' for one in node.figures)}"]
    if isinstance(node, s.Use):
        return [f"use {node.file}: {', '.join(name.name for name in node.names)}"]
    if isinstance(node, s.Param):
        return [f"param {node.name} = {expression(node.value)}"]
    if isinstance(node, s.Variant):
        bindings = " ".join(f"{binding.name}={expression(binding.value)}" for binding in node.bindings)
        return [f"variant {node.name}: {bindings}" if bindings else f"variant {node.name}"]
    if isinstance(node, s.After):
        words = " ".join(word.text for word in node.words)
        return [f"after {words}: {' -> '.join(_step(step) for step in node.steps)}"]
    if isinstance(node, s.Init):
        return [f"init {' '.join(word.text for word in node.words)}: {expression(node.value)}"]
    if isinstance(node, s.Total):
        size = f" * 4 bytes ~= {_figure(node.size)}" if node.size is not None else ""
        return [f"TOTAL {node.kind}: {_figure(node.figure)}{size}"]
    if isinstance(node, s.Train):
        return ["train", *(INDENT + " ".join([one.name, *map(_setting_word, one.words)]) for one in node.settings)]
    assert isinstance(node, s.BlockDefinition)
    shared = " shared" * node.is_shared
    return [f"block {node.name}({', '.join(map(_parameter, node.parameters))}){shared}", *_body(node.body, INDENT)]


def _setting_word(node: s.SettingWord) -> str:
    if node.value is None:
        return str(node.name)
    return repr(node.value) if node.name is None else f"{node.name}={node.value!r}"


def _parameter(node: s.Parameter) -> str:
    name = node.text
    if node.default is None:
        return name
    default = f"@{node.default.name}" if isinstance(node.default, s.Reference) else expression(node.default)
    return f"{name}={default}"


def _body(body: s.Body, indent: str) -> list[str]:
    return [line for statement in body for line in _statement(statement, indent)]


def _statement(node: s.Statement, indent: str) -> list[str]:
    if isinstance(node, s.Chain):
        return _chain(node, indent, indent)
    if isinstance(node, s.Let):
        return [f"{indent}let {node.name} = {expression(node.value)}"]
    if isinstance(node, s.Aux):
        return _chain(node.chain, indent, f"{indent}aux {_atom(node.weight)}: ")
    lines = []
    for position, arm in enumerate(node.arms):
        word = "if" if position == 0 else "else if" if arm.condition is not None else "else"
        condition = "" if arm.condition is None else f" {expression(arm.condition)}"
        lines += [f"{indent}{word}{condition}", *_body(arm.body, indent + INDENT)]
    return lines


def _chain(node: s.Chain, indent: str, lead: str) -> list[str]:
    bracket = f"{_bracket(node.bracket)} " if node.bracket else ""
    label = f"{'output ' * node.is_output}{node.label}: " if node.label else ""
    steps = " -> ".join(_bracket(step) if isinstance(step, s.Bracket) else _step(step) for step in node.steps)
    lines = [f"{lead}{bracket}{label}{steps}"]
    merge = _merge_of(node.steps[-1])
    for branch in merge.branches if merge else ():
        first, *rest = _body(branch, indent + INDENT + "  ")
        lines += [f"{indent}{INDENT}| {first.strip()}", *rest]
    return lines


def _merge_of(step: s.Step | s.Bracket) -> s.MergeStep | None:
    return step if isinstance(step, s.MergeStep) else None


def _step(step: s.Step) -> str:
    if isinstance(step, s.LayerStep):
        return _layer(step)
    if isinstance(step, s.CallStep):
        return f"{step.name}({', '.join(map(_argument, step.arguments))})"
    if isinstance(step, s.RepeatStep):
        return f"{_times(step.times)} x {_step(step.step)}"
    if isinstance(step, s.MergeStep):
        return step.name
    if isinstance(step, s.EntryStep):
        return "x"
    assert isinstance(step, s.ReferenceStep), "a file that was read whole has no other"
    return f"@{step.name}"


def _times(count: s.Expression) -> str:
    return expression(count) if isinstance(count, s.Number | s.Name) else f"({expression(count)})"


def _layer(step: s.LayerStep) -> str:
    words = " ".join(word.text for word in step.words) + (":" if step.has_colon else "")
    claims = []
    for claim in step.claims:
        right = "" if claim.figure is None else f" = {_figure(claim.figure)}"
        claims.append(f"{claim.kind}: {_figure(claim.value)}{right}")
    bracket = [_bracket(step.bracket)] if step.bracket else []
    return " ".join([words, *bracket, *(_argument(one, True) for one in step.arguments), *claims])


def _argument(node: s.GivenArgument, in_layer: bool = False) -> str:
    lead = f"{node.name}=" if node.name else ""
    value = node.value
    if isinstance(value, s.Short):
        return value.letter + "x".join(":".join(map(str, row)) for row in value.sizes)
    if isinstance(value, s.Extent):
        if all(isinstance(size, s.Number) for size in value.sizes):
            return lead + "x".join(expression(size) for size in value.sizes)
        return lead + " x ".join(_atom(size) for size in value.sizes)
    if isinstance(value, s.Reference):
        return f"{lead}@{value.name}" if not node.name else f"{node.name}=@{value.name}"
    return lead + (expression(value) if node.name or not in_layer else _plain(value))


def _plain(value: s.Expression) -> str:
    """An argument that follows another: nothing that begins with a minus, or compares, stands bare."""
    return _atom(value) if isinstance(value, s.Binary | s.Negate | s.Not) else expression(value)


def _figure(node: s.Expression | s.Figure) -> str:
    if not isinstance(node, s.Figure):
        return _plain(node)
    return f"{node.value:,}" if node.is_exact else f"{node.value / 1000:.15g}K"


def _bracket(node: s.Bracket) -> str:
    if node.is_literal:
        return "[" + "x".join(expression(dimension) for dimension in node.dimensions) + "]"
    return "[" + " x ".join(expression(dimension) for dimension in node.dimensions) + "]"


def _atom(node: s.Expression) -> str:
    return expression(node) if isinstance(node, s.Number | s.Name | s.Function) else f"({expression(node)})"


def expression(node: s.Expression) -> str:
    """Every operation in parentheses of its own."""
    if isinstance(node, s.Number):
        return repr(node.value)
    if isinstance(node, s.Name):
        return node.name
    if isinstance(node, s.Function):
        return f"{node.name}({', '.join(map(expression, node.arguments))})"
    if isinstance(node, s.Negate):
        return f"-{_atom(node.operand)}"
    if isinstance(node, s.Not):
        return f"not {_atom(node.operand)}"
    return f"{_atom(node.left)} {node.operator} {_atom(node.right)}"
