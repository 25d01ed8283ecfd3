"""The e-mail channel: mail in by IMAP or a loopback listener, replies out by SMTP or into an outbox folder."""
