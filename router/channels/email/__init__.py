"""The e-mail channel: an IMAP mailbox or a loopback listener in, SMTP or an outbox folder out."""
