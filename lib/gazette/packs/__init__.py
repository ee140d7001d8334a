"""Evidence packs: what a decision rests on, in one zip that opens in a browser and verifies with plain Python."""

from gazette.packs._pack import Packed, pack

__all__ = ["Packed", "pack"]
