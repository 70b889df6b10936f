"""Images with classes, or with masks (`maps`): found, checked, decoded, varied, batched; bundled digits and folders.

In: a folder or the bundled digits, a recipe, a network's input volume. Out: batches of bytes with their classes, or
arrays as a network takes them. Nothing is written, trained or evaluated here, and no other room of the back end is
imported; `preprocessing` and `decode` need no torch.
"""
