"""What is kept of a run: its folder, checkpoints, the figures of each epoch, throughput, TensorBoard.

In: a run in progress. Out: files, each whole or not there. Nothing is trained here.
"""
