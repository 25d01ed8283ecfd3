"""SHELLS for citizens: one folder a channel, each a codec (pure) and an adapter (I/O) behind channel.py."""
