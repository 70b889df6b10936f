"""What is kept of a run: the figures of each epoch, checkpoints, the summary, the folder and its page; TensorBoard.

In: a run in progress. Out: records, and files that are complete or absent. Nothing is trained here.
"""
