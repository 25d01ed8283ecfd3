"""The post channel: scanned letters from a folder or as CloudEvents."""
