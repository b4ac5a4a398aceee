"""Azure Batch on this machine, for any client: REST over HTTP, state in SQLite, tasks as real processes.

The room imports nothing from the other rooms and they import nothing from it: the wire is the only contract,
so that a misreading of the API in the client cannot hide behind the same misreading here.
"""
