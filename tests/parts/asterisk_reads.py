"""How Asterisk itself reads what is sent to it: AGI commands (res_agi.c) and manager actions (manager.c).

Written from Asterisk's sources and sharing no code with the router, so that what one writes the other can judge.
"""

from __future__ import annotations

AGI_BYTES_MAX = 2_048
"""AGI_BUF_LEN: a longer line goes on as the next command."""
AMI_BYTES_MAX = 1_025
"""The session's buffer: a longer line is thrown away so far, and its rest is read as another."""


def agi_commands(data: bytes) -> list[list[str]]:
    """The commands in what was written to an AGI connection, each as its words."""
    commands = []
    for line in data.split(b"\n")[:-1]:
        pieces = [line[at : at + AGI_BYTES_MAX - 1] for at in range(0, max(1, len(line)), AGI_BYTES_MAX - 1)]
        commands += [agi_words(piece.decode(errors="replace").rstrip("\r")) for piece in pieces]
    return commands


def agi_words(line: str) -> list[str]:
    """How a command line is split: at blanks outside quotes; a backslash takes the next character as it is."""
    words, word, quoted, escaped, begun = [], "", False, False, False
    for char in line:
        if escaped:
            word, escaped = word + char, False
        elif char == "\\":
            escaped = begun = True
        elif char == '"':
            quoted, begun = not quoted, True
        elif char in " \t" and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + char, True
    return [*words, word] if begun else words


def ami_actions(data: bytes) -> list[list[tuple[str, str]]]:
    """The actions in what was written to a manager connection, each as its headers; an empty line ends one."""
    actions: list[list[tuple[str, str]]] = []
    headers: list[tuple[str, str]] = []
    for line in data.split(b"\n")[:-1]:
        text = line.removesuffix(b"\r")
        while len(text) >= AMI_BYTES_MAX - 1:
            text = text[AMI_BYTES_MAX - 1 :]
        if not text:
            if headers:
                actions.append(headers)
            headers = []
        else:
            name, _, value = text.decode(errors="replace").partition(":")
            headers.append((name, value.removeprefix(" ")))
    return [*actions, headers] if headers else actions
