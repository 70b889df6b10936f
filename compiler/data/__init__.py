"""Images with classes: found, decoded, cropped, augmented, mixed, batched; bundled digits and folders of files.

In: a folder, or nothing for the digits; a recipe. Out: batches of bytes with classes. Nothing here knows a network.
"""
