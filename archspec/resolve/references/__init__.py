"""References beyond a label of the same lines: results inside calls, lists of volumes, and weights that are shared.

In: references, scopes, and points of chains. Out: volumes, and the first call of each shared block; when the graph is
complete, the nodes with the weights that they share. Most specs need none of this, so it is imported when it is met.
`results` finds `@s.coarse` and `@last.coarse`, `lists` is about `@more...`, `layer_arguments` about `kv=@memory` and
`weights=@words`; `sharing` compares the calls of a shared block, and `shared_weights` the parameters of their layers.
"""
