"""Helps for names: what was probably meant by a call, a declaration or a layer that is wrong.

In: syntax, and the names that are known there. Out: findings with notes, and helps that carry edits. Only errors need
this: nothing here decides whether something is wrong.
"""
