"""What is wrong with a folder of images, before anything is trained on it: copies, labels, colours, sizes, classes.

In: the images of a folder and their parts (training, held out, test). Out: findings, each with what to do, and a survey
for `archspec data`. No file is changed, and an image is decoded only if asked for.
"""
