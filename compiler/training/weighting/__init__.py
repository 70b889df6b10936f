"""How much each class and each layer counts in a run: class weights, learning rates of layers, frozen layers.

In: a recipe, the classes of the images, the graph. Out: numbers, set on the loss and on the parameters of a module.
"""
