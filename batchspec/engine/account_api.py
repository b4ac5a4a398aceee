"""What the account offers: supported images.

Place: named by the route table. In: a `Call`. Out: a `Reply`.
"""

from batchspec.engine.call import Call, Reply
from batchspec.engine.images import SUPPORTED
from batchspec.engine.lists import IMAGE_FIELDS, page_of_items

_KEY = "@key"


class AccountApi:
    """Account operations."""

    async def supported_images(self, call: Call) -> Reply:
        # The list has no ids: the position is the key of a page.
        items = ({**image, _KEY: f"{index:04d}"} for index, image in enumerate(SUPPORTED))
        reply = page_of_items(call, items, IMAGE_FIELDS, key=_KEY, fragment="supportedimages")
        for item in (reply.body or {})["value"]:
            item.pop(_KEY, None)
        return reply
