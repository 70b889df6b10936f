"""Changes of a spec, by its variants and by the command line: what they mean in it, and what is wrong with them.

In: parameters and their values; what runs of the spec with and without the changes found. Out: the changed values, the
layers that `--classes` resizes, and findings that name the flag. Only families and changed specs import this.
`parameters` sets the parameters, `class_count` finds the last layers, `blame` names the flag.
"""
