"""Small simulated markets whose truth follows from theory: users, offers and budgets that are rivals."""
