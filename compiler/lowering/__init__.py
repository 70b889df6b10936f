"""From a graph to a torch module: generated forward pass, modules of layers, in-place writes, first weights.

In: a graph, or a stage of one. Out: an `nn.Module` under the spec's names. Nothing is trained, saved or exported here.
"""
