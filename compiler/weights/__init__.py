"""Weights files, what they and exported models say of themselves, and the one way in which files are written.

In: a module's state, or a path. Out: safetensors files and `Trained`. Of the other rooms only `data.preprocessing` and
`lowering` are imported; no image is read, and nothing is trained or evaluated here.
"""
