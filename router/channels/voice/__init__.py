"""The telephone channel, through Asterisk."""
