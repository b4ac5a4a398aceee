"""Names and characters that are batchspec's own, so that nobody else may use them.

Place in the pipeline: `load`, `variables` and the checks refuse them in a spec; `render` and `reconcile` write them.
Pure data.
"""

METADATA_PREFIX = "batchspec:"
TASK_HASH_SETTING = "BATCHSPEC_TASK_HASH"

# What `render` writes its symbols with (see `batchspec.render.symbolic`): begin, end, and between the parts.
OPEN, CLOSE, SEPARATOR = "\ue000", "\ue001", "\ue002"
CHARACTERS = OPEN + CLOSE + SEPARATOR
