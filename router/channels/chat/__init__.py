"""The web chat channel: the visitor's browser over Socket.IO."""
