"""The post channel: scanned letters from a folder or from CloudEvents."""
