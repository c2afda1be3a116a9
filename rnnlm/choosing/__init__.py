"""A configuration for a text and a budget, by the rules that ``docs/choosing.md`` states."""
