"""MHSA equals torch's own MultiheadAttention, in float64: causal, and with keys and values of other sequences."""

import pytest
import torch
from torch import nn

import archspec
from archspec.compiler import build

HEAD = "[6x8] INPUT\nk: FC 10 nobias\nv: @input -> FC 4 nobias\n@input -> "
FORMS = {"MHSA 2": (8, 8), "MHSA 2 causal": (8, 8), "MHSA 2 kv=@k": (10, 10), "MHSA 4 k=@k v=@v": (10, 4)}


@pytest.mark.parametrize("text", FORMS)
def test_mhsa_is_torchs_multihead_attention(text: str) -> None:
    keys, values = FORMS[text]
    lines = [line for line in HEAD.split("\n")[:3] if line[0] == "[" or f"@{line[0]}" in text]
    spec = "\n".join([*lines, HEAD.rsplit("\n", 1)[1] + text]) + "\n"
    module = build(archspec.loads(spec), seed=0).double().eval()
    own = module.get_submodule("mhsa1")
    torchs = nn.MultiheadAttention(8, int(text[5]), batch_first=True, kdim=keys, vdim=values).double()
    weights = dict(own.named_parameters())
    rows = [weights[name] for name in ("qkv.weight", "kv.weight") if name in weights]
    parts = tuple(rows[0][first : first + 8] for first in range(0, len(rows[0]), 8)) if rows else ()
    names: tuple[str, ...] = {3: (), 2: ("q",), 0: ("q", "k", "v")}[len(parts)]
    query, key, value = [weights[f"{one}.weight"] for one in names] + list(parts)
    with torch.no_grad():
        if torchs.in_proj_weight is not None:
            torchs.in_proj_weight.copy_(torch.cat([query, key, value]))
        else:
            torchs.q_proj_weight.copy_(query)
            torchs.k_proj_weight.copy_(key)
            torchs.v_proj_weight.copy_(value)
        torchs.out_proj.weight.copy_(weights["proj.weight"])
        torchs.in_proj_bias.zero_()
        torchs.out_proj.bias.zero_()
        x = torch.randn(3, 6, 8, dtype=torch.float64)
        told = [module.get_submodule(name)(x) if f"@{name}" in text else x for name in "kv"]
        told = [told[0]] * 2 if "kv=" in text else told
        mask = nn.Transformer.generate_square_subsequent_mask(6, dtype=torch.float64) if "causal" in text else None
        expected, _ = torchs(x, *told, attn_mask=mask, need_weights=False)
        assert torch.allclose(module(x), expected, atol=1e-12, rtol=1e-12)
