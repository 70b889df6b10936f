"""Files that hold weights, what they say of themselves, and how a file is written: whole or not at all.

In: a module's state, or a path. Out: safetensors files and `Trained`. No image is read and nothing is trained here.
"""
