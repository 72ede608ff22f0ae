"""Small simulated markets whose truth follows from theory: users, offers and budgets that are rivals."""

from __future__ import annotations

__all__: list[str] = []
