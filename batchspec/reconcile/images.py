"""Which node agent SKU goes with an image: the service's list of supported images -> one SKU.

Place in the pipeline: `plan` asks before a pool is made, so that a wrong image is refused there; `sending` asks for the
value. Pure.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from batchspec.errors import PlanRefused
from batchspec.render.model import Desired, JsonObject
from batchspec.render.symbolic import symbols


def node_agent_sku(desired: Desired, images: Sequence[JsonObject]) -> str:
    """The SKU for the pool's image; "" when its body does not leave it to be looked up.

    Publisher, offer and sku are compared ignoring case; where the list names an image more than once, the verified
    entry with the highest SKU wins. Raises PlanRefused when the list has no such image, with the nearest names.
    """
    body = desired.described_pool
    if body is None or not looks_up_sku(body):
        return ""
    wanted = _name(_reference(body))
    if not any(wanted):
        told = "the node agent of an image of an Azure Compute Gallery cannot be looked up"
        raise PlanRefused(told, fix="say `node_agent_sku_id` in the pool's `virtual_machine_configuration`")
    fitting = [image for image in images if _name(image.get("imageReference")) == wanted]
    if fitting:
        best = max(fitting, key=lambda image: (image.get("verificationType") == "verified", _sku(image)))
        return _sku(best)
    names = sorted({" ".join(_name(image.get("imageReference"))) for image in images})
    near = get_close_matches(" ".join(wanted), names, n=3)
    hint = f"; near: {', '.join(near)}" if near else ""
    raise PlanRefused(
        f"the service supports no image {' '.join(wanted)!r} (publisher offer sku){hint}",
        fix="`az batch pool supported-images list` shows all; for an own image give `node_agent_sku_id`",
    )


def looks_up_sku(body: JsonObject | None) -> bool:
    """Whether a pool's body leaves its node agent SKU to be looked up."""
    return any(one.kind == "node_agent_sku" for one in symbols(body))


def _reference(body: JsonObject) -> object:
    machine = body.get("virtualMachineConfiguration")
    return machine.get("imageReference") if isinstance(machine, dict) else None


def _name(reference: object) -> tuple[str, str, str]:
    if not isinstance(reference, dict):
        return "", "", ""
    publisher, offer, sku = (str(reference.get(part, "")).casefold() for part in ("publisher", "offer", "sku"))
    return publisher, offer, sku


def _sku(image: JsonObject) -> str:
    return str(image.get("nodeAgentSKUId", ""))
