"""How training images are varied: crops, RandAugment, erased parts, mixtures of the images of a step.

In: an image or a batch, the recipe, seeds. Out: the varied image or batch. Everything drawn depends on the seeds alone.
Nothing is read or decoded here.
"""
