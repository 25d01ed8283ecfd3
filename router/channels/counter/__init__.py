"""The counter channel and everything else that registers a contact over REST."""
