"""What must never be shown: addresses with passwords, secret variables of this process, keys; found and masked."""

from gazette.secrets._address import Address, mask
from gazette.secrets._own import SIGNING_KEY, is_telling, keep_value, own_values, redact
from gazette.secrets._scan import Leak, leaks_in

__all__ = ["SIGNING_KEY", "Address", "Leak", "is_telling", "keep_value", "leaks_in", "mask", "own_values", "redact"]
