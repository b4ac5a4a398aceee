"""What a client learns from a refusal."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[int, str]:
    """Status and code of the refusal that a call of the SDK must end with."""
    with pytest.raises(HttpResponseError) as caught:
        call(*args, **kwargs)
    model = caught.value.model
    return caught.value.status_code or 0, str(model.code) if model else ""
