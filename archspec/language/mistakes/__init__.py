"""What is wrong with a text, and what must have been meant: loaded only when a line cannot be read as it stands.

In: a line that the grammar or the layout rejects, and the whole text around it. Out: the line as it is meant, if that
is certain, and findings whose helps carry edits. A kind of mistake is one finding for a file, whatever its lines.

1. `pasted` tells what belongs to the page that was copied: rules, fences, notes, bullets; it is read over.
2. `mender` tries the `rules` (`punctuation`, `words`, `brackets`) and `lookalikes` until the grammar accepts the line.
3. `prose` and `foreign` recognise text that is not a spec; `rejections` explains the rest.
4. `structure` and `tabs` are about the tree of lines.
"""
