"""The quotas of the local engine, so that preflight compares with them as it does with those of an account in Azure.

Place in the pipeline: a `reconcile.account.AccountReader` for an account on this machine, which Azure Resource Manager
does not know. In: the engine's own list of faults and quotas (`/.batchspec/faults`). Out: an `Account`, whose VM sizes
are not known, since the engine takes any; or `Unknown`, when it is another service that answers here. Raises nothing.
"""

from batchspec.cloud.batch_http import Ask, BatchHttp, Body
from batchspec.errors import BatchspecError
from batchspec.reconcile.account import Account, Quotas, Unknown

# What the engine says where it has no limit of cores.
_NO_LIMIT = 1_000_000
_ANY_SIZE = Unknown("the local engine takes any VM size")
_NOT_TOLD = Unknown("what answers on this machine does not tell its quotas")


class EngineAccount:
    """Asks the engine once."""

    def __init__(self, http: BatchHttp) -> None:
        self._http = http

    async def read(self) -> Account | Unknown:
        """The engine's quotas."""
        tries = self._http.tries("read quotas", "of the local engine").briefly()
        try:
            reply = await self._http.send(tries, Ask("GET", "/.batchspec/faults"))
        except BatchspecError:
            return _NOT_TOLD
        told = reply.body.get("quotas") if isinstance(reply.body, dict) else None
        return Account("local", "local", _quotas(told), _ANY_SIZE) if isinstance(told, dict) else _NOT_TOLD


def _quotas(told: Body) -> Quotas:
    return Quotas(
        pools=told.get("pools"),
        active_jobs=told.get("activeJobs"),
        dedicated_cores=_limit(told.get("dedicatedCores")),
        low_priority_cores=_limit(told.get("lowPriorityCores")),
    )


def _limit(cores: int | None) -> int | None:
    return None if cores == _NO_LIMIT else cores
