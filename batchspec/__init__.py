"""batchspec: a declarative job-spec runner for Azure Batch.

`ls batchspec/` reads as the pipeline: a file becomes a `Spec` (`spec`), a `Spec` becomes a `Desired` (`render`),
`Desired` and what the services hold become a `Plan` and the `Plan` becomes effects (`reconcile`), through adapters to
Azure (`cloud`), driven from the command line (`cli`). `engine` is Azure Batch on this machine and knows none of them.
"""

__version__ = "0.1.0"
