"""What inputs, outputs, values, weights and nodes of a model are called, and what is said of where they come from.

In: a graph, and its weights by the spec's names. Out: names, arrays, texts. No ONNX node is written here.
"""
