"""The steps of a proof that are more than a comparison: inferred shapes, and how exact float32 can be.

In: a model, or a torch module with inputs. Out: a `Check`, or numbers. proof.py says which steps there are.
"""
