"""What a schema cannot express, by subject; `batchspec.spec.rules` lists the checks.

Every check takes a document's data, which may be invalid in any way, and gives Findings. What has the wrong type is
passed over: the schema has told it.
"""
