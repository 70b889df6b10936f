"""Images with masks: pairs of files, read, varied together, and batched for a network whose output is a map of classes.

In: a folder with `images` and `masks`. Out: `Data` whose batches have a class for each pixel. A mask has one channel,
whose values are the numbers of classes; pixels of value 255 are ignored, in the loss and in scores.
"""
