"""The counter channel: contacts that a person or another program registers."""
