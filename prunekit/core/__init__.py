"""Plain values everyone speaks in: errors, settings, recipes, cards, cut tables. No torch here."""
