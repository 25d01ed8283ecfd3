"""The real parts that tests drive: Asterisk, SIPp, Dovecot, Chromium, espeak-ng. `python3 -m tests.parts install`."""
